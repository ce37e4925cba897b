"""The `rig` command as people and programs call it, as far as it needs no bench."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509

from rig import __version__
from rig.cli import main

ROOT = Path(__file__).parents[1]
VIRTUAL = ROOT / "fixtures/benches/virtual.yaml"


@dataclass(frozen=True)
class Said:
    """What the command said, and its exit code."""

    code: int
    stdout: str
    stderr: str


Rig = Callable[..., Said]


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Rig:
    """Call the command in this process, with a state directory of the test's own."""
    monkeypatch.setenv("RIG_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.chdir(ROOT)

    def call(*arguments: str | Path) -> Said:
        monkeypatch.setattr(sys, "argv", ["rig", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capfd.readouterr()
        return Said(int(ended.value.code or 0), said.out, said.err)

    return call


def assert_one_line_error(done: Said, *parts: str) -> None:
    assert done.code == 2, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("rig: ")
    assert done.stderr.count("\n") == 1, done.stderr
    for part in parts:
        assert part in done.stderr


def test_help_teaches(rig: Rig) -> None:
    done = rig("--help")
    assert done.code == 0
    for word in ("doctor", "run", "judge", "report", "bench", "Begin with", "Exit codes"):
        assert word in done.stdout


def test_without_a_command_the_help_is_shown(rig: Rig) -> None:
    assert "Begin with" in rig().stdout


@pytest.mark.parametrize("command", ["run", "judge", "doctor"])
def test_what_a_program_may_read_has_a_json_form(rig: Rig, command: str) -> None:
    done = rig(command, "--help")
    assert done.code == 0
    assert "--json" in done.stdout


def test_the_version(rig: Rig) -> None:
    assert rig("--version").stdout == f"rig {__version__}\n"


def test_the_doctor_speaks_json(rig: Rig, tmp_path: Path) -> None:
    done = rig("doctor", "--json")
    said = json.loads(done.stdout)
    findings = {finding["subject"]: finding for finding in said["findings"]}
    assert {"python", "private network", "netem", "bench file", "lease", "last session", "processes"} <= set(findings)
    assert findings["state"]["what"] == str(tmp_path / "state/virtual")
    assert findings["lease"]["health"] == "good"
    bad = [finding for finding in said["findings"] if finding["health"] == "bad"]
    assert said["healthy"] == (not bad)
    assert done.code == (2 if bad else 0)
    lacking = [finding for finding in said["findings"] if finding["health"] != "good"]
    assert all(finding["cure"] or finding["what"].startswith("not probed") for finding in lacking)


def test_the_doctor_speaks_to_people(rig: Rig) -> None:
    done = rig("doctor")
    assert "private network" in done.stdout
    assert "Traceback" not in done.stderr


def test_the_authority_of_a_bench_is_made_once_and_kept(rig: Rig, tmp_path: Path) -> None:
    one, two = rig("bench", "ca"), rig("bench", "ca")
    assert one.code == two.code == 0
    assert one.stdout == two.stdout
    certificate = x509.load_pem_x509_certificate(one.stdout.encode())
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert constraints.ca
    assert "PRIVATE" not in one.stdout
    assert rig("bench", "ca", "--output", tmp_path / "ca.pem").code == 0
    assert (tmp_path / "ca.pem").read_text() == one.stdout


def test_judging_what_is_no_run_is_an_error_in_one_line(rig: Rig, tmp_path: Path) -> None:
    assert_one_line_error(rig("judge", tmp_path), str(tmp_path), "no run", "reports/runs")
    assert_one_line_error(rig("judge", tmp_path / "absent", "--json"), "no run")


@pytest.mark.parametrize("command", [("run",), ("doctor",), ("doctor", "--json"), ("bench", "ca"), ("run", "--json")])
def test_a_wrong_bench_file_is_an_error_in_one_line(rig: Rig, tmp_path: Path, command: tuple[str, ...]) -> None:
    text = VIRTUAL.read_text().replace("name: virtual", "name: Virtual!")
    line = next(number for number, each in enumerate(text.splitlines(), 1) if "Virtual!" in each)
    path = tmp_path / "wrong.yaml"
    path.write_text(text)
    # The pattern is full of brackets: the message must come whole, and not be taken for markup.
    assert_one_line_error(rig(*command, "--bench", path), f"line {line}, name: ", "'^[a-z0-9][a-z0-9-]{0,40}$'")


@pytest.mark.parametrize("content", ["name: [\n", "", "a: \x00", "[/red] oops: ["])
def test_what_is_no_bench_file_at_all_is_an_error_in_one_line(rig: Rig, tmp_path: Path, content: str) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(content)
    assert_one_line_error(rig("doctor", "--bench", path), str(path))


def test_a_bench_file_that_is_not_there_is_answered_with_those_that_are(rig: Rig) -> None:
    assert_one_line_error(rig("run", "--bench", "absent.yaml"), "no bench file", "fixtures/benches/virtual.yaml")


def test_a_place_that_can_keep_no_run_is_an_error_in_one_line(rig: Rig, tmp_path: Path) -> None:
    (tmp_path / "reports").touch()
    assert_one_line_error(rig("run", "--reports", tmp_path / "reports"), "no run can be kept here")


def test_a_state_directory_that_cannot_be_made_is_an_error_in_one_line(rig: Rig, tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    assert_one_line_error(rig("bench", "ca"), "no state directory", "set RIG_STATE")


def test_the_installed_command_ends_a_mistake_without_a_traceback(tmp_path: Path) -> None:
    command = [str(Path(sys.executable).with_name("rig")), "judge", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "NO_COLOR": "1"})
    assert_one_line_error(Said(done.returncode, done.stdout, done.stderr), "no run")


def test_a_clean_bench_is_left_alone_by_restore(rig: Rig) -> None:
    done = rig("bench", "restore")
    assert done.code == 0, done.stderr
    assert "0 left-over processes" in done.stdout
