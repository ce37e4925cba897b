"""The host's service: requests in, one durable commit for all that came at once, answers out.

A connection may carry several messages, and a held answer keeps no other from being served. What a peer can do to it is
bounded (:class:`~rig.acquirer.limits.Limits`); the doors themselves are in :mod:`rig.acquirer.doors`.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from typing import NamedTuple

from rig.acquirer.codes import BROKEN, MALFORMED
from rig.acquirer.delivery import Delivery
from rig.acquirer.faults import Rule
from rig.acquirer.host import Host, Refused, answer_to
from rig.acquirer.limits import Limits
from rig.acquirer.line import Line
from rig.acquirer.reply import ReplyPath
from rig.acquirer.request import Arrival, Request
from rig.acquirer.security import LineKeys
from rig.acquirer.syncs import Syncs
from rig.errors import RigError
from rig.history import Journal
from rig.wire.errors import WireError
from rig.wire.iso8583 import Message, Tpdu, response_mti

_CURE = "is the disk full?"


class _Booked(NamedTuple):
    """A request whose answer waits for the commit."""

    request: Request
    answer: Message
    path: ReplyPath
    rule: Rule | None


class _Outstanding:
    """What one connection has asked and was not answered: requests before the sync, and answers that are kept back."""

    def __init__(self) -> None:
        self.tasks: set[asyncio.Task[None]] = set()
        self.answered = asyncio.Event()
        self.answered.set()
        self._count = 0

    @property
    def number(self) -> int:
        """How many there are."""
        return self._count + len(self.tasks)

    def begin(self) -> None:
        """One more request."""
        self._count += 1
        self.answered.clear()

    def end(self) -> None:
        """It is answered, or its answer is on its way."""
        self._count -= 1
        if not self._count:
            self.answered.set()


class Service:
    """Serves the frames of every connection.

    What came in one turn of the event loop is booked in one transaction (group commit); no answer leaves before it is
    on the disk.
    """

    def __init__(self, host: Host, delivery: Delivery, journal: Journal, limits: Limits) -> None:
        self.host = host
        self._delivery = delivery
        self._journal = journal
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._waiting: list[_Booked] = []
        self._syncs = Syncs(host.ledger, self._answer)
        self._outstanding: dict[Line, _Outstanding] = {}

    async def converse(self, line: Line) -> None:
        """Serve one connection until its end. Raises as :meth:`Line.receive`."""
        reader = self.host.dialect.framing.reader()
        self._outstanding[line] = outstanding = _Outstanding()

        def feed(data: bytes) -> bool:
            for tpdu, payload in reader.feed(data):
                self._take(line, tpdu, payload)
            return reader.partial

        try:
            await line.receive(feed)
        finally:
            line.closed.set()
            await outstanding.answered.wait()
            if outstanding.tasks:
                await asyncio.wait(outstanding.tasks)
            del self._outstanding[line]

    def _take(self, line: Line, tpdu: Tpdu, payload: bytes) -> None:
        """One frame. Raises WireError where the connection must end."""
        if self._outstanding[line].number >= self._limits.outstanding:
            raise WireError(f"more than {self._limits.outstanding} answers outstanding")
        dialect = self.host.dialect
        header, data = dialect.split(payload)
        path = ReplyPath(line, dialect, self.host.security, tpdu, header)
        try:
            message = self._decode(data)
            path = path._replace(tid=message.text(41).rstrip(), keys=self._keys(message))
            request = self.host.admit(message, data, path.keys)
        except Refused as refused:
            self._refuse(path, refused)
        else:
            self._book(request, path)

    def _keys(self, message: Message) -> LineKeys:
        try:
            return self.host.security.keys_for(message)
        except WireError as error:
            raise Refused(str(error), answer_to(message, {39: MALFORMED})) from None

    def _decode(self, data: bytes) -> Message:
        """Read a message; Refused with a format error where at least its type can be read."""
        try:
            return self.host.dialect.decode(data)
        except WireError as error:
            packed = self.host.dialect.spec["t"]["data_enc"] == "b"
            mti = data[:2].hex() if packed else data[:4].decode("ascii", "replace")
            try:
                answer = Message(response_mti(mti), {39: MALFORMED})
            except WireError:
                answer = None
            raise Refused(str(error), answer) from None

    def _refuse(self, path: ReplyPath, refused: Refused) -> None:
        if refused.answer is None:
            raise WireError(refused.why)
        self._journal.write("request_refused", why=refused.why)
        path.send(path.frame(path.payload(refused.answer)))

    def _book(self, request: Request, path: ReplyPath) -> None:
        taken = self._delivery.begin(request)
        rule = taken.rule if taken else None
        if rule is not None and not rule.booked:
            self._delivery.drop(request, path, rule)
            return
        self._outstanding[path.line].begin()
        arrival = Arrival(path.line.peer, path.line.local, time.monotonic_ns())
        try:
            if not self._waiting:
                self._journal.gather()
                self._loop.call_soon(self._commit)
            self.host.ledger.begin()
            answer = self.host.serve(request, arrival, rule, path.keys)
        except sqlite3.Error as error:
            self._waiting.append(_Booked(request, self._broken(request), path, rule))
            self._undo(error)
            return
        except RigError as error:
            self._tell_broken(error)
            answer = self._broken(request)
        self._waiting.append(_Booked(request, answer, path, rule))

    def _commit(self) -> None:
        """Commit what was booked in this turn; its answers go once that is synced."""
        booked, self._waiting = self._waiting, []
        try:
            self._journal.flush()
            if self.host.ledger.open:
                self.host.ledger.commit()
        except (sqlite3.Error, OSError) as error:
            self.host.ledger.rollback()
            self._answer(booked, error)
        else:
            self._syncs.after_sync(booked)

    def _answer(self, booked: list[_Booked], error: Exception | None = None) -> None:
        """Let answers go; with an error none of them is what was booked."""
        if error is not None:
            self._tell_broken(error)
            booked = [each._replace(answer=self._broken(each.request)) for each in booked]
        self._journal.gather()  # what is said of the answers, before the first of them leaves
        plain = [self._delivery.begin_sending(each.request, each.answer, each.path) for each in booked if not each.rule]
        self._journal.flush()
        for sending in plain:
            sending()
        for each in booked:
            if each.rule is not None:
                self._misdeliver(each, each.rule)
            self._outstanding[each.path.line].end()

    def _undo(self, error: sqlite3.Error) -> None:
        """A request could not be booked: nothing of this turn was."""
        self.host.ledger.rollback()
        self._tell_broken(error)
        self._waiting = [each._replace(answer=self._broken(each.request)) for each in self._waiting]

    def _tell_broken(self, error: Exception) -> None:
        with contextlib.suppress(OSError):
            self._journal.write("bench_fault", device="acquirer", what=str(error), cure=_CURE)

    @staticmethod
    def _broken(request: Request) -> Message:
        return answer_to(request.message, {39: BROKEN})

    def _misdeliver(self, booked: _Booked, rule: Rule) -> None:
        task = self._loop.create_task(self._delivery.misdeliver(booked.request, booked.answer, booked.path, rule))
        tasks = self._outstanding[booked.path.line].tasks
        tasks.add(task)
        task.add_done_callback(tasks.discard)
