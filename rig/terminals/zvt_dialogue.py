"""One ZVT command from its first byte to its end, and everything that the terminal said meanwhile.

Source: PA00P015, chapter 2 (who speaks when), PA00P016 (T3, T4).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from rig.errors import BenchTrouble, CallerMistake
from rig.terminals.base import Moment
from rig.terminals.link import Link, Timeouts, discard_stale
from rig.terminals.transport import NotSent
from rig.wire.errors import WireError
from rig.wire.zvt import (
    POSITIVE,
    Apdu,
    Command,
    FieldValue,
    decode_fields,
    intermediate_text,
    negative,
    printed_lines,
)

_FUNCTION_NOT_POSSIBLE = 0x83
_REARM_T4 = (Command.INTERMEDIATE_STATUS, Command.STATUS_INFO)


class End(Enum):
    """How the dialogue of a command ended."""

    NOT_SENT = "the command did not leave"
    REFUSED = "the terminal refused the command"
    ACCEPTED = "the terminal accepted the command, and owes nothing more or is still at it"
    COMPLETED = "the terminal completed it"
    ABORTED = "the terminal aborted it"
    LOST = "its end was never heard"


@dataclass
class Dialogue:
    """What the terminal said to one command.

    Attributes:
        end: how it ended.
        code: of a refusal or an abort.
        status: the fields of the last status information (04 0F), or None if none came.
        completion: the data of the completion.
        lines: what the terminal printed through the ECR.
        trouble: why the command did not leave, or why its end was never heard.
    """

    end: End = End.LOST
    code: int | None = None
    status: Mapping[int, FieldValue] | None = None
    completion: bytes = b""
    lines: list[str] = field(default_factory=list)
    trouble: str = ""


def _no_moment(name: str, data: dict[str, Any]) -> None:
    """Housekeeping has no moments: a fault that waits for a sale's must not run at a registration's."""


class _Lost(Exception):
    """The end of the dialogue will not be heard. Apart from BenchTrouble, which a moment's fault may raise."""


