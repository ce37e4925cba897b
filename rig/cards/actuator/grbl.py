"""A gantry under GRBL 1.1 that carries test cards.

Serial line of 115200 baud, lines ended by LF. Source: the GRBL wiki, "Grbl v1.1 Interface" and "Grbl v1.1 Commands"
(https://github.com/gnea/grbl/wiki): each line is answered ``ok`` or ``error:N``; ``?`` brings a status report
``<Idle|MPos:x,y,z|…>`` at any time; ``!`` holds the feed, and Ctrl-X (18 hex) then resets without losing the position;
``ALARM:N`` comes unasked.

A position is where the carriage stands, in machine coordinates (mm), when the card is there. The machine counts its
own steps: a step that the motor lost shows in no report, only by the card that a reader finds, or does not.
"""

from __future__ import annotations

import re
import time
from typing import Any

from rig.cards.actuator.mover import Place, Settings, numbers, slots_of
from rig.errors import BenchTrouble, DeviceMute, DeviceNonsense
from rig.instruments.serial_port import SerialPort

SOFT_RESET, HOLD = b"\x18", b"!"
ANSWER_S, WAKE_S = 2.0, 4.0  # a controller that the port's DTR has reset greets within two seconds
QUIET_S = 0.1
TOLERANCE_MM = 0.05
_AWAKE = re.compile(rb"ok\r?\n|Grbl [^\n]*\n")
_GREETING = re.compile(rb"Grbl [^\n]*\n")
_LINE = re.compile(rb"[^\n]*\n")
_REPORT = re.compile(rb"<[^>]*>[\r\n]*")
ALARMS = {
    1: "a hard limit was hit; the position is lost",
    2: "the target is outside the machine's travel",
    3: "it was reset while it moved; the position is lost",
    4: "the probe is not in its first state",
    5: "the probe made no contact",
    6: "it was reset while it homed",
    7: "a safety door opened while it homed",
    8: "homing failed: the switch did not open",
    9: "homing failed: no switch within reach",
}
ERRORS = {
    2: "a number is wrong",
    3: "a $ command is unknown",
    5: "homing is not enabled ($22)",
    8: "only possible while idle",
    9: "locked by an alarm",
    15: "the target is outside the machine's travel ($130, $131)",
    20: "a command is not supported",
    22: "no feed rate is set",
}
"""What the numbers mean that a bench meets."""


