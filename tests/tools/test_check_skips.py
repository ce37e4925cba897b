"""Skipped tests against a committed list: what pytest itself writes is read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tools.check_skips import Allowed, Skip, main, read_list, read_report, unlisted

LIST = Path(__file__).resolve().parents[2] / ".ci/skips.txt"

TESTS = """
import pytest
@pytest.mark.parametrize("value", ["a.b::c", "d"])
def test_each(value): pytest.skip("no such device")
class TestGroup:
    @pytest.mark.skip(reason="not today")
    def test_inside(self): pass
@pytest.mark.xfail(reason="known to fail")
def test_expected(): assert False
def test_passes(): pass
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of pytest's own."""
    folder = tmp_path_factory.mktemp("skips")
    (folder / "tests").mkdir()
    (folder / "tests/test_some.py").write_text(TESTS)
    (folder / "tests/test_whole.py").write_text(
        "import pytest\npytest.skip(\"the 'whole' file\", allow_module_level=True)\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junit-xml=report.xml", "tests"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder / "report.xml"


def test_every_skip_of_a_report_is_found(report: Path) -> None:
    tests, skips = read_report(report.read_text())
    assert tests == 6
    assert sorted(skips, key=str) == sorted(
        [
            Skip("tests/test_some.py::test_each[a.b::c]", "no such device"),
            Skip("tests/test_some.py::test_each[d]", "no such device"),
            Skip("tests/test_some.py::TestGroup::test_inside", "not today"),
            Skip("tests/test_some.py::test_expected", "known to fail"),
            Skip("tests/test_whole.py", "the 'whole' file"),
        ],
        key=str,
    )


def test_a_skip_that_is_not_listed_fails_and_is_said(
    report: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "list").write_text("no such device\nknown to fail\ntests/test_whole.py — the 'whole' file\n")
    assert main([str(report), str(tmp_path / "list")]) == 1
    said = capsys.readouterr().out
    assert "tests/test_some.py::TestGroup::test_inside — not today" in said
    assert "5 of 6 tests, 1 not on the list" in said
    with (tmp_path / "list").open("a") as file:
        file.write("not today\n")
    assert main([str(report), str(tmp_path / "list")]) == 0


def test_without_a_list_nothing_may_be_skipped(report: Path) -> None:
    assert main([str(report)]) == 1


def test_a_report_of_nothing_is_no_success(tmp_path: Path) -> None:
    (tmp_path / "empty.xml").write_text("<testsuites><testsuite/></testsuites>")
    assert main([str(tmp_path / "empty.xml")]) == 1


@pytest.mark.parametrize(
    ("entry", "covered"),
    [
        (Allowed("why"), True),
        (Allowed("wh"), False),
        (Allowed("why", "tests/test_a.py"), True),
        (Allowed("why", "tests/test_a.py::test_b"), True),
        (Allowed("why", "tests/test_a.py::test_b[1]"), True),
        (Allowed("why", "tests/test_a.py::test"), False),
        (Allowed("why", "tests/test_b.py"), False),
        (Allowed("another reason", "tests/test_a.py"), False),
    ],
)
def test_what_an_entry_covers(entry: Allowed, covered: bool) -> None:
    skip = Skip("tests/test_a.py::test_b[1]", "why")
    assert (unlisted([skip], [entry]) == []) is covered


def test_the_committed_list_reads_and_has_nothing_twice() -> None:
    entries = read_list(LIST.read_text())
    assert entries
    assert len(set(entries)) == len(entries)
