"""The way of an answer from the ledger to the wire: at once, or as a fault of the host will have it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Protocol

from rig.acquirer.faults import DEFAULT_HOLD_MS, FaultRules, HeldAnswer, Rule, Taken
from rig.acquirer.request import Request
from rig.history import Journal
from rig.wire.iso8583 import Message

Push = Callable[..., None]
"""``push(event, **data)``: tells whoever listens at the control socket."""


class Path(Protocol):
    """Where an answer goes: what it needs of its connection."""

    @property
    def closed(self) -> asyncio.Event:
        """Set once nothing more will come."""

    @property
    def alive(self) -> bool:
        """Whether an answer can still be given to the connection."""

    async def send(self, message: Message) -> None:
        """Write one message; raises OSError where the peer is gone."""


class Delivery:
    """Sends answers, and keeps the ones that are held.

    ``answer_sent`` says that an answer was given to a connection that stood; where the connection breaks right then,
    ``answer_lost`` follows.

    Args:
        journal: gets ``answer_held``, ``answer_released``, ``answer_sent``, ``answer_lost``, ``answer_withheld`` and
            ``fault_applied``.
        push: gets ``received``, ``held``, ``answered``, ``lost`` and ``withheld``, each with ``key`` and ``mti``.
    """

    def __init__(self, rules: FaultRules, journal: Journal, push: Push) -> None:
        self.rules = rules
        self.held: list[HeldAnswer] = []
        self._journal = journal
        self._push = push

    def release(self, key: str) -> list[str]:
        """Let the held answers to a request go, or those to all for ``"all"``; returns their keys."""
        going = [held for held in self.held if key in (held.key, "all")]
        for held in going:
            self.held.remove(held)
            held.release()
        return [held.key for held in going]

    def begin(self, request: Request) -> Taken | None:
        """The fault that this request meets, if any; written to the journal."""
        taken = self.rules.take(request.kind, bool(request.chip))
        if taken is not None:
            particulars = taken.rule.model_dump(include={"action", "ms", "rc", "script"}, exclude_none=True)
            mti = request.message.mti
            self._journal.write("fault_applied", key=request.key, mti=mti, rule=taken.number, **particulars)
        return taken

    async def deliver(self, request: Request, answer: Message, path: Path, rule: Rule | None) -> None:
        """Bring an answer, which the ledger holds already, to its connection."""
        told: dict[str, Any] = {"key": request.key, "mti": request.message.mti}
        self._push("received", **told)
        if rule is not None and rule.action == "silent":
            self._tell("answer_withheld", "withheld", told, why="the host is told to be silent")
            return
        late = rule is not None and rule.action in ("hold", "late")
        if rule is not None and late and not await self._wait(rule, told, path):
            self._tell("answer_lost", "lost", told, why="the connection ended while the answer was kept back")
            return
        auth, rrn = answer.text(38) or None, answer.text(37) or None
        result: dict[str, Any] = {"rc": answer.text(39), "auth": auth, "rrn": rrn, "late": late}
        if path.alive:
            # Written before the bytes go: nothing that follows from an answer may precede it in the history.
            self._journal.write("answer_sent", **told, **result)
        try:
            await path.send(answer)
        except (OSError, TimeoutError) as error:
            self._tell("answer_lost", "lost", told, why=f"the connection ended: {type(error).__name__}")
        else:
            self._push("answered", **told, **result)

    async def _wait(self, rule: Rule, told: dict[str, Any], path: Path) -> bool:
        """Keep an answer back; whether its connection is still there afterwards."""
        holds = rule.action == "hold"
        held = HeldAnswer(told["key"], told["mti"], time.monotonic_ns())
        self.held.append(held)
        try:
            if holds:
                self._tell("answer_held", "held", told, moment="request_received")
            why = await held.wait(rule.ms or DEFAULT_HOLD_MS, path.closed)
        finally:
            if held in self.held:
                self.held.remove(held)
        if holds and why != "connection closed":
            self._journal.write("answer_released", key=held.key, why=why)
        return why != "connection closed"

    def _tell(self, kind: str, event: str, told: dict[str, Any], **data: Any) -> None:
        """To the history first, then to whoever waits."""
        self._journal.write(kind, **told, **data)
        self._push(event, **told, **data)
