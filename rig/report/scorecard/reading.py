"""From a run's folder to its scorecard."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from rig.history import History, read_history
from rig.report.manifest import NAME as MANIFEST
from rig.report.manifest import write_manifest
from rig.report.scorecard.cells import Case, cases_of
from rig.report.scorecard.conclusion import conclude
from rig.report.scorecard.cost import cost_of
from rig.report.scorecard.datagrams import read_datagrams
from rig.report.scorecard.figures import Security, Traffic
from rig.report.scorecard.html import page
from rig.report.scorecard.limits import RADIO_MODEL
from rig.report.scorecard.links import Link, links_of
from rig.report.scorecard.model import BearerCard, Scorecard
from rig.report.scorecard.portability import portability_of
from rig.report.scorecard.security import security_of
from rig.report.scorecard.stability import stability_of
from rig.report.scorecard.tariffs import Tariffs
from rig.report.scorecard.wire import LARGEST, Wire
from rig.verdict import Verdict, judge


def scorecard_of(run: Path, tariffs: Tariffs, traffic: Traffic) -> Scorecard:
    """Reckon a run's scorecard from its stored files; the same files give the same scorecard.

    Args:
        run: the run's folder, with ``journals`` and, where there was a capture, ``wire.pcapng``.
        tariffs: the prices.
        traffic: what a month is reckoned for.
    """
    history = read_history(run / "journals")
    verdict = judge(history)
    links = links_of(history)
    captured = any((run / str(each.data.get("output", ""))).is_file() for each in history.of("capture_clock"))
    wire = Wire(read_datagrams(run, history, links), history) if captured else None
    cases = cases_of(history, verdict, links)
    bearers = tuple(
        _bearer(link, [case for case in cases if case.bearer == name], wire, history, tariffs, traffic)
        for name, link in links.items()
        if any(case.bearer == name for case in cases)
    )
    begin = next(iter(history.of("run_begin")), None)
    facts = begin.data if begin is not None else {}
    devices = facts.get("devices")
    card = Scorecard(
        run=run.resolve().name,
        bench=str(facts.get("bench", "")),
        rig=str(facts.get("rig", "")),
        backend=str(facts.get("network_backend", "unknown")),
        simulated=tuple(str(each) for each in told) if isinstance(told := facts.get("simulated"), list) else (),
        radio=RADIO_MODEL if history.of("radio") else "",
        devices={str(name): str(what) for name, what in devices.items()} if isinstance(devices, dict) else {},
        traffic=traffic,
        tariff=tariffs.source,
        tariff_note=tariffs.note,
        bearers=bearers,
        doubts=(*verdict.doubts, *_doubts(wire)),
        haste=max((each.data.get("haste", 1.0) for each in history.of("started")), default=1.0),
    )
    return conclude(card)


def write_scorecard(card: Scorecard, run: Path) -> Path:
    """Write ``scorecard.json`` and ``scorecard.html`` into a run's folder; returns the page.

    A report that is rendered afterwards holds the page among the attachments of the whole run.
    """
    html = page(card)
    (run / "scorecard.json").write_text(card.to_json(), encoding="utf-8")
    (run / "scorecard.html").write_text(html, encoding="utf-8")
    results = run / "allure-results"
    if results.is_dir():
        attachment = {"name": "Scorecard", "source": "scorecard-attachment.html", "type": "text/html"}
        (results / "scorecard-attachment.html").write_text(html, encoding="utf-8")
        (results / "scorecard-globals.json").write_text(json.dumps({"attachments": [attachment]}), encoding="utf-8")
    if (run / MANIFEST).is_file():
        write_manifest(run)
    return run / "scorecard.html"


def _bearer(
    link: Link, cases: list[Case], wire: Wire | None, history: History, tariffs: Tariffs, traffic: Traffic
) -> BearerCard:
    sound = [case for case in cases if case.verdict is not Verdict.BENCH_FAULT]
    return BearerCard(
        link.name,
        link.kind,
        stability_of(cases, link),
        cost_of(sound, link, wire, traffic, tariffs.of(link.name, link.kind), tariffs.currency),
        _security(cases, link, wire, history),
        portability_of(cases, link),
    )


def _security(cases: list[Case], link: Link, wire: Wire | None, history: History) -> Security:
    """What was seen in all cases, and the false hosts of those alone that the bench did not spoil.

    A refusal in a spoilt case proves nothing; what was given away in one is known to whoever got it all the same.
    """
    heeded = [
        case
        for case in cases
        if case.verdict is not Verdict.BENCH_FAULT or security_of([case], link, None, history).harmed
    ]
    fronts = security_of(heeded, link, None, history)
    return replace(security_of(cases, link, wire, history), hostile=fronts.hostile, not_tested=fronts.not_tested)


def _doubts(wire: Wire | None) -> list[str]:
    if wire is None:
        return ["there is no capture: bytes and what was visible are not known"]
    if wire.oversize:
        return [f"{wire.oversize} packets are larger than {LARGEST} bytes: the kernel joined them, headers are missing"]
    return []
