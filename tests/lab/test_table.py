"""The lab's table, report and exit code; no kernel is booted here."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from lab import __main__ as lab
from lab import install, junit, table
from lab.part import LabTrouble, Need, Row
from tools.check_skips import read_report

GOOD = Row("netem, Linux 6.1", "delay up", "20 ms", "p50 20.05 ms", "p50 ± 0.5 ms", True)
BAD = Row("user-space link", "order down", "50 ± 20 ms", "3 of 2,000 out of order", "0", False)
PYTEST_SAID = """<testsuites><testsuite name="pytest" errors="0" failures="0" skipped="{skipped}" tests="2">
<testcase classname="tests.bearers.test_netem" name="test_a"/>
<testcase classname="tests.bearers.test_netem" name="test_b">{mark}</testcase></testsuite></testsuites>"""
SKIPPED = PYTEST_SAID.format(skipped=1, mark='<skipped message="kernel has no sch_netem"/>')
PASSED = PYTEST_SAID.format(skipped=0, mark="")


def part(name: str, monkeypatch: pytest.MonkeyPatch, needs: tuple[Need, ...] = (), **made: Any) -> str:
    """A part of the lab that does as it is told."""

    def run(folder: Path) -> list[Row]:
        if "raises" in made:
            raise made["raises"]
        if "report" in made:
            (folder / "tests.xml").write_text(made["report"])
        return list(made.get("rows", ()))

    module = ModuleType(f"lab.{name}")
    vars(module).update(NEEDS=needs, run=run)
    monkeypatch.setitem(sys.modules, f"lab.{name}", module)
    monkeypatch.setattr(lab, "PARTS", ("one", "two"))
    return name


def test_the_table_has_each_row_under_its_part_and_ends_with_the_count() -> None:
    lines = table.render([GOOD, BAD], {"wifi": "no hostapd"}).splitlines()
    assert lines.index("netem, Linux 6.1") < lines.index("user-space link")
    assert [line.split()[-1] for line in lines if "delay up" in line] == ["held"]
    assert [line.endswith("DID NOT HOLD") for line in lines if line.startswith("  order down")] == [True]
    assert lines[-3].startswith("did not hold: user-space link: order down: 50 ± 20 ms: 3 of 2,000 out of order")
    assert lines[-2] == "wifi could not run: no hostapd"
    assert lines[-1] == "lab: 1 of 2 held; wifi could not run"


def test_its_columns_stand_below_each_other() -> None:
    lines = table.render([GOOD, BAD], {}).splitlines()
    good, bad = (next(line for line in lines if row.measured in line) for row in (GOOD, BAD))
    assert good.index(GOOD.measured) == bad.index(BAD.measured)
    assert good.index("held") == bad.index("DID NOT HOLD")


@pytest.mark.parametrize(
    ("one", "code"),
    [
        ({"rows": [GOOD]}, 0),
        ({"rows": [GOOD, BAD]}, 1),
        ({"rows": []}, 2),
        ({"raises": LabTrouble("no kernel")}, 2),
        ({"raises": ZeroDivisionError("a mistake of the part")}, 2),
    ],
)
def test_the_exit_code_is_the_truth(one: dict[str, Any], code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert lab.main([part("one", monkeypatch, **one)]) == code


def test_a_part_that_breaks_hides_nothing_of_the_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    part("one", monkeypatch, raises=LabTrouble("no kernel"))
    part("two", monkeypatch, rows=[BAD])
    assert lab.main(["--json", str(tmp_path / "lab.json")]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "lab: 0 of 1 held; one could not run"
    assert "no kernel" in (tmp_path / "lab.json").read_text()


def test_what_may_not_be_installed_is_named_and_has_its_own_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    need = (Need("/nowhere/hostapd", "hostapd"),)
    part("one", monkeypatch, needs=need, rows=[GOOD])
    part("two", monkeypatch, rows=[GOOD])
    monkeypatch.setattr(lab, "install", lambda packages: f"that needs root: apt-get install {packages[0]}")
    assert lab.main([]) == 3
    out = capsys.readouterr().out
    assert "one could not run: lacks hostapd: that needs root: apt-get install hostapd" in out
    assert out.endswith("lab: 1 of 1 held; one could not run\n")


def test_an_unknown_part_is_the_callers_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit) as ended:
        lab.main(["netm"])
    assert ended.value.code == 2


def test_without_root_and_sudo_the_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr("shutil.which", lambda program: None if program == "sudo" else f"/usr/bin/{program}")
    assert "apt-get install hostapd iw" in install.install(["hostapd", "iw"])
    assert install.missing_packages([Need("/nowhere", "iw"), Need("/nowhere", "iw"), Need("/", "base")]) == ["iw"]


def test_the_report_has_every_row_and_every_test(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    part("one", monkeypatch, rows=[GOOD, BAD], report=SKIPPED)
    part("two", monkeypatch, raises=LabTrouble("no kernel"))
    lab.main(["--junit-xml", str(tmp_path / "lab.xml")])
    text = (tmp_path / "lab.xml").read_text()
    root = ElementTree.fromstring(text)
    assert [(s.get("tests"), s.get("failures"), s.get("errors")) for s in root] == [("3", "1", "1"), ("2", "0", "0")]
    cases, skips = read_report(text)
    assert cases == 5
    assert [skip.reason for skip in skips] == ["kernel has no sch_netem"]


@pytest.mark.parametrize(("said", "code", "ok"), [(PASSED, 0, True), (PASSED, 1, False), (SKIPPED, 0, False)])
def test_tests_hold_where_all_passed_and_none_was_skipped(tmp_path: Path, said: str, code: int, ok: bool) -> None:
    report = tmp_path / "tests.xml"
    report.write_text(said)
    assert junit.tests_row("netem", "tests", report, code).ok is ok


def test_tests_that_did_not_run_are_the_labs_trouble(tmp_path: Path) -> None:
    with pytest.raises(LabTrouble, match="left no report"):
        junit.tests_row("netem", "tests", tmp_path / "none.xml", 4)


def test_a_row_survives_its_way_through_a_file() -> None:
    assert Row.from_dict(BAD.to_dict()) == BAD