class Grbl:
    """The carriage.

    Args:
        port: its line.
        cards: card → ``{park: [x, y], field: [x, y]}`` in mm.
        home: find the switches (``$H``) before the first move; without it the machine must have been switched on at
            its zero, and an alarm's lock is opened (``$X``).
        move_s: the longest that any move or homing takes.

    Raises:
        CallerMistake: a slot is wrong.
        DeviceMute, DeviceNonsense: no GRBL answers.
    """

    def __init__(self, port: SerialPort, cards: Settings, *, home: bool = True, move_s: float = 30.0) -> None:
        self.name = port.name
        self._port, self._home, self._move_s = port, home, move_s
        self._at = {
            card: {place: numbers(port.name, card, place, slot[place], 2) for place in Place}
            for card, slot in slots_of(port.name, cards, tuple(Place)).items()
        }
        self._version = self._wake()
        self._ready = False

    @property
    def cards(self) -> tuple[str, ...]:
        """See `Mover.cards`."""
        return tuple(self._at)

    def put(self, card: str, place: Place) -> dict[str, Any]:
        """See `Mover.put`. The proof: `position`, two numbers in mm, as the machine reports it."""
        return self._move(self._at[card][place])

    def clear(self) -> dict[str, Any]:
        """See `Mover.clear`: the carriage goes to where its first card is at rest."""
        return self._move(next(iter(self._at.values()))[Place.PARK])

    def identify(self) -> dict[str, Any]:
        """The version, the machine's state and where it stands."""
        state, position = self._status()
        return {"device": self._version, "state": state, "position": list(position)}

    def close(self) -> None:
        """Let go of the port; the machine stays where it is."""
        self._port.close()

    def _move(self, target: tuple[float, ...]) -> dict[str, Any]:
        self._prepare()
        self._ask(f"G53 G0 X{target[0]:.3f} Y{target[1]:.3f}", ANSWER_S)
        self._ask("G4 P0", self._move_s)  # answered when the moves before it are over
        state, position = self._status()
        if state != "Idle":
            raise self._trouble(f"it is {state}, not idle, after a move")
        if any(abs(is_at - wanted) > TOLERANCE_MM for is_at, wanted in zip(position, target, strict=True)):
            raise self._trouble(f"it stands at {_mm(position)}, not at {_mm(target)}: it did not move")
        return {"position": list(position)}

    def _prepare(self) -> None:
        """Make it able to move: its old moves forgotten, unlocked or homed, in mm and absolute."""
        state, _ = self._status()
        if state.startswith("Hold"):
            self._port.write(SOFT_RESET)
            self._port.read_until(_GREETING, WAKE_S)
            self._ready = False
            state, _ = self._status()
        locked = state.startswith("Alarm")
        if self._ready and not locked:
            return
        if self._home:
            self._ask("$H", self._move_s)
        elif locked:
            self._ask("$X", ANSWER_S)
        for line in ("G21", "G90"):
            self._ask(line, ANSWER_S)
        self._ready = True

    def _wake(self) -> str:
        """Whatever the controller was doing with a line is over; returns its version."""
        self._port.write(b"\r\n\r\n")
        self._port.read_until(_AWAKE, WAKE_S)
        self._port.discard(QUIET_S)
        lines = self._lines(b"$I\n", ANSWER_S)
        version = next((line for line in lines if line.startswith("[VER:")), None)
        if version is None:
            raise DeviceNonsense(self.name, "what answers does not name itself as GRBL", "is it the right port?")
        return "GRBL " + version[5:].split(":")[0]

    def _ask(self, line: str, timeout_s: float) -> None:
        self._lines(line.encode("ascii") + b"\n", timeout_s)

    def _lines(self, command: bytes, timeout_s: float) -> list[str]:
        """What comes before the ``ok`` of a command."""
        self._port.discard()
        self._port.write(command)
        lines: list[str] = []
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                left_s = max(0.1, round(deadline - time.monotonic(), 1))
                line = self._port.read_until(_LINE, left_s).decode("ascii", "replace").strip()
            except DeviceMute:
                self._port.write(HOLD)  # nothing moves while nobody looks
                raise
            if line == "ok":
                return lines
            self._check(line, command)
            lines.append(line)
            if time.monotonic() > deadline:  # something else, that talks without end
                self._port.write(HOLD)
                raise DeviceNonsense(
                    self.name, f"talks for {timeout_s:g} s and answers nothing", "is it the right port?"
                )

    def _check(self, line: str, command: bytes) -> None:
        kind, _, number = line.partition(":")
        if kind == "ALARM":
            self._ready = False
            raise self._trouble(f"alarm {number}: {_meaning(ALARMS, number)}")
        if kind == "error":
            raise self._trouble(f"error {number} at {command.decode().strip()}: {_meaning(ERRORS, number)}")

    def _status(self) -> tuple[str, tuple[float, ...]]:
        """The machine's state, and X and Y in machine coordinates."""
        self._port.discard()
        self._port.write(b"?")
        report = self._port.read_until(_REPORT, ANSWER_S).decode("ascii", "replace")
        state, *fields = report[report.index("<") + 1 : report.index(">")].split("|")
        values = dict(field.partition(":")[::2] for field in fields)
        try:
            return state, tuple(float(each) for each in values["MPos"].split(",")[:2])
        except (KeyError, ValueError):
            raise DeviceNonsense(self.name, f"reports no machine position: {report.strip()}", "set $10=1") from None

    def _trouble(self, what: str) -> BenchTrouble:
        return BenchTrouble(self.name, what, "look at the machine: way, limit switches, motor current; then home it")


def _meaning(table: dict[int, str], number: str) -> str:
    return table.get(int(number), "see the GRBL wiki") if number.isascii() and number.isdigit() else "see its display"


def _mm(position: tuple[float, ...]) -> str:
    return ", ".join(f"{each:.3f}" for each in position) + " mm"