class Conversation:
    """The ECR's side of all dialogues over one link. Not for two threads at once."""

    def __init__(self, link: Link, timeouts: Timeouts, moment: Moment) -> None:
        self._link = link
        self._timeouts = timeouts
        self._moment = moment
        self._at_moment: Moment = _no_moment
        self._abort_asked = False
        self.running = False
        self._handlers: Mapping[int, Callable[[Dialogue, Apdu], None]] = {
            Command.INTERMEDIATE_STATUS: self._intermediate_status,
            Command.STATUS_INFO: self._status_information,
            Command.PRINT_LINE: self._print,
            Command.PRINT_BLOCK: self._print,
            Command.COMPLETION: self._completion,
            Command.ABORT: self._abort,
        }

    def ask_for_abort(self) -> None:
        """Send an abort (06 B0) as soon as the terminal's next message is acknowledged."""
        self._abort_asked = True

    def operate(self, command: Apdu) -> Dialogue:
        """Run an operation of people's business to its end: its moments are called, T4 bounds it.

        After T3, T4 or a broken line the connection is closed, as PA00P016 wants it. Nothing is raised for what the
        terminal or the line does; what a moment raises passes through.
        """
        return self._exchange(command, self._moment, self._timeouts.t3_s, self._follow_for_t4)

    def run(self, command: Apdu, within_s: float) -> Dialogue:
        """Run a command of the ECR's own housekeeping: no moment is called, and ``within_s`` bounds all of it."""
        t3_s = min(within_s, self._timeouts.t3_s)
        return self._exchange(command, _no_moment, t3_s, lambda dialogue: self._follow_within(dialogue, within_s))

    def ask(self, command: Apdu) -> Dialogue:
        """Send a command that is answered and has no further dialogue, such as log off."""
        return self._exchange(command, _no_moment, self._timeouts.t3_s, lambda dialogue: None)

    def _exchange(self, command: Apdu, moment: Moment, t3_s: float, follow: Callable[[Dialogue], None]) -> Dialogue:
        if self.running:
            raise CallerMistake("terminal", "a command in the middle of another one", "wait for its end, or abort it")
        dialogue = Dialogue()
        self.running, self._abort_asked, self._at_moment = True, False, moment
        try:
            if self._leaves(command, dialogue):
                self._at_moment("ecr_command_sent", {"name": command.name})
                self._await_answer(dialogue, t3_s)
                follow(dialogue)
        except _Lost as lost:
            dialogue.end, dialogue.trouble = End.LOST, str(lost)
            self._link.close()
        except BaseException:
            self._link.close()  # the dialogue stands in the middle: nothing may follow on this connection
            raise
        finally:
            self.running = False
        return dialogue

    def _leaves(self, command: Apdu, dialogue: Dialogue) -> bool:
        discard_stale(self._link)
        try:
            self._link.send(command)
        except NotSent as error:
            dialogue.end, dialogue.trouble = End.NOT_SENT, str(error)
            self._link.close()
            return False
        except BenchTrouble as error:
            raise _Lost(str(error)) from error
        return True

    def _await_answer(self, dialogue: Dialogue, t3_s: float) -> None:
        apdu = self._receive(t3_s)
        if apdu is None:
            raise _Lost(f"no answer to the command within T3, {t3_s:g} s")
        dialogue.end = End.ACCEPTED
        if not apdu.answers:  # some terminals skip the answer and begin at once
            self._handle(dialogue, apdu)
        elif not apdu.positive:
            dialogue.end, dialogue.code = End.REFUSED, apdu.command & 0xFF

    def _follow_for_t4(self, dialogue: Dialogue) -> None:
        t4_s = self._timeouts.t4_s
        deadline = time.monotonic() + t4_s
        while dialogue.end is End.ACCEPTED:
            if self._next(dialogue, deadline, f"T4, {t4_s:g} s") in _REARM_T4:
                deadline = time.monotonic() + t4_s

    def _follow_within(self, dialogue: Dialogue, within_s: float) -> None:
        deadline = time.monotonic() + within_s
        while dialogue.end is End.ACCEPTED:
            self._next(dialogue, deadline, f"{within_s:g} s")

    def _next(self, dialogue: Dialogue, deadline: float, limit: str) -> int:
        apdu = self._receive(deadline - time.monotonic())
        if apdu is None:
            raise _Lost(f"neither completion nor abort within {limit}")
        self._handle(dialogue, apdu)
        return apdu.command

    def _handle(self, dialogue: Dialogue, apdu: Apdu) -> None:
        if apdu.answers:  # to an abort, or a repeat of one that was heard already
            return
        handler = self._handlers.get(apdu.command)
        if handler is None:
            self._reply(negative(_FUNCTION_NOT_POSSIBLE))
            return
        try:
            handler(dialogue, apdu)
        except WireError as error:  # not acknowledged, so the terminal does not believe it delivered
            raise _Lost(f"unreadable {apdu.name}: {error}") from error

    def _intermediate_status(self, dialogue: Dialogue, apdu: Apdu) -> None:
        code = apdu.data[0] if apdu.data else 0
        self._at_moment("intermediate_status", {"code": code, "text": intermediate_text(code)})
        self._reply(POSITIVE)

    def _status_information(self, dialogue: Dialogue, apdu: Apdu) -> None:
        fields = decode_fields(apdu.data)
        dialogue.status = fields
        self._at_moment("status_information", {"fields": {f"{number:02X}": value for number, value in fields.items()}})
        self._reply(POSITIVE)

    def _print(self, dialogue: Dialogue, apdu: Apdu) -> None:
        lines = [line.text for line in printed_lines(apdu)]
        dialogue.lines += lines
        self._at_moment("print_line", {"lines": lines})
        self._reply(POSITIVE)

    def _completion(self, dialogue: Dialogue, apdu: Apdu) -> None:
        dialogue.end, dialogue.completion = End.COMPLETED, apdu.data
        self._at_moment("completion", {})
        self._reply_to_the_end()

    def _abort(self, dialogue: Dialogue, apdu: Apdu) -> None:
        dialogue.end, dialogue.code = End.ABORTED, apdu.data[0] if apdu.data else None
        self._reply_to_the_end()

    def _reply_to_the_end(self) -> None:
        """The end was heard and stands, whether or not the terminal hears that."""
        try:
            self._reply(POSITIVE)
        except _Lost:
            self._link.close()

    def _reply(self, answer: Apdu) -> None:
        try:
            self._link.send(answer)
            if self._abort_asked:
                self._abort_asked = False
                self._link.send(Apdu(Command.ECR_ABORT))
        except BenchTrouble as error:
            raise _Lost(str(error)) from error

    def _receive(self, timeout_s: float) -> Apdu | None:
        try:
            return self._link.receive(timeout_s)
        except BenchTrouble as error:
            raise _Lost(str(error)) from error
