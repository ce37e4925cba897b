"""The gateway that terminates TLS: whole messages, told as the host tells its own, and passed on byte by byte the same.

A request that a rule loses never reaches the host; an answer is kept back, broken off or doubled as the host's own
faults are. A card outside the bench's test ranges goes no further than here.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

from rig.acquirer.delivery import Delivery
from rig.acquirer.faults import Rule
from rig.acquirer.gateway.upstream import Upstream
from rig.acquirer.line import Line, reason
from rig.acquirer.reply import RawPath
from rig.acquirer.request import Request, card_numbers
from rig.history import Journal
from rig.wire.errors import WireError
from rig.wire.iso8583 import Dialect, Message, Tpdu, response_mti

_CHUNK = 16384


@dataclass
class _Waiting:
    """A request whose answer has not come."""

    request: Request
    rule: Rule | None


class Relay:
    """Serves terminals' connections, each with one of its own to the host."""

    def __init__(self, dialect: Dialect, upstream: Upstream, delivery: Delivery, journal: Journal) -> None:
        self._dialect = dialect
        self._upstream = upstream
        self._delivery = delivery
        self._journal = journal

    async def converse(self, line: Line) -> None:
        """Serve one connection until its end. Raises as :meth:`Line.receive`, and OSError where the host is away."""
        reader, writer = await self._upstream.connect(self._journal)
        conversation = _Conversation(line, writer, self._dialect, self._delivery, self._journal)
        answers = asyncio.create_task(self._answers(reader, conversation))
        try:
            await line.receive(conversation.feed)
        finally:
            line.closed.set()
            writer.close()
            answers.cancel()
            await asyncio.wait([answers, *conversation.deliveries])
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _answers(self, reader: asyncio.StreamReader, conversation: _Conversation) -> None:
        frames = self._dialect.framing.reader()
        try:
            while data := await reader.read(_CHUNK):
                for tpdu, payload in frames.feed(data):
                    conversation.answer(tpdu, payload)
            conversation.line.close("the host closed it")
        except (OSError, WireError) as error:
            conversation.line.abort(f"the host's side: {reason(error)}")


class _Conversation:
    """One terminal's connection: what waits for its answer on it."""

    def __init__(
        self, line: Line, writer: asyncio.StreamWriter, dialect: Dialect, delivery: Delivery, journal: Journal
    ) -> None:
        self.line = line
        self.deliveries: set[asyncio.Task[None]] = set()
        self._writer = writer
        self._dialect = dialect
        self._delivery = delivery
        self._journal = journal
        self._reader = dialect.framing.reader()
        self._waiting: dict[tuple[str, str], _Waiting] = {}

    def feed(self, data: bytes) -> bool:
        """What comes from the terminal."""
        for tpdu, payload in self._reader.feed(data):
            if self._notice(payload):
                self._writer.write(self._dialect.framing.frame(tpdu, payload))
        return self._reader.partial

    def _notice(self, payload: bytes) -> bool:
        """Tell of a request; whether it goes on to the host. Raises WireError for a foreign card."""
        redactor = self._journal.redactor
        try:
            message = self._dialect.decode(self._dialect.split(payload)[1])
            request = Request.read(message, self._dialect)
        except WireError as error:
            self._journal.write("passed_on", why=f"not understood: {error}")
            return True
        if not all(redactor.allows(pan) for pan in card_numbers(message)):
            raise WireError("a card outside the bench's test ranges")
        taken = self._delivery.begin(request)
        rule = taken.rule if taken else None
        self._journal.write(
            "request_received", **request.event(redactor), cryptogram_ok=None, peer=self.line.peer,
            local=self.line.local, not_judged=["what the host booked: it is another's"],
        )  # fmt: skip
        if rule is not None and not rule.booked:
            self._delivery.drop(request, self._path(Tpdu(0, 0), b""), rule)
            return False
        self._waiting[response_mti(message.mti), request.stan] = _Waiting(request, rule)
        return True

    def answer(self, tpdu: Tpdu, payload: bytes) -> None:
        """What comes from the host. Raises OSError where the terminal is gone."""
        path = self._path(tpdu, payload)
        try:
            message = self._dialect.decode(self._dialect.split(payload)[1])
        except WireError as error:
            self._journal.write("passed_on", why=f"not understood: {error}")
            path.send(path.frame(payload))
            return
        waiting = self._waiting.pop((message.mti, message.text(11)), None)
        if waiting is None:
            self._journal.write("passed_on", why=f"an answer that nobody waits for ({message.mti})")
            path.send(path.frame(payload))
        elif waiting.rule is None:
            self._delivery.begin_sending(waiting.request, message, path)()
        else:
            self._misdeliver(waiting.request, message, path, waiting.rule)

    def _misdeliver(self, request: Request, message: Message, path: RawPath, rule: Rule) -> None:
        task = asyncio.get_running_loop().create_task(self._delivery.misdeliver(request, message, path, rule))
        self.deliveries.add(task)
        task.add_done_callback(self.deliveries.discard)

    def _path(self, tpdu: Tpdu, payload: bytes) -> RawPath:
        return RawPath(self.line, self._dialect, tpdu, payload)
