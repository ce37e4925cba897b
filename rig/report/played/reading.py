"""From the events of a case to the timelines that were played in it."""

from __future__ import annotations

import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rig.history.events import Event


@dataclass(frozen=True)
class Stretch:
    """One step as it was meant.

    Attributes:
        begin_s, end_s: since the timeline began; its intended times.
        rtt_ms: the round trip that delays make, without the bench's own; None while cut.
        jitter_ms: how far it was meant to vary, both directions together.
        loss_percent: the chance that a round trip fails, in the mean.
        note: words that go with it.
        rssi_dbm: the signal that goes with it.
        passed_over: it was never in force, for a later one was due.
    """

    begin_s: float
    end_s: float
    rtt_ms: float | None
    jitter_ms: float = 0.0
    loss_percent: float = 0.0
    note: str = ""
    rssi_dbm: float | None = None
    passed_over: bool = False


@dataclass
class Played:
    """One timeline on one link.

    Attributes:
        link, name, title, backend: what was played where, by whom.
        baseline_ms: the round trip of the bench itself, where it was measured.
        stretches: the steps, in order.
        answered: when each probe was sent, in seconds since the beginning, and its round trip in milliseconds.
        unanswered: when each other probe was sent.
        end: data of the event that told the end; empty where none did.
    """

    link: str
    name: str
    title: str
    backend: str
    baseline_ms: float | None
    stretches: list[Stretch] = field(default_factory=list)
    answered: list[tuple[float, float]] = field(default_factory=list)
    unanswered: list[float] = field(default_factory=list)
    end: Mapping[str, Any] = field(default_factory=dict)

    @property
    def until_s(self) -> float:
        """When the last step ended."""
        return self.stretches[-1].end_s if self.stretches else 0.0

    def errors_ms(self) -> list[float]:
        """Reached less meant, of each probe that was answered within its step; what jitter and rate add is in it."""
        errors = []
        begins = [each.begin_s for each in self.stretches]
        for at_s, rtt_ms in self.answered:
            step = self.stretches[max(bisect.bisect_right(begins, at_s) - 1, 0)]
            if step.rtt_ms is not None and at_s + rtt_ms / 1000 <= step.end_s:
                errors.append(rtt_ms - step.rtt_ms - (self.baseline_ms or 0.0))
        return errors


def read_played(events: Sequence[Event]) -> list[Played]:
    """The timelines of a case that put at least one step in force, in the order in which they began."""
    found: list[Played] = []
    now: dict[str, _Reading] = {}
    for event in events:
        link = str(event.data.get("link", ""))
        if event.kind == "timeline_begin":
            now[link] = _Reading(event.data)
            found.append(now[link].played)
        elif link in now and (read := _READERS.get(event.kind)):
            read(now[link], event)
    for reading in now.values():
        reading.finish()
    return [each for each in found if each.stretches]


class _Reading:
    def __init__(self, data: Mapping[str, Any]) -> None:
        self.start_t = int(data["start_t"])
        self.duration_s = float(data.get("duration_ms", 0)) / 1000
        self.steps: list[Mapping[str, Any]] = []
        self.ended = False
        self.played = Played(
            str(data["link"]), str(data.get("timeline", "")), str(data.get("title", "")), str(data.get("backend", "")),
            data.get("baseline_rtt_ms"),
        )  # fmt: skip

    def second(self, t: int) -> float:
        """Since the beginning."""
        return (t - self.start_t) / 1e9

    def step(self, event: Event) -> None:
        """A step came into force, or was passed over."""
        self.steps.append(event.data)

    def probe(self, event: Event) -> None:
        """A probe was answered, or not."""
        at_s, rtt_ms = self.second(int(event.data["sent_t"])), event.data.get("rtt_ms")
        if at_s < 0:
            return
        if rtt_ms is None:
            self.played.unanswered.append(at_s)
        else:
            self.played.answered.append((at_s, float(rtt_ms)))

    def end(self, event: Event) -> None:
        """The timeline has ended."""
        self.played.end = event.data
        self.finish(self.second(event.t))

    def finish(self, end_s: float | None = None) -> None:
        """Lay the steps out; the last one ends with the play, or as was meant."""
        if self.ended or not self.steps:
            return
        self.ended = True
        begins = [self.second(int(step["intended_t"])) for step in self.steps]
        last = max(self.duration_s, begins[-1]) if end_s is None else max(end_s, begins[-1])
        for step, begin, until in zip(self.steps, begins, [*begins[1:], last], strict=True):
            self.played.stretches.append(_stretch(step, begin, until))
        self.played.answered = sorted(each for each in self.played.answered if each[0] <= last)
        self.played.unanswered = [each for each in self.played.unanswered if each <= last]


def _stretch(step: Mapping[str, Any], begin_s: float, end_s: float) -> Stretch:
    up, down = step["up"], step["down"]
    cut = bool(up["cut"] or down["cut"])
    arrives = (1 - _loss(up)) * (1 - _loss(down))
    return Stretch(
        begin_s,
        end_s,
        None if cut else up["delay_ms"] + down["delay_ms"],
        0.0 if cut else up["jitter_ms"] + down["jitter_ms"],
        100.0 if cut else round(100 * (1 - arrives), 3),
        str(step.get("note", "")),
        step.get("rssi_dbm"),
        step.get("applied_t") is None,
    )


def _loss(way: Mapping[str, Any]) -> float:
    burst = way.get("burst_loss")
    if not burst:
        return float(way.get("loss_percent", 0)) / 100
    bad, good = float(burst["to_bad_percent"]), float(burst["to_good_percent"])
    lost = bad * float(burst["loss_in_bad_percent"]) + good * float(burst["loss_in_good_percent"])
    return lost / (bad + good) / 100


_READERS = {"timeline_step": _Reading.step, "probe": _Reading.probe, "timeline_end": _Reading.end}
