"""The magnetic head: a swipe is a line on a serial port, as a head with a decoder of its own gives it.

``;PAN=YYMMSVC…?`` and a carriage return: track 2 of ISO/IEC 7813 between its sentinels, without the check character,
which the decoder has looked at. The head answers ``ok`` or, for what is no such track, ``bad``, and a carriage
return. An empty line says that nothing was swiped after all: a swipe that no sale has used is forgotten.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from pathlib import Path

from rig.virtual.pty import PtyPort
from rig.virtual.terminal.bearers import Log

_TRACK = re.compile(rb";([0-9]{12,19})=([0-9]{2}(?:0[1-9]|1[0-2]))([0-9]{3})([0-9]*)\?")
_LONGEST = 40
"""Characters of a track 2 with its sentinels (ISO/IEC 7813)."""


@dataclass(frozen=True)
class Track:
    """Track 2 of a card: ``expiry`` is YYMM, ``service_code`` three digits, ``text`` all between the sentinels."""

    pan: str = field(repr=False)
    expiry: str
    service_code: str
    text: str = field(repr=False)

    @property
    def has_chip(self) -> bool:
        """Whether the card has a chip, which is to be used where that is possible (ISO/IEC 7813, service code)."""
        return self.service_code[0] in "26"

    @property
    def wants_pin(self) -> bool:
        """Whether the cardholder must be asked for the PIN (third digit: 0, 3, 5; 6 and 7 where it is possible)."""
        return self.service_code[2] in "03567"


class StripeHead:
    """Keeps the last swipe until a sale uses it.

    Args:
        link: the serial port's name.
        news: set whenever a readable card was swiped.
        log: the terminal's development log.
    """

    def __init__(self, link: Path, news: threading.Event, log: Log) -> None:
        self._port = PtyPort(link)
        self._news = news
        self._log = log
        self._swiped: Track | None = None
        self._lock = threading.Lock()
        threading.Thread(target=self._serve, name="stripe", daemon=True).start()

    def take(self) -> Track | None:
        """What was swiped and not used yet."""
        with self._lock:
            track, self._swiped = self._swiped, None
        return track

    def _serve(self) -> None:
        line = b""
        while True:
            line += self._port.read()
            while b"\r" in line:
                swipe, line = line.split(b"\r", 1)
                self._port.write(b"ok\r" if self._keep(swipe) else b"bad\r")
            line = line[-4 * _LONGEST :]  # a line without an end is no swipe

    def _keep(self, swipe: bytes) -> bool:
        """Remember a swipe; whether it was readable."""
        found = _TRACK.fullmatch(swipe) if len(swipe) <= _LONGEST else None
        if swipe and found is None:
            self._log("terminal_swipe", readable=False)
            return False
        with self._lock:
            self._swiped = _track(found) if found else None
        if found:
            self._log("terminal_swipe", readable=True)
            self._news.set()
        return True


def _track(found: re.Match[bytes]) -> Track:
    pan, expiry, service_code, _ = (each.decode() for each in found.groups())
    return Track(pan, expiry, service_code, found[0][1:-1].decode())
