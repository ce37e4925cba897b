"""What a telephone modem says: result codes among other lines, and the end of a call inside its data. No I/O.

Source: ITU-T V.250, 5.7 (result codes and how they are framed), 6.3 (call control). What stands behind ``CONNECT`` is
the maker's own; all begin it with the rate (``CONNECT 2400``, ``CONNECT 33600/ARQ/V34``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Code(StrEnum):
    """What became of a command or of a call."""

    OK = "OK"
    ERROR = "ERROR"
    RING = "RING"
    CONNECT = "CONNECT"
    NO_CARRIER = "NO CARRIER"
    NO_DIALTONE = "NO DIALTONE"
    BUSY = "BUSY"
    NO_ANSWER = "NO ANSWER"


FINAL = frozenset(Code) - {Code.RING}
"""What ends a command; ``RING`` comes by itself."""

_CONNECT = re.compile(r"CONNECT(?:\s+([0-9]{1,7})(?:\D.*)?)?")
_OTHER_WORDS = {"NO DIAL TONE": Code.NO_DIALTONE}
_LONGEST_LINE = 512

CARRIER_LOST = b"\r\nNO CARRIER\r\n"
"""How a modem ends a call among the data, where nobody looks at its carrier line."""


@dataclass(frozen=True)
class Result:
    """A result code; ``rate`` in bit/s with ``CONNECT`` where the modem tells it."""

    code: Code
    rate: int | None = None


def parse_result(line: str) -> Result | None:
    """The result code that a line is; ``None`` for any other: an echo, or information.

    >>> parse_result("CONNECT 33600/ARQ/V34")
    Result(code=<Code.CONNECT: 'CONNECT'>, rate=33600)
    """
    words = " ".join(line.split()).upper()
    if match := _CONNECT.fullmatch(words):
        return Result(Code.CONNECT, int(match[1]) if match[1] else None)
    code = _OTHER_WORDS.get(words)
    if code is None and words in list(Code):
        code = Code(words)
    return Result(code) if code is not None else None


class Lines:
    """Cuts what comes in command state into lines. After ``CONNECT`` the rest is data: take it by :meth:`rest`."""

    def __init__(self) -> None:
        self._pending = b""

    def feed(self, data: bytes) -> None:
        """Take bytes."""
        self._pending += data

    def next(self) -> str | None:
        """The next line that is not blank; ``None`` where none has ended yet."""
        while b"\n" in self._pending:
            raw, self._pending = self._pending.split(b"\n", 1)
            if line := raw.decode("ascii", "replace").strip():
                return line
        self._pending = self._pending[-_LONGEST_LINE:]  # a line that never ends is none
        return None

    def rest(self) -> bytes:
        """What came behind the last line."""
        rest, self._pending = self._pending, b""
        return rest


class CarrierWatch:
    """Looks for the end of a call among its data.

    What could be the beginning of it is held back until more comes, or until :meth:`quiet` says that nothing does.
    Data that holds the very words ends the call here though it stands: without a carrier line nobody can tell.
    """

    def __init__(self) -> None:
        self.lost = False
        """Whether the modem has said that the call is over."""
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """Take bytes; returns the data among them. After the end of the call there is none."""
        if self.lost:
            return b""
        self._held += data
        at = self._held.find(CARRIER_LOST)
        if at >= 0:
            self.lost = True
            data, self._held = self._held[:at], b""
            return data
        keep = next((n for n in range(len(CARRIER_LOST) - 1, 0, -1) if self._held.endswith(CARRIER_LOST[:n])), 0)
        cut = len(self._held) - keep
        data, self._held = self._held[:cut], self._held[cut:]
        return data

    @property
    def holds(self) -> bool:
        """Whether something is held back."""
        return bool(self._held)

    def quiet(self) -> bytes:
        """Nothing more came for a while: what was held back was data."""
        held, self._held = self._held, b""
        return held
