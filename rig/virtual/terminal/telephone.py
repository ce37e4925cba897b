"""The way to the host by telephone: a call carries several exchanges, and ends when nothing more is asked for a while.

On the line each message with its TPDU is a frame with a check (:mod:`rig.wire.hdlc`): what noise has damaged is no
message, so that an answer that was damaged is one that never came.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from rig.virtual.terminal.bearers import Attempt, Log
from rig.virtual.terminal.dialling import Dialler, LineFailed
from rig.virtual.terminal.settings import LineSetting
from rig.wire.errors import WireError
from rig.wire.hdlc import FrameDecoder, encode_frame
from rig.wire.tpdu import MAX_FRAME, Tpdu

Release = Callable[[bool], None]
"""Called once with whether nothing is owed any more."""

_TPDU_LENGTH = 5
_BITS_AN_OCTET = 10
_ANSWER_OCTETS = 512
"""As long as an answer may be: what a slow call needs for it does not count against the host."""


class Telephone:
    """One modem with one number to call. Whoever has the call has it alone. May be used from several threads."""

    def __init__(self, setting: LineSetting, log: Log) -> None:
        self._setting = setting
        self._log = log
        self._taken = threading.Lock()
        self._modem: Dialler | None = None
        self._hold: threading.Timer | None = None

    def call(self, attempt: Attempt) -> LineChannel:
        """The call that stands, or a new one.

        Raises:
            OSError: somebody else has the line for too long, there is no modem, or no call comes about.
        """
        if not self._taken.acquire(timeout=attempt.remaining()):
            raise LineFailed("the line is in use")
        try:
            if self._hold is not None:
                self._hold.cancel()
                self._hold = None
            modem = self._ready_modem(self._setting.port)
            if not modem.still_up():
                self._dial(modem)
        except BaseException:
            self._let_go()
            self._taken.release()
            raise
        return LineChannel(modem, self._release)

    def _ready_modem(self, port: Path) -> Dialler:
        if self._modem is None:
            self._modem = Dialler(port, self._log)
        return self._modem

    def _dial(self, modem: Dialler) -> None:
        for left in range(self._setting.redials, -1, -1):
            try:
                modem.dial(self._setting.number, self._setting.answer_s)
                return
            except LineFailed as failure:
                self._log("terminal_line_failed", why=str(failure), redials_left=left if failure.again else 0)
                if not failure.again or not left:
                    raise
            time.sleep(self._setting.redial_pause_s)  # exchanges want a pause between two attempts

    def _release(self, done: bool) -> None:
        """An exchange is over. Where it came to nothing the call ends, and with it whatever still comes."""
        if done:
            self._hold = threading.Timer(self._setting.hold_s, self._end_idle)
            self._hold.daemon = True
            self._hold.start()
        else:
            self._let_go()
        self._taken.release()

    def _end_idle(self) -> None:
        if not self._taken.acquire(blocking=False):
            return  # somebody has just taken it
        try:
            if self._hold is not None:
                self._hold = None
                self._let_go()
        finally:
            self._taken.release()

    def _let_go(self) -> None:
        modem, self._modem = self._modem, None
        if modem is not None:
            modem.hang_up()
            modem.close()


class LineChannel:
    """One exchange in a call: a :class:`rig.virtual.terminal.channel.Channel`."""

    def __init__(self, modem: Dialler, release: Release) -> None:
        self._modem = modem
        self._release = release
        self._rate = modem.rate or 1200
        self._frames = FrameDecoder(MAX_FRAME)
        self._sent = 0
        self._closed = False

    @property
    def slowness_s(self) -> float:
        """What the octets of the request and of an answer take at the call's rate."""
        return (self._sent + _ANSWER_OCTETS) * _BITS_AN_OCTET / self._rate

    def send(self, tpdu: Tpdu, payload: bytes, timeout_s: float) -> None:
        """Give a message to the modem, which sends it at its rate."""
        data = encode_frame(tpdu.encode() + payload)
        self._sent = len(data)
        self._modem.write(data, timeout_s + self.slowness_s)

    def receive(self, timeout_s: float) -> list[bytes]:
        """The messages that are whole by what came next; the damaged are none."""
        messages = []
        for body in self._frames.feed(self._modem.read(timeout_s)):
            Tpdu.decode(body[:_TPDU_LENGTH])
            if len(body) == _TPDU_LENGTH:
                raise WireError("a frame without a message")
            messages.append(body[_TPDU_LENGTH:])
        return messages

    def close(self, done: bool) -> None:
        """Give the line back."""
        if not self._closed:
            self._closed = True
            self._release(done)
