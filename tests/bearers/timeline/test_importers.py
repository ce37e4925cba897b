"""Importers: traces and logs of the field, and whatever is none."""

from __future__ import annotations

import math
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.bearers.impairment import CUT
from rig.bearers.timeline.bursts import bursts_of, fit_bursts
from rig.bearers.timeline.fieldlog import PROBE_LIMITED, FieldRecipe, import_log
from rig.bearers.timeline.mahimahi import MahimahiRecipe, import_mahimahi
from rig.bearers.timeline.model import Timeline
from rig.errors import CallerMistake


def file(folder: Path, text: str | bytes, name: str = "trace") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def log(folder: Path, text: str, **recipe: object) -> Timeline:
    return import_log(file(folder, text, "log.csv"), FieldRecipe(**recipe))  # type: ignore[arg-type]


# --- mahimahi ---------------------------------------------------------------------------------------------------------


def test_packets_become_rates_and_the_trace_loops(tmp_path: Path) -> None:
    every_ms = "\n".join(str(t) for t in range(1, 201))  # one packet a millisecond: 12 Mbit/s
    timeline = import_mahimahi(file(tmp_path, every_ms))
    assert timeline.loop
    assert timeline.duration_ms == 200
    assert timeline.steps[0].down.rate_kbit == pytest.approx(12_000, rel=0.02)
    assert timeline.steps[0].up == timeline.steps[0].down
    assert timeline.steps[0].down.overhead.wire_bytes(1514) == 1500
    assert "up is as down" in timeline.assumptions


def test_a_long_pause_is_an_outage_and_a_short_one_a_slow_time(tmp_path: Path) -> None:
    lines = [*range(500), *range(3000, 3500), 3900, *range(4000, 4401)]
    timeline = import_mahimahi(file(tmp_path, "\n".join(map(str, lines))))
    cuts = [step.at_ms for step in timeline.steps if step.is_cut]
    assert cuts == [500]
    assert timeline.at(2999).down == CUT
    assert not timeline.at(3000).is_cut
    slow = timeline.at(3600)
    assert slow.at_ms == 3500
    assert slow.down.rate_kbit == pytest.approx(1500 * 8 / 500)


def test_two_directions(tmp_path: Path) -> None:
    down = file(tmp_path, "\n".join(str(t) for t in range(1, 1001)), "down")
    up = file(tmp_path, "\n".join(str(t) for t in range(10, 801, 10)), "up")
    timeline = import_mahimahi(down, up, MahimahiRecipe(delay_ms=20))
    assert timeline.duration_ms == 800
    first = timeline.steps[0]
    assert (first.up.delay_ms, first.down.delay_ms) == (20, 20)
    assert first.up.rate_kbit == pytest.approx(1200, rel=0.15)
    assert first.down.rate_kbit == pytest.approx(12_000, rel=0.02)
    assert any("shorter trace" in each for each in timeline.assumptions)


@given(st.lists(st.integers(0, 20_000), min_size=1, max_size=300).map(sorted), st.sampled_from([50, 100, 330]))
def test_no_packet_of_a_trace_is_forgotten(
    tmp_path_factory: pytest.TempPathFactory, times: list[int], step_ms: int
) -> None:
    times[-1] = max(times[-1], 500)
    path = file(tmp_path_factory.getbasetemp(), "\n".join(map(str, times)))
    timeline = import_mahimahi(path, recipe=MahimahiRecipe(step_ms=step_ms))
    ends = [*(step.at_ms for step in timeline.steps[1:]), timeline.duration_ms]
    bits = sum(
        (step.down.rate_kbit or 0) * (end - step.at_ms)
        for step, end in zip(timeline.steps, ends, strict=True)
        if not step.is_cut
    )
    assert bits == pytest.approx(len(times) * 12_000, rel=0.01, abs=100)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        (bytes(range(200, 256)), "not text"),
        (b"1\n\x00\n", "zero bytes"),
        ("1\nNaN\n", r"line 2: 'NaN' is no millisecond"),
        ("1\n-5\n", r"line 2: '-5' is no millisecond"),
        ("1\n2.5\n", r"line 2: '2.5'"),
        ("1\n" + "9" * 5000, r"line 2: '9+' is no millisecond"),
        ("7\n3\n", r"line 2: 3 ms comes after 7 ms"),
        ("0\n0\n", "never begins again"),
        ("10\n20\n", "too short for a step"),
    ],
)
def test_what_is_no_trace_is_refused_by_its_line(tmp_path: Path, content: str | bytes, said: str) -> None:
    with pytest.raises(CallerMistake, match=said):
        import_mahimahi(file(tmp_path, content))


