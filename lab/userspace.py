"""The lab's part ``userspace``: the table of figures over the user-space link, on this machine's own kernel."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from lab.part import LabTrouble, Need, Row

NEEDS: tuple[Need, ...] = ()
PROJECT = Path(__file__).resolve().parent.parent
_TIMEOUT_S = 600.0


def run(folder: Path) -> list[Row]:
    """Measure in a process of its own, which enters a network namespace for good.

    Raises:
        LabTrouble: it could not be measured, or it took too long.
    """
    figures = folder / "figures.json"
    command = [sys.executable, "-m", "lab.fidelity", "user-space", str(figures)]
    try:
        done = subprocess.run(command, cwd=PROJECT, timeout=_TIMEOUT_S, stderr=subprocess.PIPE, text=True, check=False)
    except subprocess.TimeoutExpired:
        raise LabTrouble(f"the figures were not measured within {_TIMEOUT_S:g} s") from None
    if done.returncode:
        raise LabTrouble(f"the figures could not be measured: {done.stderr.strip()[-500:]}")
    return [Row.from_dict(raw) for raw in json.loads(figures.read_text())]
