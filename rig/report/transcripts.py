"""Dialogues as text: the cash-register line, and the instruments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rig.history import Event

_ECR = {"ecr_tx": "ECR → terminal", "ecr_rx": "terminal → ECR"}
_INSTRUMENT = {"instrument_tx": "→", "instrument_rx": "←"}


def serial_log(events: Sequence[Event]) -> str:
    """The cash-register dialogue: time, direction, name, bytes."""
    lines = []
    for event in events:
        if event.kind in _ECR:
            lines.append(
                f"{_clock(event)}  {_ECR[event.kind]:14}  {event.data.get('name', ''):24}  {event.data.get('data', '')}"
            )
        elif event.kind == "ecr_link":
            lines.append(f"{_clock(event)}  {event.data.get('what', '')}")
    return _text(lines)


def instrument_transcript(events: Sequence[Event]) -> str:
    """What was said to attenuators, modem and relay, and what they answered."""
    lines = [
        f"{_clock(event)}  {event.data.get('device', ''):16} {_INSTRUMENT[event.kind]} {event.data.get('line', '')}"
        for event in events
        if event.kind in _INSTRUMENT
    ]
    return _text(lines)


def _clock(event: Event) -> str:
    return event.wall[11:23]


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
