"""Events, and the one order of all journals of a run.

Journals are merged by (boot id, monotonic time, process, sequence): the monotonic clock is common to all processes
of one boot, and wall time, which may step, is for people alone.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode

VERSION = 1
"""The version of the event format that this rig writes and reads."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    Attributes:
        boot: the boot id of the machine whose monotonic clock ``t`` is.
        t: monotonic time in nanoseconds.
        process: the name of the process that saw it.
        pid: its process id.
        sequence: the number of the event in its journal, from 1.
        kind: what happened.
        data: the particulars; only JSON values.
        wall: wall time, ISO 8601, for people.
    """

    boot: str
    t: int
    process: str
    pid: int
    sequence: int
    kind: str
    data: dict[str, Any]
    wall: str = ""

    @property
    def order(self) -> tuple[str, int, str, int, int]:
        """The key by which journals are merged."""
        return (self.boot, self.t, self.process, self.pid, self.sequence)

    def to_line(self) -> str:
        """The event as one line of JSON, without the line's end."""
        return _encode(self._as_json())

    def to_bytes(self) -> bytes:
        """The same, encoded, with the line's end. A lone surrogate (a file name that is no UTF-8) becomes the JSON
        escape that reads back as itself.
        """
        try:
            return orjson.dumps(self._as_json(), option=orjson.OPT_APPEND_NEWLINE)
        except TypeError:  # a surrogate, or a number of more than 64 bits
            return self.to_line().encode(errors="backslashreplace") + b"\n"

    def _as_json(self) -> dict[str, Any]:
        return {
            "v": VERSION,
            "boot": self.boot,
            "t": self.t,
            "process": self.process,
            "pid": self.pid,
            "seq": self.sequence,
            "kind": self.kind,
            "wall": self.wall,
            "data": self.data,
        }

    @classmethod
    def from_line(cls, line: str) -> Event:
        """Read one line.

        Raises:
            ValueError: the line is no event, or of a version that this rig does not know.
        """
        try:
            raw = json.loads(line)
        except RecursionError:
            raise ValueError("nested too deep for an event") from None
        if not isinstance(raw, dict) or raw.get("v") != VERSION:
            raise ValueError(f"not an event of version {VERSION}")
        try:
            event = cls(
                str(raw["boot"]), raw["t"], str(raw["process"]), raw["pid"], raw["seq"], str(raw["kind"]),
                raw["data"], str(raw.get("wall", "")),
            )  # fmt: skip
        except KeyError as missing:
            raise ValueError(f"an event without {missing}") from None
        numbers = (event.t, event.pid, event.sequence)
        if not (all(type(number) is int for number in numbers) and isinstance(event.data, dict)):
            raise ValueError("an event with fields of the wrong type")
        return event


@dataclass(frozen=True)
class History:
    """The merged events of a run, in order.

    Attributes:
        events: all events.
        damage: what could not be read, one sentence each: a torn last line is named and harmless, anything else
            means that the history is not whole.
        torn: the journals whose last line was cut by the end of their process.
    """

    events: tuple[Event, ...]
    damage: tuple[str, ...] = ()
    torn: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Event]:
        return iter(self.events)

    def __len__(self) -> int:
        return len(self.events)

    def of(self, *kinds: str) -> list[Event]:
        """The events of these kinds, in order."""
        return [event for event in self.events if event.kind in kinds]


def merge(events: Iterable[Event]) -> tuple[Event, ...]:
    """Put events into the one order."""
    return tuple(sorted(events, key=lambda event: event.order))


def read_history(folder: Path) -> History:
    """Read and merge every journal (``*.jsonl``) of a folder.

    A torn last line is what a killed writer leaves; it is passed over and named in ``torn``. Damage anywhere else
    is named in ``damage``.
    """
    events: list[Event] = []
    damage: list[str] = []
    torn: list[str] = []
    for path in sorted(folder.glob("*.jsonl")):
        _read_journal(path, events, damage, torn)
    return History(merge(events), tuple(damage), tuple(torn))


def _read_journal(path: Path, events: list[Event], damage: list[str], torn: list[str]) -> None:
    *lines, tail = path.read_bytes().split(b"\n")
    last = 0
    for number, line in enumerate(lines, start=1):
        try:
            event = Event.from_line(line.decode())
        except ValueError as error:
            damage.append(f"{path.name} line {number}: {error}")
            continue
        if event.sequence != last + 1:
            damage.append(f"{path.name} line {number}: event {event.sequence} follows event {last}")
        last = event.sequence
        events.append(event)
    if tail:
        torn.append(path.name)


class Tail:
    """Reads what was appended to the journals of a folder since it was last asked, so that each line is read once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._offsets: dict[Path, int] = {}

    def poll(self) -> tuple[Event, ...]:
        """The new events, in order. A line that is not whole yet is read the next time; damage is passed over."""
        fresh: list[Event] = []
        for path in self._folder.glob("*.jsonl"):
            with path.open("rb") as file:
                file.seek(self._offsets.get(path, 0))
                whole, newline, _ = file.read().rpartition(b"\n")
            self._offsets[path] = self._offsets.get(path, 0) + len(whole) + len(newline)
            for line in whole.splitlines():
                with contextlib.suppress(ValueError):
                    fresh.append(Event.from_line(line.decode()))
        return merge(fresh)
