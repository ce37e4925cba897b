"""From events to marks: one small reader a kind of event; kinds without a reader are not drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from rig.history.events import Event
from rig.report.timeline import words
from rig.report.timeline.marks import Lane, Level, Mark, Shape, Tone, Weight

_OUTCOMES = {
    "approved": (Shape.DOT, Tone.GOOD),
    "declined": (Shape.RING, Tone.PLAIN),
    "failed": (Shape.RING, Tone.PLAIN),
}
_PRESENTED = {"contactless": "in the field", "contact": "in the slot", "stripe": "swiped"}
_UNKNOWN = (Shape.CROSS, Tone.DOUBT)


@dataclass
class Drawing:
    """What one case looks like.

    Attributes:
        marks: marks and finished bars.
        levels: attenuation and signal, in order.
    """

    marks: list[Mark] = field(default_factory=list)
    levels: list[Level] = field(default_factory=list)
    _open: dict[tuple[str, str], Mark] = field(default_factory=dict)

    def add(self, event: Event, lane: Lane, shape: Shape, tone: Tone, label: str = "", weight: int = 1) -> None:
        """Draw a mark."""
        self.marks.append(Mark(lane, event.t, shape, tone, label, Weight(weight)))

    def begin(self, thing: tuple[str, str], mark: Mark) -> None:
        """Begin a bar; the same thing's earlier bar ends here."""
        self.end(thing, mark.t)
        self._open[thing] = replace(mark, shape=Shape.BAR)

    def end(self, thing: tuple[str, str], t: int) -> None:
        """End a thing's bar, where it has one."""
        if mark := self._open.pop(thing, None):
            self.marks.append(replace(mark, until=t))

    def finish(self, t: int) -> None:
        """What is still open lasts to the end."""
        for thing in list(self._open):
            self.end(thing, t)


def draw(events: Iterable[Event]) -> Drawing:
    """Read the events of a case, in order."""
    drawing = Drawing()
    last = 0
    for event in events:
        if reader := _READERS.get(event.kind):
            reader(drawing, event)
            last = max(last, event.t)
    drawing.finish(last)
    drawing.marks = sorted(drawing.marks, key=lambda mark: mark.t)
    return drawing


def _impairment(drawing: Drawing, event: Event) -> None:
    thing = ("impairment", str(event.data.get("link")))
    drawing.end(thing, event.t)
    if what := words.impairment(event.data):
        tone = Tone.BAD if what.endswith("cut") else Tone.FAULT
        drawing.begin(thing, Mark(Lane.FAULT, event.t, Shape.BAR, tone, what))


def _played(drawing: Drawing, event: Event) -> None:
    thing = ("timeline", str(event.data.get("link")))
    said = words.short(f"{event.data.get('link')}: timeline {event.data.get('timeline')}")
    drawing.begin(thing, Mark(Lane.FAULT, event.t, Shape.BAR, Tone.FAULT, said, Weight.HIGH))


def _played_out(drawing: Drawing, event: Event) -> None:
    drawing.end(("timeline", str(event.data.get("link"))), event.t)


def _fault_proof(drawing: Drawing, event: Event) -> None:
    proven = bool(event.data.get("proven"))
    said = words.short(str(event.data.get("fault", "fault"))) + ("" if proven else ": no proof")
    drawing.add(event, Lane.FAULT, Shape.DIAMOND, Tone.FAULT if proven else Tone.DOUBT, said, Weight.HIGH)


def _moment(drawing: Drawing, event: Event) -> None:
    drawing.add(event, Lane.FAULT, Shape.TICK, Tone.PLAIN, words.short(event.data.get("name", "")), Weight.LOW)


def _bench_fault(drawing: Drawing, event: Event) -> None:
    said = words.short(f"bench fault: {event.data.get('device')}: {event.data.get('what')}")
    drawing.add(event, Lane.FAULT, Shape.CROSS, Tone.BAD, said, Weight.HIGH)


def _power(drawing: Drawing, event: Event) -> None:
    thing = ("power", str(event.data.get("device")))
    drawing.end(thing, event.t)
    if event.data.get("on") is False:
        drawing.begin(thing, Mark(Lane.FAULT, event.t, Shape.BAR, Tone.BAD, "power off", Weight.HIGH))


def _attenuation(drawing: Drawing, event: Event) -> None:
    value = event.data.get("read_back", event.data.get("asked"))
    if isinstance(value, int | float):
        drawing.levels.append(Level(event.t, str(event.data.get("path", "")), float(value), "dB"))


def _signal(drawing: Drawing, event: Event) -> None:
    value = event.data.get("rsrp")
    if isinstance(value, int | float):
        drawing.levels.append(Level(event.t, str(event.data.get("modem", "")), float(value), "dBm"))
    if event.data.get("registered") is False:
        drawing.add(event, Lane.SIGNAL, Shape.CROSS, Tone.BAD, "no network", Weight.HIGH)


def _card_armed(drawing: Drawing, event: Event) -> None:
    card = str(event.data.get("card", "card"))
    said = words.short(f"{card} {_PRESENTED.get(str(event.data.get('interface')), 'in the field')}")
    drawing.begin(("card", card), Mark(Lane.CARD, event.t, Shape.BAR, Tone.CARD, said))


def _card_fault(drawing: Drawing, event: Event) -> None:
    said = words.short(str(event.data.get("fault", "fault of the card")))
    drawing.add(event, Lane.CARD, Shape.DIAMOND, Tone.FAULT, said, Weight.HIGH)


