from __future__ import annotations

from typing import Any

from rig.history import Event
from rig.report.transcripts import instrument_transcript, serial_log


def event(kind: str, **data: Any) -> Event:
    return Event("boot", 1, "rig", 1, 1, kind, data, "2026-03-01T10:11:12.131415+00:00")


EVENTS = [
    event("ecr_tx", name="AUTHORISATION", data="060107"),
    event("instrument_tx", device="attenuator", line=":SETATT=10"),
    event("ecr_rx", name="POSITIVE", data="800000"),
    event("instrument_rx", device="attenuator", line="1"),
    event("ecr_link", what="connection lost"),
]


def test_the_dialogue_of_the_cash_register() -> None:
    assert serial_log(EVENTS).splitlines() == [
        "10:11:12.131  ECR → terminal  AUTHORISATION             060107",
        "10:11:12.131  terminal → ECR  POSITIVE                  800000",
        "10:11:12.131  connection lost",
    ]


def test_the_dialogue_with_the_instruments() -> None:
    assert instrument_transcript(EVENTS).splitlines() == [
        "10:11:12.131  attenuator       → :SETATT=10",
        "10:11:12.131  attenuator       ← 1",
    ]


def test_silence_is_an_empty_text() -> None:
    assert serial_log([]) == instrument_transcript([]) == ""
