"""The lab's part ``wifi``: a real access point over simulated radios, in a virtual machine with Debian's kernel.

One boot: the tests that need a radio (marker ``wifi``), tests of what Debian's kernel and programs do, then the cases
of an access point that misbehaves and a subset of the regression suite, in all of which the terminal reaches its host
through that access point over the air. The run of these cases is kept among the other runs.
"""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

from lab import qemu, qemu_kit
from lab.junit import tests_row
from lab.part import LabTrouble, Need, Row

NEEDS = tuple(Need(probe, package) for probe, package in qemu_kit.HOST_PROGRAMS.items())
BENCH = Path("fixtures/benches/virtual-wifi.yaml")
SUITES = ("testcases/regression", "testcases/wifi")
SUBSET = (
    "test_access_point or wifi and (test_approve or test_decline or test_cut_before or test_cut_while_the_answer)"
    " and not test_approved"  # cards: they know nothing of the air
)
ON_ITS_KERNEL = ("tests/bearers/wifi/test_config.py", "tests/bearers/test_nft.py", "tests/bearers/test_wire_cut.py")
"""Tests that this machine may skip, or passes on a kernel with more in it than Debian's."""
_MARK = "pytest.mark.wifi"
_TIMEOUT_S = 1200.0
"""Four minutes on an idle machine with two processors; three times as many on one that others use too."""


def run(folder: Path) -> list[Row]:
    """Boot once, for the tests and for the cases.

    Raises:
        LabTrouble: what the machine is made of could not be had, it did not boot or end, or it ran nothing.
    """
    part = f"wifi, Linux {qemu_kit.obtain().version} (QEMU)"
    results = folder / "results"
    results.mkdir()
    code, said = qemu.run(["sh", "-c", _commands(results)], _TIMEOUT_S, writable=[results])
    print(said, end="", flush=True)
    if code:
        raise LabTrouble(f"the tests could not be run in the virtual machine: exit code {code}")
    radio = _tests_row(part, "tests that need a radio", results, folder / "wifi.xml")
    kernel = _tests_row(part, "nftables, hostapd, dnsmasq as Debian has them", results, folder / "kernel.xml")
    return [radio, kernel, _cases_row(part, results)]


def _tests_row(part: str, what: str, results: Path, report: Path) -> Row:
    shutil.copyfile(results / report.name, report)
    return tests_row(part, what, report, int((results / f"{report.stem}.code").read_text()))


def test_files(project: Path) -> list[str]:
    """The files with tests that need a radio. (To collect all the others takes minutes in the machine.)"""
    files = (path for path in sorted((project / "tests").rglob("test_*.py")) if _MARK in path.read_text())
    return [str(path.relative_to(project)) for path in files]


def _commands(results: Path) -> str:
    python, rig = shlex.quote(sys.executable), shlex.quote(str(Path(sys.executable).with_name("rig")))
    place = shlex.quote(str(results))
    pytest = f"{python} -m pytest -q --durations=5"
    suites = " ".join(f"--suite {suite}" for suite in SUITES)
    cases = f"{rig} run --json --bench {BENCH} --reports /tmp/reports {suites} -k {shlex.quote(SUBSET)}"
    return "\n".join(
        (
            f"{pytest} -m wifi --junit-xml=/tmp/wifi.xml {shlex.join(test_files(qemu.PROJECT))}",
            f"echo $? > {place}/wifi.code",
            f"{pytest} --junit-xml=/tmp/kernel.xml {shlex.join(ON_ITS_KERNEL)}",
            f"echo $? > {place}/kernel.code",
            f"{cases} > /tmp/summary.json",
            f"echo $? > {place}/cases.code",
            f"cp -r /tmp/wifi.xml /tmp/kernel.xml /tmp/summary.json /tmp/reports {place}",
        )
    )


def _cases_row(part: str, results: Path) -> Row:
    """Every case must have ended as it requires, and none may have been left out."""
    code = int((results / "cases.code").read_text())
    try:
        summary: dict[str, Any] = json.loads((results / "summary.json").read_text())
    except ValueError as error:
        raise LabTrouble(f"the cases ended with {code} and left no summary ({error})") from error
    kept = _keep(results / "reports" / "runs")
    verdicts = ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in summary.get("verdicts", {}).items() if n)
    skipped = len(summary.get("skipped", {}))
    measured = f"{verdicts or 'nothing ran'}{f', {skipped} skipped' if skipped else ''}; run: {kept}"
    cases = summary.get("cases", 0)
    good = code == 0 and cases > 0 and not skipped
    return Row(part, "cases through the access point", f"{cases} cases", measured, "all as required", good)


def _keep(runs: Path) -> str:
    """Put the machine's run among this machine's, where ``rig report`` can render it."""
    names = [run.name for run in sorted(runs.glob("*")) if run.is_dir()]
    for name in names:
        shutil.copytree(runs / name, qemu.PROJECT / "reports" / "runs" / name, symlinks=True, dirs_exist_ok=True)
    return ", ".join(f"reports/runs/{name}" for name in names) or "none"
