"""A simulated gantry under GRBL 1.1: its serial line, its carriage, and what it carries.

Source: the GRBL wiki, "Grbl v1.1 Interface" (https://github.com/gnea/grbl/wiki). Enough of it for a host that wakes
it, asks for its version and status, unlocks or homes it, and moves it in machine coordinates.
"""

from __future__ import annotations

import math
import re

from rig.virtual.actuator import Arrangement, Positions

SPEED_MM_S = 1000.0
NEAR_MM = 0.5
GREETING = "\r\nGrbl 1.1h ['$' for help]\r\n"
VERSION = "[VER:1.1h.20190825:]\r\n[OPT:V,15,128]\r\n"
_MOVE = re.compile(r"^G53 ?G0 ?X(-?[0-9.]+) ?Y(-?[0-9.]+)$")
Point = tuple[float, float]


class GrblGantry:
    """The controller and its carriage. It starts in an alarm's lock, as a machine with homing switches does."""

    def __init__(self, arrangement: Arrangement) -> None:
        self._arrangement = arrangement
        self._send, self._clock, self._fault = arrangement.send, arrangement.clock, arrangement.fault
        self._positions = Positions(arrangement)
        self._line = b""
        self._state = "Alarm"
        self._at: Point = (0.0, 0.0)
        self._target: Point | None = None
        self._waits = False  # a dwell is to be answered when the carriage stands still
        self.deadline: float | None = None
        self._tell()

    def feed(self, data: bytes) -> None:
        """Bytes from the host: real-time commands at once, lines when they end."""
        if self._fault == "mute":
            return
        for byte in data:
            match bytes([byte]):
                case b"?":
                    self._report()
                case b"!":
                    self._hold()
                case b"\x18":
                    self._reset()
                case b"\r" | b"\n":
                    line, self._line = self._line, b""
                    self._obey(line.decode("ascii", "replace").strip())
                case other:
                    self._line += other

    def tick(self) -> None:
        """The carriage arrives."""
        if self.deadline is None or self.deadline > self._clock() or self._target is None:
            return
        self._at = self._at if self._fault == "stuck" else self._target
        self._target, self.deadline, self._state = None, None, "Idle"
        self._tell()
        if self._waits:
            self._waits = False
            self._ok()

    def _obey(self, line: str) -> None:
        if line == "$I":
            self._send(VERSION.encode())
        elif line == "$X":
            self._state = "Idle"
            self._send(b"[MSG:Caution: Unlocked]\r\n")
        elif line == "$H":
            self._home()
            return
        elif self._state == "Alarm" and line:
            self._send(b"error:9\r\n")
            return
        elif line == "G4 P0":
            if self._target is not None:
                self._waits = True
                return
        elif move := _MOVE.match(line):
            if not self._move((float(move[1]), float(move[2]))):
                return
        elif line not in ("", "G21", "G90"):
            self._send(b"error:3\r\n" if line.startswith("$") else b"error:20\r\n")
            return
        self._ok()

    def _home(self) -> None:
        self._state = "Idle"
        if self._move((0.0, 0.0)):
            self._waits = True

    def _move(self, target: Point) -> bool:
        """Begin to move; False when an alarm ends it."""
        if self._fault == "alarm":
            self._state = "Alarm"
            self._send(b"ALARM:1\r\n[MSG:Reset to continue]\r\n")
            return False
        self._target, self._state = target, "Run"
        self.deadline = self._clock() + math.dist(self._at, target) / SPEED_MM_S
        if self._fault != "stuck":
            self._tell()
        return True

    def _hold(self) -> None:
        if self._target is not None:
            self._state, self.deadline = "Hold:0", None

    def _reset(self) -> None:
        self._line, self._target, self.deadline, self._waits = b"", None, None, False
        self._state = "Idle" if self._state.startswith(("Idle", "Hold")) else "Alarm"
        self._send(GREETING.encode())

    def _report(self) -> None:
        self._send(f"<{self._state}|MPos:{self._at[0]:.3f},{self._at[1]:.3f},0.000|FS:0,0>\r\n".encode())

    def _ok(self) -> None:
        self._send(b"ok\r\n")

    def _tell(self) -> None:
        """Each card is where the carriage has brought it; while that moves, nowhere."""
        for card, slot in self._arrangement.cards.items():
            near = [
                place for place in ("park", "field")
                if self._target is None and math.dist(self._at, slot[place]) < NEAR_MM
            ]  # fmt: skip
            self._positions.tell(card, near[0] if near else None)
