"""`rig compare` as far as it needs no bench: what is refused before anything boots, and stored runs told again."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rig import compare_command
from rig.cli import main
from tests.report.scorecard.made import Story

ROOT = Path(__file__).parents[1]
LIST = "wifi, ethernet, lte, umts, gprs, private, bluetooth, dialup"
Compare = Callable[..., tuple[int, str, str]]


@pytest.fixture
def booted(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The options of every suite that would have run."""
    found: list[list[str]] = []

    def boots(*_: Any, options: list[str], **__: Any) -> int:
        found.append(options)
        return 2

    monkeypatch.setattr(compare_command, "run_suite", boots)
    return found


@pytest.fixture
def compare(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], booted: list[list[str]]
) -> Compare:
    """Call the command in this process; returns exit code, output and errors."""
    monkeypatch.setenv("RIG_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(ROOT)

    def call(*arguments: object) -> tuple[int, str, str]:
        words = ["rig", "compare", "--reports", str(tmp_path / "reports"), *map(str, arguments)]
        monkeypatch.setattr(sys, "argv", words)
        with pytest.raises(SystemExit) as ended:
            main()
        said = capfd.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return call


def stored(folder: Path, outcome: str) -> Path:
    """A run of one sale on one bearer."""
    story = Story("wifi")
    with story.on("wifi", "ideal") as case:
        sale = case.sale()
        case.answer(case.request(sale, peer="10.64.1.2"))
        case.ends(sale, outcome, 1234)
    return story.write(folder)


@pytest.mark.parametrize(
    ("bearers", "says"),
    [
        ("wifi,nonsense", f"--bearers: this bench has no bearer 'nonsense' (use {LIST})"),
        ("wifi,", f"--bearers: a name is missing in 'wifi,' (use {LIST})"),
        ("", f"--bearers: a name is missing in '' (use {LIST})"),
        ("wifi, lte , wifi", "--bearers: 'wifi' is named twice (keep one of them)"),
    ],
)
def test_bearers_that_cannot_be_are_refused_before_anything_boots(
    compare: Compare, booted: list[list[str]], bearers: str, says: str
) -> None:
    assert compare("--bearers", bearers) == (2, "", f"rig: {says}\n")
    assert booted == []


def test_spaces_around_names_are_no_part_of_them(compare: Compare, booted: list[list[str]]) -> None:
    compare("--bearers", " wifi, lte ")
    compare()
    assert booted == [["--bearers", "wifi,lte"], []]


@pytest.mark.parametrize("every", ["inf", "nan", "-inf", "0"])
def test_a_keepalive_that_never_comes_is_refused(compare: Compare, booted: list[list[str]], every: str) -> None:
    code, said, wrong = compare("--keepalive-s", every)
    assert (code, said) == (2, "")
    assert "keepalive-s" in wrong
    assert "Traceback" not in wrong
    assert booted == []


def test_a_tariff_of_no_bearer_is_refused_before_anything_boots(
    compare: Compare, booted: list[list[str]], tmp_path: Path
) -> None:
    tariffs = tmp_path / "mine.yaml"
    tariffs.write_text("currency: EUR\nbearers:\n  ltee: {per_mb: 1}\n")
    code, _, wrong = compare("--tariffs", tariffs)
    assert code == 2
    assert f"mine.yaml: line 3, bearers.ltee: is neither a bearer of the bench ({LIST}) nor a kind" in wrong
    assert booted == []
    run = stored(tmp_path / "run", "approved")
    code, _, wrong = compare("--run", run, "--tariffs", tariffs)
    assert code == 2
    assert "bearers.ltee: is neither a bearer of the bench (wifi) nor a kind" in wrong
    assert not (run / "scorecard.json").exists()


@pytest.mark.parametrize(("outcome", "code"), [("approved", 0), ("declined", 1)])
def test_a_stored_run_told_again_has_its_own_exit_code(
    compare: Compare, tmp_path: Path, outcome: str, code: int
) -> None:
    run = stored(tmp_path / "run", outcome)
    got, said, _ = compare("--run", run, "--json")
    assert (got, json.loads(said)["exit_code"]) == (code, code)
    assert compare("--run", run)[0] == code


@pytest.mark.parametrize("option", [("--bench", "fixtures/benches/virtual.yaml"), ("--bearers", "wifi")])
def test_a_stored_run_takes_no_other_bench_and_bearers(
    compare: Compare, tmp_path: Path, option: tuple[str, str]
) -> None:
    run = stored(tmp_path / "run", "approved")
    code, _, wrong = compare("--run", run, *option)
    assert code == 2
    assert wrong.startswith(f"rig: {option[0]}: a stored run has its own bench and bearers")
    assert not (run / "scorecard.json").exists()
