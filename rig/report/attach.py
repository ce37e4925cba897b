"""What Allure is told of a case: its verdict, its picture, its evidence."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path

import allure

from rig.history import Event
from rig.history.capture import slice_capture
from rig.report.played import played_html, played_svg, read_played
from rig.report.timeline import description_html, timeline_svg
from rig.report.transcripts import instrument_transcript, serial_log
from rig.verdict import CaseVerdict, Verdict

_SEVERITY = {Verdict.UNSAFE: allure.severity_level.BLOCKER, Verdict.NOT_AS_REQUIRED: allure.severity_level.CRITICAL}


def attach_case(verdict: CaseVerdict, events: Sequence[Event], run: Path) -> None:
    """Attach a case's evidence to the test that is running now."""
    allure.dynamic.title(verdict.title or verdict.case)
    allure.dynamic.label("bearer", verdict.bearer)
    allure.dynamic.label("verdict", verdict.verdict.words)
    allure.dynamic.severity(_SEVERITY.get(verdict.verdict, allure.severity_level.NORMAL))
    picture = timeline_svg(events, title=verdict.case, verdict=verdict.verdict.words)
    allure.dynamic.description_html(description_html(picture) + _attach_played(verdict, events, run))
    allure.attach(_verdict_text(verdict), "verdict", allure.attachment_type.TEXT)
    allure.attach(serial_log(events), "serial.log", allure.attachment_type.TEXT)
    allure.attach(instrument_transcript(events), "instruments", allure.attachment_type.TEXT)
    allure.attach("".join(event.to_line() + "\n" for event in events), "history.jsonl", "application/jsonl", "jsonl")
    capture = run / "wire.pcapng"
    if capture.exists() and events:
        packets = slice_capture(capture, _wall_ns(events[0]), _wall_ns(events[-1]))
        allure.attach(packets, "wire.pcapng", allure.attachment_type.PCAP, "pcapng")


def _attach_played(verdict: CaseVerdict, events: Sequence[Event], run: Path) -> str:
    """Attach the picture of each timeline that was played, and keep it in the run; returns them for the description."""
    shown = ""
    for number, played in enumerate(read_played(events), start=1):
        picture = played_svg(played)
        shown += played_html(played, picture)
        allure.attach(picture, f"timeline of {played.link}: {played.name}", allure.attachment_type.SVG)
        folder = run / "timelines"
        folder.mkdir(exist_ok=True)
        case = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in verdict.case).strip("-")
        (folder / f"{case}-{number}-{played.link}.svg").write_text(picture, encoding="utf-8")
    return shown


def _verdict_text(verdict: CaseVerdict) -> str:
    lines = [
        f"verdict   {verdict.verdict.words}",
        f"required  {', '.join(each.words for each in verdict.required)}",
        f"why       {verdict.why}",
    ]
    for breach in verdict.breaches:
        lines += [
            "",
            f"{breach.invariant}: {breach.why}",
            *(f"  rests on {reference}" for reference in breach.evidence),
        ]
    if verdict.not_judged:
        lines += ["", "not judged:", *(f"  {name}: {why}" for name, why in verdict.not_judged.items())]
    lines += ["", *(f"{name.replace('_', ' ')}: {count}" for name, count in verdict.counts.items())]
    return "\n".join(lines) + "\n"


def _wall_ns(event: Event) -> int:
    return round(datetime.datetime.fromisoformat(event.wall).timestamp() * 1e9)
