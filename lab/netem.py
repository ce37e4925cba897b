"""The lab's part ``netem``: the kernel's own netem, in user-mode Linux: its tests, then the table of figures."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from lab import uml
from lab.junit import tests_row
from lab.part import LabTrouble, Need, Row

NEEDS = (Need("linux.uml", "user-mode-linux"), Need(str(uml.MODULES), "user-mode-linux"))
_TIMEOUT_S = 600.0
_CLOCK_PERCENT = 0.1


def run(folder: Path) -> list[Row]:
    """Boot twice: once for the tests, once for the figures.

    Raises:
        LabTrouble: user-mode Linux did not boot or end, or nothing could be measured in it.
    """
    part = f"netem, Linux {uml.kernel_version()} (user-mode Linux)"
    report, figures = folder / "netem.xml", folder / "figures.json"
    code, said = uml.run([*uml.NETEM_TESTS, f"--junit-xml={report}"], _TIMEOUT_S, punctual=True)
    print(said, end="", flush=True)
    tests = tests_row(part, "tests that need netem", report, code)
    code, said = uml.run([sys.executable, "-m", "lab.fidelity", "netem", str(figures)], _TIMEOUT_S, punctual=True)
    print(said, end="", flush=True)
    if code:
        raise LabTrouble(f"the figures could not be measured: {said.strip().splitlines()[-1:]}")
    return [tests, _clock(part, figures), *(Row.from_dict(raw) for raw in json.loads(figures.read_text()))]


def _clock(part: str, figures: Path) -> Row:
    """Whether a second of that kernel is a second of this one, by what each says of two files."""
    begun, ended = figures.with_suffix(".begun"), figures.with_suffix(".ended")
    there = (int(ended.read_text()) - int(begun.read_text())) / 1e9
    here = (ended.stat().st_mtime_ns - begun.stat().st_mtime_ns) / 1e9
    error = 100 * (there / here - 1)
    measured = f"{there:.3f} s by its own clock ({error:+.4f} %)"
    limit = f"± {_CLOCK_PERCENT:g} %"
    return Row(part, "clock", f"{here:.3f} s of this machine", measured, limit, abs(error) <= _CLOCK_PERCENT)
