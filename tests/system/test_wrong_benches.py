"""What is wrong with a bench of many bearers is told by name, with a cure; nothing is left of the attempt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from tests.system.rigs import Rig
from tests.system.test_bearers_killed import every_bearer

Raw = dict[str, Any]

CASE = """
import pytest
from rig.verdict import Verdict
from rig.units import Dbm, Decibel
from rig.errors import CallerMistake

@pytest.mark.requires(Verdict.COMPLETED)
def test_it(bench):
    with pytest.raises(CallerMistake, match="no such RF path on this bench .*there are lte-main, "):
        bench.attenuate("nowhere", Decibel(10))
    with pytest.raises(CallerMistake, match="no such RF path"):
        bench.set_signal("nowhere", Dbm(-100))
    for wrong in (-1, 95.25, 10.1, float("nan"), float("inf")):
        with pytest.raises(CallerMistake, match="attenuator rf"):
            bench.attenuate("lte-main", Decibel(wrong))
    assert bench.stage.signals.attenuation("lte-main") == 0
    with pytest.raises(CallerMistake, match="path lte-main: -20 dBm is outside what it can do"):
        bench.set_signal("lte-main", Dbm(-20))
    with pytest.raises(CallerMistake, match="no such bearer on this bench"):
        bench.use_only("wifi", "satellite")
    with pytest.raises(CallerMistake, match="no such bearer on this bench"):
        bench.bring_back("satellite")
    assert bench.set_signal("lte-main", Dbm(-95)).after.registered
    assert bench.sale(1234, "visa-credit").approved
"""


def run(rig: Rig, change: Callable[[Raw], object], case: str = CASE) -> tuple[int, str]:
    """A case on a changed bench: exit code, and everything that was said."""
    every_bearer(rig)
    raw: Raw = yaml.safe_load(rig.bench.read_text())
    change(raw)
    rig.bench.write_text(yaml.safe_dump(raw, sort_keys=False))
    suite = rig.folder / "test_it.py"
    suite.write_text(case)
    done = rig.call("run", "--bench", str(rig.bench), "--reports", str(rig.reports), "--suite", str(suite))
    return done.returncode, " ".join((done.stdout + done.stderr).split())


def test_a_case_that_asks_for_what_cannot_be_is_told_and_nothing_moved(rig: Rig) -> None:
    code, said = run(rig, lambda raw: None)
    assert code == 0, said


SELL = """
import pytest
from rig.verdict import Verdict

@pytest.mark.requires(Verdict.COMPLETED)
@pytest.mark.parametrize("bearer", ["lte"], indirect=True)
def test_it(bench, bearer):
    assert bench.sale(1234, "visa-credit").approved
"""

WRONG: dict[str, tuple[Callable[[Raw], object], tuple[str, ...]]] = {
    "box gone": (
        lambda raw: raw["attenuators"]["rf"].update(resource="TCPIP::127.0.0.1::2399::SOCKET"),
        ("attenuator rf", "2399"),
    ),
    "another box behind the address": (
        lambda raw: raw["attenuators"]["rf"].update(resource="TCPIP::127.0.0.1::3001::SOCKET"),
        ("attenuator rf",),
    ),
    "no modem but a card reader": (lambda raw: raw["modems"]["lte"].update(port="reader.tty"), ("modem lte",)),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_bench_that_is_not_as_its_file_says_is_told_by_name(rig: Rig, what: str) -> None:
    change, named = WRONG[what]
    code, said = run(rig, change, SELL)
    assert code == 2, said
    assert all(each in said for each in named), said
    # what cannot be read back is not called clean; nothing of the run is left all the same
    assert set(rig.doctor()) <= {"last session"}
    restored = {event.data["device"]: event.data["clean"] for event in rig.history().of("restored")}
    assert [name for name, clean in restored.items() if not clean] in ([], ["attenuator rf"])
    assert restored["power"]
    assert restored["attenuator short"]