# --- field logs -------------------------------------------------------------------------------------------------------


def test_round_trips_are_split_and_the_benchs_own_taken_away(tmp_path: Path) -> None:
    text = "time_s,rtt_ms,rssi_dbm\n100,50,-60\n101,90,-70\n102,4,-71\n"
    timeline = log(tmp_path, text, baseline_rtt_ms=10, up_share=0.25)
    assert [step.at_ms for step in timeline.steps] == [0, 1000, 2000]
    assert [step.up.delay_ms for step in timeline.steps] == [10, 20, 0]
    assert [step.down.delay_ms for step in timeline.steps] == [30, 60, 0]
    assert [step.rssi_dbm for step in timeline.steps] == [-60, -70, -71]
    assert timeline.duration_ms == 3000
    assert any(each.startswith("25%") for each in timeline.assumptions)
    assert any("10 ms of it are the bench's own" in each for each in timeline.assumptions)


def test_mapped_names_other_units_and_separators(tmp_path: Path) -> None:
    text = (
        "Timestamp;PINGAVG;PINGLOSS;DL;UL;Cell\n2026-03-01T12:00:00;50;0.1;2;500;7\n2026-03-01T12:00:01.5;60;0;3;;7\n"
    )
    mapping = {
        "Timestamp": "time_iso", "PINGAVG": "rtt_ms", "PINGLOSS": "loss_ratio", "DL": "down_mbit", "UL": "up_kbit",
    }  # fmt: skip
    timeline = log(tmp_path, text, mapping=mapping)
    first, second = timeline.steps
    assert second.at_ms == 1500
    assert (first.down.rate_kbit, first.up.rate_kbit, second.up.rate_kbit) == (2000, 500, 500)
    assert first.loss_percent == pytest.approx(10, abs=0.01)
    assert PROBE_LIMITED in timeline.assumptions
    assert "1 rows without up_kbit: the value before holds" in timeline.assumptions
    assert "columns that are not used: Cell" in timeline.assumptions


def test_long_losses_are_an_outage_and_short_ones_bursts(tmp_path: Path) -> None:
    lost = {5, 6, 12, 20, 21, 22, 23, 24}
    rows = "".join(f"{t / 2},{'' if t in lost else 40}\n" for t in range(40))
    timeline = log(tmp_path, "time_s,rtt_ms\n" + rows)
    assert [step.at_ms for step in timeline.steps if step.is_cut] == [10_000]
    assert timeline.at(12_500).up.burst_loss is not None
    burst = timeline.steps[0].up.burst_loss
    assert burst is not None
    assert burst.mean_bad_packets == pytest.approx(1.5)
    assert timeline.steps[0].loss_percent == pytest.approx(100 * 3 / 35, abs=0.1)


def test_shares_of_loss_stay_what_they_are_and_all_lost_is_a_cut(tmp_path: Path) -> None:
    text = "time_s,rtt_ms,loss_percent\n0,40,0\n1,40,20\n2,,100\n3,40,5\n"
    timeline = log(tmp_path, text)
    assert [step.is_cut for step in timeline.steps] == [False, False, True, False]
    assert timeline.steps[1].up.burst_loss is None
    burst = log(tmp_path, text, mean_burst=4).steps[1].up.burst_loss
    assert burst is not None
    assert burst.mean_bad_packets == 4


def test_rows_close_together_share_a_step(tmp_path: Path) -> None:
    rows = "".join(f"{t},{10 + t % 7}\n" for t in range(0, 1000, 10))
    timeline = log(tmp_path, "time_ms,rtt_ms\n" + rows)
    assert all(b.at_ms - a.at_ms >= 100 for a, b in zip(timeline.steps, timeline.steps[1:], strict=False))
    assert len(timeline.steps) <= 10


def test_a_packet_lost_within_a_step_is_not_forgotten(tmp_path: Path) -> None:
    """Four rows of five were answered: a fifth is lost, and not none because the step has a round trip."""
    rows = "".join(f"{20 * n},{'' if n % 5 == 4 else 40}\n" for n in range(50))
    timeline = log(tmp_path, "time_ms,rtt_ms\n" + rows)
    assert [step.loss_percent for step in timeline.steps] == [pytest.approx(20, abs=0.01)]


def test_rows_in_any_order_only_where_asked(tmp_path: Path) -> None:
    text = "time_s,rtt_ms\n1,20\n0,10\n"
    with pytest.raises(CallerMistake, match=r"row 3: is 1000 ms before row 2"):
        log(tmp_path, text)
    assert [step.rtt_ms for step in log(tmp_path, text, sort=True).steps] == [10, 20]