def _card_removed(drawing: Drawing, event: Event) -> None:
    proof = event.data.get("proof")
    card = proof.get("card") if isinstance(proof, Mapping) else None
    drawing.end(("card", str(card or "card")), event.t)
    drawing.add(event, Lane.CARD, Shape.CROSS, Tone.CARD, words.short(f"removed: {event.data.get('why', '')}"))


def _card_apdu(drawing: Drawing, event: Event) -> None:
    drawing.add(event, Lane.CARD, Shape.TICK, Tone.CARD, words.apdu(event.data))


def _ecr(shape: Shape) -> Callable[[Drawing, Event], None]:
    def read(drawing: Drawing, event: Event) -> None:
        name = str(event.data.get("name", "")).replace("_", " ").lower()
        is_ack = str(event.data.get("data", "")).startswith("80")
        drawing.add(event, Lane.ECR, shape, Tone.ECR, "" if is_ack else words.short(name))

    return read


def _request(drawing: Drawing, event: Event) -> None:
    weight = Weight.HIGH if str(event.data.get("mti", "")).startswith("04") else Weight.NORMAL
    drawing.add(event, Lane.HOST, Shape.RECEIVED, Tone.HOST, words.request(event.data), weight)


def _answer(drawing: Drawing, event: Event) -> None:
    drawing.end(("held", str(event.data.get("key"))), event.t)
    drawing.add(event, Lane.HOST, Shape.SENT, Tone.HOST, words.answer(event.data))


def _held(drawing: Drawing, event: Event) -> None:
    drawing.begin(
        ("held", str(event.data.get("key"))), Mark(Lane.HOST, event.t, Shape.BAR, Tone.DOUBT, "answer held", Weight.LOW)
    )


def _released(drawing: Drawing, event: Event) -> None:
    drawing.end(("held", str(event.data.get("key"))), event.t)


def _host_trouble(said: str) -> Callable[[Drawing, Event], None]:
    def read(drawing: Drawing, event: Event) -> None:
        drawing.end(("held", str(event.data.get("key"))), event.t)
        why = event.data.get("why", "")
        drawing.add(event, Lane.HOST, Shape.CROSS, Tone.FAULT, words.short(f"{said}: {why}" if why else said), 2)

    return read


def _quiet(lane: Lane, said: str) -> Callable[[Drawing, Event], None]:
    def read(drawing: Drawing, event: Event) -> None:
        drawing.add(event, lane, Shape.TICK, Tone.PLAIN, said, Weight.LOW)

    return read


def _ecr_link(drawing: Drawing, event: Event) -> None:
    drawing.add(event, Lane.ECR, Shape.TICK, Tone.PLAIN, words.short(event.data.get("what", "")), Weight.LOW)


def _intent(drawing: Drawing, event: Event) -> None:
    said = words.short(f"{str(event.data.get('operation', '')).replace('_', ' ')} {words.money(event.data)}".strip())
    drawing.begin(("intent", str(event.data.get("intent"))), Mark(Lane.OUTCOME, event.t, Shape.BAR, Tone.PLAIN, said))


def _outcome(drawing: Drawing, event: Event) -> None:
    drawing.end(("intent", str(event.data.get("intent"))), event.t)
    said = str(event.data.get("outcome", "unknown"))
    shape, tone = _OUTCOMES.get(said, _UNKNOWN)
    drawing.add(event, Lane.OUTCOME, shape, tone, f"register: {said}", Weight.HIGH)


def _resolution(drawing: Drawing, event: Event) -> None:
    said = str(event.data.get("outcome", "unknown"))
    shape, tone = _OUTCOMES.get(said, _UNKNOWN)
    drawing.add(event, Lane.OUTCOME, shape, tone, f"resolved: {said}", Weight.HIGH)


def _ledger_row(drawing: Drawing, event: Event) -> None:
    said = words.short(f"ledger: {event.data.get('state', '?')} {words.money(event.data)}")
    drawing.add(event, Lane.OUTCOME, Shape.DIAMOND, Tone.HOST, said, Weight.HIGH)


def _settled(drawing: Drawing, event: Event) -> None:
    quiet = bool(event.data.get("quiet"))
    said = "quiet" if quiet else words.short(f"not quiet: {event.data.get('waiting_for', '')}")
    drawing.add(event, Lane.OUTCOME, Shape.TICK, Tone.PLAIN if quiet else Tone.DOUBT, said, 0 if quiet else 2)


_READERS: Mapping[str, Callable[[Drawing, Event], Any]] = {
    "impairment": _impairment,
    "timeline_begin": _played,
    "timeline_end": _played_out,
    "fault_proof": _fault_proof,
    "moment": _moment,
    "bench_fault": _bench_fault,
    "power": _power,
    "attenuation": _attenuation,
    "signal": _signal,
    "card_armed": _card_armed,
    "card_removed": _card_removed,
    "card_apdu": _card_apdu,
    "card_fault": _card_fault,
    "ecr_tx": _ecr(Shape.SENT),
    "ecr_rx": _ecr(Shape.RECEIVED),
    "ecr_link": _ecr_link,
    "request_received": _request,
    "answer_held": _held,
    "answer_released": _released,
    "answer_sent": _answer,
    "answer_lost": _host_trouble("answer lost"),
    "answer_withheld": _host_trouble("answer withheld"),
    "request_refused": _host_trouble("request refused"),
    "tls_failed": _host_trouble("TLS failed"),
    "connection_open": _quiet(Lane.HOST, "connected"),
    "connection_closed": _quiet(Lane.HOST, "closed"),
    "intent": _intent,
    "outcome": _outcome,
    "resolution": _resolution,
    "ledger_row": _ledger_row,
    "settle_begin": _quiet(Lane.OUTCOME, "settling"),
    "settled": _settled,
}
