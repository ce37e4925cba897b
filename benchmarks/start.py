"""How long a user waits: from the command `rig run` to the first sale of the run."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rig.history import read_history

PROJECT = Path(__file__).resolve().parent.parent
RUNS = 5


def first_sale_s() -> float:
    """Seconds from the start of the process to the intent of the first sale, by the history's own clock."""
    with tempfile.TemporaryDirectory(prefix="rig-bench-") as reports:
        began = time.monotonic_ns()
        subprocess.run(
            [
                Path(sys.executable).with_name("rig"),
                "run",
                "-k",
                "test_approve and wifi and not debit",
                "--reports",
                reports,
            ],
            cwd=PROJECT,
            env={**os.environ, "RIG_NO_RENDER": "1"},
            stdout=subprocess.DEVNULL,
            check=True,
        )
        history = read_history(next(Path(reports).glob("runs/*/journals")))
        return (history.of("intent")[0].t - began) / 1e9


def measure() -> list[dict[str, Any]]:
    """One line."""
    took = [first_sale_s() for _ in range(RUNS)]
    return [
        {
            "benchmark": "rig run to first sale",
            "runs": RUNS,
            "p50_s": round(statistics.median(took), 2),
            "max_s": round(max(took), 2),
            "limit_s": 3,
        }
    ]


if __name__ == "__main__":
    for line in measure():
        print(json.dumps(line))