def test_the_signal_can_be_an_attenuators_target(tmp_path: Path) -> None:
    timeline = log(tmp_path, "time_s,rtt_ms,rssi_dbm\n0,40,-60\n1,40,-95.4\n", reference_dbm=-70)
    assert [step.attenuation_db for step in timeline.steps] == [0, 25]


def test_a_stretch(tmp_path: Path) -> None:
    rows = "".join(f"{t},{t}\n" for t in range(100))
    timeline = log(tmp_path, "time_s,rtt_ms\n" + rows, begin_ms=60_000, end_ms=70_000)
    assert [step.rtt_ms for step in timeline.steps] == list(range(60, 70))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        ("time_s,rtt_ms\n", "holds no sample"),
        ("time_s,rtt_ms\n0,\n1,\n", "holds no sample of rtt_ms"),
        ("0,10\n1,20\n", "no time with a unit"),
        ("time,rtt_ms\n0,10\n", "no time with a unit among time, rtt_ms"),
        ("time_s,rssi_dbm\n0,-60\n", "says nothing of the network"),
        ("time_s,rtt_ms,rtt_s\n0,1,1\n", "rtt_ms in two columns"),
        ("time_s,rtt_ms\n0,nan\n", r"row 2, rtt_ms: nan is no measurement"),
        ("time_s,rtt_ms\n0,1\ninf,1\n", r"row 3, time_s: inf is no measurement"),
        ("time_s,rtt_ms\n0,fast\n", r"row 2, rtt_ms: 'fast' is not a number"),
        ("time_s,rtt_ms\n0,-3\n", r"row 2, rtt_ms: -3 is outside 0 to"),
        ("time_s,rtt_ms,loss_percent\n0,3,110\n", r"loss_percent: 110 is outside 0 to 100"),
        ("time_s,rtt_ms,rssi_dbm\n0,3,60\n", r"rssi_dbm: 60 is outside -150 to 0 .*unit"),
        ("time_s,rtt_ms\n0,3\n1\n", r"row 3: has 1 cells for 2 columns"),
        ("time_s,rtt_ms\n0,3\n,4\n", r"row 3: has no time"),
        ("time_s,rtt_ms\n0,3\n60,4\n", r"row 3: comes 60000 ms after row 2: a gap"),
        ("time_iso,rtt_ms\nnoon,3\n", r"row 2, time_iso: 'noon' is no time of ISO 8601"),
    ],
)
def test_what_is_no_log_is_refused_by_its_row(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(CallerMistake, match=said):
        log(tmp_path, content)


def test_mistakes_of_the_recipe(tmp_path: Path) -> None:
    text = "time_s,rtt_ms\n0,10\n"
    with pytest.raises(CallerMistake, match="no column 'PING'"):
        log(tmp_path, text, mapping={"PING": "rtt_ms"})
    with pytest.raises(CallerMistake, match="'ping' is no column of ours"):
        log(tmp_path, text, mapping={"rtt_ms": "ping"})
    with pytest.raises(CallerMistake, match="up_share"):
        log(tmp_path, text, up_share=50)
    with pytest.raises(CallerMistake, match="no row from"):
        log(tmp_path, text, begin_ms=5000)


# --- bursts -----------------------------------------------------------------------------------------------------------


@given(st.floats(0.1, 90), st.floats(1, 50))
def test_the_chain_has_the_moments_that_it_was_made_of(loss: float, burst: float) -> None:
    chain = bursts_of(loss, burst)
    if chain.to_bad_percent < 100:
        assert chain.mean_loss_percent == pytest.approx(loss, rel=1e-3)
    assert chain.mean_bad_packets == pytest.approx(burst, rel=1e-4)


def test_a_fit_finds_the_chain_that_made_the_losses() -> None:
    dice, bad, lost = random.Random(1), False, []
    for _ in range(200_000):
        lost.append(bad)
        bad = dice.random() >= 0.3 if bad else dice.random() < 0.05
    chain = fit_bursts(lost)
    assert chain is not None
    assert chain.to_bad_percent == pytest.approx(5, rel=0.03)
    assert chain.to_good_percent == pytest.approx(30, rel=0.03)


def test_nothing_to_fit() -> None:
    assert fit_bursts([]) is None
    assert fit_bursts([False] * 5) is None
    assert fit_bursts([True] * 5) is None
    assert not math.isnan(fit_bursts([True, False, True]).to_bad_percent)  # type: ignore[union-attr]
