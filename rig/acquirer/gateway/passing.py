"""The gateway that lets TLS through: it sees records, and takes them for what they must be.

From the terminal, application data after the handshake is a request; from the host, what follows a request is its
answer. In TLS 1.3 the terminal's first such record ends its handshake, and is none. The host's session tickets look
like answers: where a host sends some, a rule may meet them; terminate TLS to be sure.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from typing import Any

from rig.acquirer.faults import DEFAULT_HOLD_MS, FaultRules, HeldAnswer, Rule
from rig.acquirer.gateway.upstream import Upstream
from rig.acquirer.line import Line, reason
from rig.history import Journal
from rig.wire import tls_hello as tls
from rig.wire.errors import WireError
from rig.wire.tls_hello import RecordReader

_CHUNK = 16384
_SUPPORTED_VERSIONS = (43).to_bytes(2, "big") + b"\0\x02\x03\x04"


class Passing:
    """Serves terminals' connections, each with one of its own to the host. ``held`` are the answers kept back."""

    def __init__(self, upstream: Upstream, rules: FaultRules, journal: Journal, push: Any) -> None:
        self.held: list[HeldAnswer] = []
        self._upstream = upstream
        self._rules = rules
        self._journal = journal
        self._push = push
        self._numbers = itertools.count(1)

    def release(self, key: str) -> list[str]:
        """Let held answers go, by their request's key or ``"all"``."""
        going = [held for held in self.held if key in (held.key, "all")]
        for held in going:
            held.release()
        return [held.key for held in going]

    async def converse(self, line: Line) -> None:
        """Serve one connection until its end. Raises as :meth:`Line.receive`, and OSError where the host is away."""
        reader, writer = await self._upstream.connect(self._journal)
        passage = _Passage(self, line, writer)
        back = asyncio.create_task(passage.back(reader))
        try:
            await line.receive(passage.forth)
        finally:
            line.closed.set()
            writer.close()
            back.cancel()
            await asyncio.wait([back])
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def begin(self) -> tuple[str, Rule | None]:
        """A request passes: its name, and the fault that it meets."""
        key = f"TLS/{next(self._numbers):06d}"
        taken = self._rules.take("sale")
        if taken is not None:
            self._journal.write("fault_applied", key=key, mti="", rule=taken.number, action=taken.rule.action)
        self._journal.write("record_from_terminal", key=key)
        self._push("received", key=key, mti="")
        return key, taken.rule if taken else None

    async def keep(self, key: str, rule: Rule, line: Line) -> str:
        """What a rule does to an answer; returns why it does not go on, or nothing."""
        if rule.action in ("hold", "late"):
            held = HeldAnswer(key, "", time.monotonic_ns())
            self.held.append(held)
            self._journal.write("answer_held", key=key, mti="")
            self._push("held", key=key, mti="")
            try:
                why = await held.wait(rule.ms or DEFAULT_HOLD_MS, line.closed)
            finally:
                self.held.remove(held)
            return "the connection ended" if why == "connection closed" else ""
        if rule.action in ("close", "reset"):
            (line.reset if rule.action == "reset" else line.abort)(f"the gateway is told to {rule.action}")
        return f"the gateway is told: {rule.action}"

    def tell(self, kind: str, event: str, key: str, **data: Any) -> None:
        """To the history, then to whoever waits."""
        self._journal.write(kind, key=key, mti="", **data)
        self._push(event, key=key, mti="", **data)


class _Passage:
    """One connection's records, both ways."""

    def __init__(self, gateway: Passing, line: Line, writer: asyncio.StreamWriter) -> None:
        self._gateway = gateway
        self._line = line
        self._writer = writer
        self._up, self._down = RecordReader(), RecordReader()
        self._is_13 = False
        self._handshakes = 0
        self._asked: tuple[str, Rule | None] | None = None

    def forth(self, data: bytes) -> bool:
        """From the terminal."""
        for record in self._up.feed(data):
            if record.type == tls.APPLICATION_DATA:
                self._handshakes += 1
                if self._handshakes > 1 or not self._is_13:
                    self._asked = self._gateway.begin()
                    rule = self._asked[1]
                    if rule is not None and not rule.booked:
                        return False
        self._writer.write(data)
        return False

    async def back(self, reader: asyncio.StreamReader) -> None:
        """From the host."""
        try:
            while data := await reader.read(_CHUNK):
                for record in self._down.feed(data):
                    self._is_13 = self._is_13 or (
                        record.type == tls.HANDSHAKE and _SUPPORTED_VERSIONS in record.content
                    )
                    if record.type == tls.APPLICATION_DATA and self._asked is not None:
                        (key, rule), self._asked = self._asked, None
                        if rule is not None and (why := await self._gateway.keep(key, rule, self._line)):
                            self._gateway.tell("answer_lost", "lost", key, why=why)
                            return
                        self._gateway.tell("answer_passed", "answered", key)
                self._line.send(data)
            self._line.abort("the host closed it")
        except (OSError, WireError) as error:
            self._line.abort(f"the host's side: {reason(error)}")
