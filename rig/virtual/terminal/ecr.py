"""The dialogue with the cash register: who may speak, what was acknowledged, and what is going on.

A message of the terminal is acknowledged with ``80 00`` or refused with ``84 yy`` (PA00P015, chapter 2). One command
is worked on at a time; meanwhile others are answered with ``84 9C`` (please wait), but for the abort.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable

from rig.virtual.terminal.bearers import Log
from rig.virtual.terminal.links import Link
from rig.wire.zvt import POSITIVE, Apdu, Command, negative

PLEASE_WAIT = 0x9C
_WAIT_REPEAT_S = 2.0
_WAIT_REPEATS = 15
_CLOSING_S = 0.3


class Session:
    """The terminal's side of one dialogue with a connected cash register.

    A dialogue belongs to the connection that began it. What is told to a connection that has ended was not
    acknowledged, and never will be.
    """

    def __init__(self, link: Link, ack_timeout_s: float, wants_statuses: Callable[[], bool], log: Log) -> None:
        self._link = link
        self._ack_timeout_s = ack_timeout_s
        self._wants_statuses = wants_statuses
        self._log = log
        self._answers: queue.SimpleQueue[Apdu | None] = queue.SimpleQueue()
        self._unanswered = 0
        self.down = False
        self.replied = False
        """Whether the command that is worked on was answered."""

    def reply(self, apdu: Apdu) -> None:
        """Answer the command that is worked on."""
        self.replied = True
        self._send(apdu)

    def confirm(self) -> None:
        """Acknowledge another command, in between."""
        self._send(POSITIVE)

    def refuse(self, code: int) -> None:
        """Answer another command, in between."""
        self._send(negative(code))

    def announce(self, status: int) -> None:
        """Send an intermediate status, where the cash register asked for them. A sale never waits for it."""
        self._drop_answers()
        if self._wants_statuses() and not self.down and not self._unanswered:
            self._unanswered += 1
            self._send(Apdu(Command.INTERMEDIATE_STATUS, bytes([status])))

    def prompt(self, status: int) -> None:
        """Send an intermediate status that somebody must act on: it waits for the answer to the one before."""
        if self._unanswered:
            self._await_answer()
        self.announce(status)

    def tell(self, apdu: Apdu) -> bool:
        """Send a message; whether it was acknowledged in time.

        ``84 9C`` makes the terminal wait and send it again; every other ``84 yy`` but ``84 00`` is a no. A partial
        issue of goods (``84 9D``) is a no as well: this terminal cannot reverse a part.
        """
        for _ in range(_WAIT_REPEATS):
            answer = self._ask(apdu)
            if answer is None or answer.command != negative(PLEASE_WAIT).command:
                return answer is not None and answer.positive
            time.sleep(_WAIT_REPEAT_S)
        return False

    def end(self, apdu: Apdu) -> None:
        """Close the dialogue (06 0F, 06 1E). All is decided: any answer will do, and none as well."""
        self._drop_answers()
        self._unanswered = 0
        self._ask(apdu)

    def answered(self, apdu: Apdu) -> None:
        """An answer came from the cash register."""
        self._answers.put(apdu)

    def lose(self) -> None:
        """The connection has ended."""
        self.down = True
        self._answers.put(None)

    def begin(self) -> None:
        """A new command came: what was not answered until now never will be."""
        self._drop_answers()
        self._unanswered = 0
        self.replied = False

    def _ask(self, apdu: Apdu) -> Apdu | None:
        if self._unanswered:
            self._await_answer()
        if self.down:
            return None
        self._unanswered += 1
        self._send(apdu)
        return self._await_answer()

    def _await_answer(self) -> Apdu | None:
        """The answer to the last message; ``None`` when it did not come in time."""
        deadline = time.monotonic() + self._ack_timeout_s
        answer = None
        while self._unanswered and not self.down:
            try:
                answer = self._answers.get(timeout=max(deadline - time.monotonic(), 0.001))
            except queue.Empty:
                self._log("terminal_unacknowledged", messages=self._unanswered)
                return None
            if answer is not None:
                self._unanswered -= 1
        return answer

    def _drop_answers(self) -> None:
        while not self._answers.empty():
            if self._answers.get() is not None:
                self._unanswered = max(0, self._unanswered - 1)

    def _send(self, apdu: Apdu) -> None:
        self._log("device_tx", data=apdu.encode(), name=apdu.name)
        self._link.send(apdu)


Handler = Callable[[Session, Apdu], None]
"""Works a command off, its answer included; must not raise."""


class Ecr:
    """Takes what the links deliver: answers to the running dialogue, commands to the worker."""

    def __init__(
        self, ack_timeout_s: float, wants_statuses: Callable[[], bool], log: Log, cancelled: threading.Event
    ) -> None:
        self.cancelled = cancelled
        """Set when the cash register asks to abort what is going on."""
        self._new_session: Callable[[Link], Session] = lambda link: Session(link, ack_timeout_s, wants_statuses, log)
        self._log = log
        self._link: Link | None = None
        self._session: Session | None = None
        self._lock = threading.Lock()
        self._idle = threading.Event()
        self._idle.set()
        self._commands: queue.SimpleQueue[tuple[Session, Apdu]] = queue.SimpleQueue()

    def work(self, handler: Handler) -> None:
        """Work commands off, one after the other, for ever."""
        while True:
            session, apdu = self._commands.get()
            try:
                handler(session, apdu)
            finally:
                self._idle.set()

    def opened(self, link: Link) -> None:
        """A cash register has connected: the connection before it is dead, whether it looks so or not."""
        with self._lock:
            old, old_session = self._link, self._session
            self._link, self._session = link, self._new_session(link)
        self._log("terminal_ecr_connected", replaces=old is not None)
        if old is not None and old_session is not None:
            old_session.lose()
            old.close()

    def lost(self, link: Link, why: str) -> None:
        """The link is down."""
        with self._lock:
            session = self._session if link is self._link else None
        self._log("terminal_ecr_lost", why=why)
        if session is not None:
            session.lose()

    def received(self, link: Link, apdu: Apdu) -> None:
        """A message from the cash register."""
        self._log("device_rx", data=apdu.encode(), name=apdu.name)
        with self._lock:
            if link is not self._link or self._session is None:
                return
            if self._session.down:  # a serial line that had been dead speaks again
                self._session = self._new_session(link)
            session = self._session
        if apdu.answers:
            session.answered(apdu)
        elif apdu.command in (Command.ECR_ABORT, Command.ABORT):
            self.cancelled.set()
            session.confirm()
        elif self._idle.wait(_CLOSING_S):  # the last command's end is acknowledged and a moment from being over
            self._idle.clear()
            self.cancelled.clear()
            session.begin()
            self._commands.put((session, apdu))
        else:
            session.refuse(PLEASE_WAIT)
