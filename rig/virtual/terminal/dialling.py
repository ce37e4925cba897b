"""The terminal's own telephone modem: it dials, and then there is a call, until one of the two ends it.

Sources: ITU-T V.250 (6.3 call control: D, H, S7; 5.7 result codes); the escape ``+++`` is Hayes'. Flow control and the
carrier wire, which a real terminal has, are not needed on a pseudo-terminal: the end of a call is told in words.
"""

from __future__ import annotations

import contextlib
import os
import select
import termios
import time
import tty
from pathlib import Path

from rig.virtual.terminal.bearers import Log
from rig.wire.at_dial import FINAL, CarrierWatch, Code, Lines, Result, parse_result

_COMMAND_S = 1.0
_HANG_UP_S = 4.0
"""Before it hangs up, a modem sends what it still holds."""
_GRACE_S = 3.0
"""Beyond S7, until a modem has said what became of its call."""
_QUIET_S = 0.02
_ESCAPES = 3
_ESCAPED_S = 0.5
_GUARD_FIFTIETHS = 10
_GUARD_S = _GUARD_FIFTIETHS / 50 * 1.2
_ESCAPE = b"+++"


class LineFailed(OSError):
    """There is no call: what the modem says of it."""

    def __init__(self, why: str, again: bool = False) -> None:
        super().__init__(why)
        self.again = again
        """Whether dialling anew makes sense."""


_AGAIN = (Code.BUSY, Code.NO_CARRIER)


class Dialler:
    """One modem at one serial port. Not for several threads.

    Args:
        port: its serial port.
        log: the terminal's development log. What passes in a call is never told.

    Raises:
        OSError: there is no such port.
    """

    def __init__(self, port: Path, log: Log) -> None:
        self._log = log
        self._fd = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self._fd)
        termios.tcflush(self._fd, termios.TCIOFLUSH)
        self._lines = Lines()
        self._watch = CarrierWatch()
        self._early = b""
        self.rate: int | None = None
        """Of the call that stands, bit/s; ``None``: there is none."""

    def dial(self, number: str, answer_s: int) -> int:
        """Make a call; returns its rate in bit/s.

        Raises:
            LineFailed: there is none; says why.
            OSError: the port is gone.
        """
        self._reset(answer_s)
        self._log("terminal_dials", number=number)
        result = self._command(f"ATDT{number}", answer_s + _GRACE_S)
        if result.code is not Code.CONNECT:
            raise LineFailed(f"the modem says {result.code}", again=result.code in _AGAIN)
        self.rate = result.rate or 1200
        self._watch = CarrierWatch()
        self._early = self._watch.feed(self._lines.rest())
        self._log("terminal_line_up", rate=self.rate)
        return self.rate

    def write(self, data: bytes, timeout_s: float) -> None:
        """Give octets to the call.

        Raises:
            OSError: they were not taken in time, or the port is gone.
        """
        deadline = time.monotonic() + timeout_s
        while data:
            _, writable, _ = select.select([], [self._fd], [], max(0.0, deadline - time.monotonic()))
            if not writable:
                raise TimeoutError("the modem takes no more octets")
            data = data[os.write(self._fd, data) :]

    def read(self, timeout_s: float) -> bytes:
        """The octets of the call that come next; empty where none did in time.

        Raises:
            LineFailed: the call is over.
            OSError: the port is gone.
        """
        early, self._early = self._early, b""
        if early:
            return early
        data = self._watch.feed(self._take(timeout_s))
        if not data and self._watch.lost:
            self.rate = None
            raise LineFailed(str(Code.NO_CARRIER))
        return data

    def still_up(self) -> bool:
        """Whether the call stands, as far as the modem has told. What else came meanwhile is dropped: nobody asked."""
        with contextlib.suppress(LineFailed):
            while self.rate is not None and self.read(0):
                pass
        return self.rate is not None

    def hang_up(self) -> None:
        """End the call that stands."""
        if self.rate is None:
            return
        self.rate = None
        with contextlib.suppress(OSError):
            self._escape()
            self._command("ATH0", _HANG_UP_S)
        self._log("terminal_hangs_up")

    def close(self) -> None:
        """Let go of the port."""
        os.close(self._fd)

    def _reset(self, answer_s: int) -> None:
        """Into command state with settings that are known, out of a call that somebody left behind if need be."""
        os.write(self._fd, b"\r")  # octets that a dead call did not take may stand where commands do
        self._take(_QUIET_S)
        with contextlib.suppress(LineFailed):
            self._command("ATE0V1Q0", _COMMAND_S)
            self._command(f"ATS7={answer_s}S12={_GUARD_FIFTIETHS}X4", _COMMAND_S)
            return
        self._escape()
        self._command("ATH0", _HANG_UP_S)
        self._command("ATE0V1Q0", _COMMAND_S)
        self._command(f"ATS7={answer_s}S12={_GUARD_FIFTIETHS}X4", _COMMAND_S)

    def _escape(self) -> None:
        """From data into command state. A modem that is there already says nothing to the sign; one that was busy just
        then may have taken it for data, and gets another.
        """
        for _ in range(_ESCAPES):
            time.sleep(_GUARD_S)  # the silence is part of the sign
            os.write(self._fd, _ESCAPE)
            deadline = time.monotonic() + 2 * _GUARD_S
            heard = b""
            while (left := deadline - time.monotonic()) > 0:
                heard += self._take(left)
                if b"OK\r\n" in heard or b"NO CARRIER\r\n" in heard:
                    return
            os.write(self._fd, b"\r")  # ends what the sign has begun in command state
            with contextlib.suppress(LineFailed):
                self._command("AT", _ESCAPED_S)
                return

    def _command(self, command: str, timeout_s: float) -> Result:
        """The result code of a command line.

        Raises:
            LineFailed: none came in time.
        """
        self._lines = Lines()
        while self._take(0):
            pass
        os.write(self._fd, command.encode("ascii") + b"\r")
        deadline = time.monotonic() + timeout_s
        while True:
            while (line := self._lines.next()) is not None:
                if (result := parse_result(line)) is not None and result.code in FINAL:
                    return result
            if (left := deadline - time.monotonic()) <= 0:
                raise LineFailed(f"the modem says nothing to {command[:4]}")
            self._lines.feed(self._take(left))

    def _take(self, timeout_s: float) -> bytes:
        ready, _, _ = select.select([self._fd], [], [], timeout_s)
        try:
            return os.read(self._fd, 4096) if ready else b""
        except BlockingIOError:
            return b""
