"""RF paths on paper: what would break an attenuator, or cannot be, is refused before anything radiates."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.bench.parts.base import WrongField
from rig.bench.parts.instruments import Attenuator, RfPath
from rig.bench.rf import check_paths, fixed_loss, power_budget
from rig.errors import CallerMistake
from rig.units import Dbm, Decibel


def box(limit: float | None = 20.0) -> Attenuator:
    return Attenuator(resource="TCPIP::192.0.2.1::23::SOCKET", max_input_dbm=limit)


def path(**fields: Any) -> RfPath:
    return RfPath(attenuator="rf", **{"channel": 1, **fields})


def refused(**paths: RfPath) -> str:
    with pytest.raises(WrongField) as caught:
        check_paths({"rf": box()}, paths)
    return str(caught.value)


@given(st.floats(-50, 60), st.floats(0, 100), st.floats(-50, 60))
def test_a_path_is_refused_where_the_terminal_could_break_the_box(power: float, pad: float, limit: float) -> None:
    place = path(terminal_power_dbm=power, pad_db=pad)
    budget = power_budget(place, box(limit))
    assert budget is not None
    assert budget.margin == pytest.approx(limit - (power - pad))
    if power - pad > limit + 1e-6:
        with pytest.raises(WrongField, match=r"a pad of .* dB or more is needed"):
            check_paths({"rf": box(limit)}, {"main": place})
    elif power - pad < limit - 1e-6:
        check_paths({"rf": box(limit)}, {"main": place})


def test_the_pad_that_is_needed_is_named() -> None:
    told = refused(main=path(terminal_power_dbm=33, pad_db=3))
    assert "33 dBm - 3 dB of pad = 30 dBm into attenuator rf, which bears 20 dBm: a pad of 13 dB or more" in told


@pytest.mark.parametrize("missing", [{"terminal_power_dbm": None}, {}])
def test_without_a_power_or_a_limit_there_is_nothing_to_reckon(missing: dict[str, Any]) -> None:
    check_paths({"rf": box(None)}, {"main": path(**{"terminal_power_dbm": 33, **missing})})


def test_one_channel_belongs_to_one_path() -> None:
    assert "channel 1 of rf is that of path main already" in refused(main=path(), other=path(channel=1))


def test_a_pad_is_part_of_the_loss() -> None:
    assert "20 dB is more than the whole loss of 12 dB" in refused(main=path(pad_db=20, loss_db={800: 12, 1800: 30}))


def test_a_frequency_outside_the_table_is_refused() -> None:
    assert "2600 MHz is outside" in refused(main=path(frequency_mhz=2600, loss_db={800: 40, 1800: 42}))


def test_the_loss_between_two_frequencies_is_interpolated() -> None:
    place = path(loss_db={1800: 42, 800: 40})
    assert [fixed_loss(place, mhz) for mhz in (800, 1300, 1800)] == [Decibel(40), Decibel(41), Decibel(42)]
    with pytest.raises(CallerMistake, match="rig bench calibrate"):
        fixed_loss(path(), 800)


def test_what_arrives_at_the_box() -> None:
    budget = power_budget(path(terminal_power_dbm=25, pad_db=20), box())
    assert budget is not None
    assert (budget.at_input, budget.margin) == (Dbm(5), Decibel(15))
