"""A terminal that falls back from 4G to 3G to 2G and returns, and one that is handed over: with sales on the way."""

from __future__ import annotations

import json
from typing import Any

import yaml

from tests.system.rigs import Rig

HEAD = """
import pytest
from rig.units import Decibel
from rig.verdict import Verdict

pytestmark = [
    pytest.mark.requires(Verdict.COMPLETED),
    pytest.mark.parametrize("bearer", ["cellular"], indirect=True),
]
"""

FALLBACK = """
def test_fallback(bench, bearer):
    for number, (loss, technology) in enumerate([(0, "LTE"), (51, "UTRAN"), (57, "GSM"), (0, "LTE")]):
        bench.attenuate("lte-main", Decibel(loss))
        signal = bench.wait_for_signal(lambda signal: signal.registered and signal.technology == technology)
        assert signal.level is not None
        assert bench.sale(7_00 + number, "visa-credit").approved
"""

HANDOVER = """
def test_handover(bench, bearer):
    bench.attenuate("lte-second", Decibel(40))
    first = bench.wait_for_signal(lambda signal: signal.registered)
    assert bench.sale(7_10, "visa-credit").approved
    for step in range(0, 44, 4):
        bench.attenuate("lte-main", Decibel(step))
        bench.attenuate("lte-second", Decibel(40 - step))
    second = bench.wait_for_signal(lambda signal: signal.registered and signal.cell != first.cell)
    assert second.technology == first.technology == "LTE"
    assert not first.same_place_as(second)
    assert bench.sale(7_11, "visa-credit").approved
"""

FADE = """
def test_fade(bench, bearer):
    signals = bench.stage.signals
    before = bench.wait_for_signal(lambda signal: signal.level is not None)
    fade = signals.fade("lte-main", [(0, 0), (600, 30), (1000, 20)])
    assert bench.sale(7_20, "visa-credit").approved
    assert fade.wait(10).why == "played to its end"
    bench.wait_for_signal(lambda signal: signal.level is not None and abs(before.level - signal.level - 20) <= 1)
    long = signals.fade("lte-main", [(0, 20), (60_000, 40)])
    bench.attenuate("lte-main", Decibel(0))
    assert long.wait(0).why == "stopped"
    signals.fade("lte-main", [(0, 0), (60_000, 40)])  # ends with the case
"""

LIAR = """
def test_liar(bench, bearer):
    bench.fail(bearer, "out-of-range")
    assert not bench.sale(7_30, "visa-credit").approved
"""


def run(rig: Rig, case: str, **radio: Any) -> tuple[int, dict[str, Any]]:
    """A case on a bench whose radio has other settings."""
    raw = yaml.safe_load(rig.bench.read_text())
    raw["paths"]["lte-second"] = {"attenuator": "rf", "channel": 2}
    raw["terminal"]["connect_timeout_s"] = 4
    raw["terminal"]["response_timeout_s"] = 2.5  # for half a second there and back by 2G
    raw["simulation"]["devices"]["radio"]["settings"] |= radio
    rig.bench.write_text(yaml.safe_dump(raw, sort_keys=False))
    suite = rig.folder / "test_it.py"
    suite.write_text(HEAD + case)
    done = rig.call("run", "--bench", str(rig.bench), "--reports", str(rig.reports), "--json", "--suite", str(suite))
    assert done.stdout.strip(), done.stderr
    return done.returncode, json.loads(done.stdout)


def test_sales_complete_by_4g_by_3g_and_by_2g(rig: Rig) -> None:
    code, summary = run(rig, FALLBACK, technologies=["LTE", "UTRAN", "GSM"], haste=10)
    assert code == 0, summary
    technologies = [event.data["technology"] for event in rig.history().of("radio") if event.data["registered"]]
    assert list(dict.fromkeys(technologies)) == ["LTE", "UTRAN", "GSM"]
    assert technologies[-1] == "LTE"


def test_a_sale_before_and_one_after_a_handover(rig: Rig) -> None:
    code, summary = run(rig, HANDOVER, neighbour={"channel": 2})
    assert code == 0, summary
    cells = {event.data["cell"] for event in rig.history().of("radio") if event.data["registered"]}
    assert cells == {"00C3D4E5", "00C3D4E6"}


def test_a_fade_plays_beside_a_sale_and_ends_with_its_case(rig: Rig) -> None:
    code, summary = run(rig, FADE)
    assert code == 0, summary
    history = rig.history()
    assert [event.data["why"] for event in history.of("fade_end")] == ["played to its end", "stopped", "stopped"]
    assert [event.data["by"] for event in history.of("fade_begin")] == ["rig"] * 3  # an RC4DAT has no hop mode
    assert history.of("attenuation")[-1].data["read_back"] == 0


def test_a_box_that_lies_is_the_benchs_fault_and_never_the_terminals(rig: Rig) -> None:
    raw = yaml.safe_load(rig.bench.read_text())
    raw["simulation"]["devices"]["attenuator"]["settings"]["faults"] = [{"kind": "lying", "channel": 1}]
    rig.bench.write_text(yaml.safe_dump(raw, sort_keys=False))
    code, summary = run(rig, LIAR)
    assert (code, summary["verdicts"]["bench_fault"], summary["unsafe"]) == (2, 1, [])
    assert "attenuator and reader disagree" in rig.history().of("bench_fault")[0].data["what"]
