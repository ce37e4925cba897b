"""The table of figures, one and the same for both backends: ``python -m lab.fidelity netem|user-space ROWS.json``.

Measures in network namespaces of its own, prints each row as it is measured, and writes all of them to the file.
Ends with 0 where it could measure, whatever the figures say. Beside the file, ``ROWS.begun`` and ``ROWS.ended`` hold
this kernel's monotonic clock at the moment when they were written: who can read a time from the file system of another
kernel can compare the clocks.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import sys
import time
from pathlib import Path

from lab.again import measure_until_held
from lab.fates import fates
from lab.part import LabTrouble, Row
from lab.streams import CLOCK
from lab.timing import Bench, timing
from lab.wires import laid_wires
from rig.bearers.link import Backend
from rig.errors import RigError

PATIENCE_S = 180.0
BACKENDS: dict[str, Backend] = {"netem": "netem", "user-space": "user-space link"}


def heading(backend: Backend) -> str:
    """What the rows are figures of: the backend, and the kernel that this process runs on."""
    lab = os.environ.get("RIG_LAB")
    return f"{backend}, Linux {platform.release()}" + (f" ({lab})" if lab else "")


def measure(backend: Backend) -> list[Row]:
    """All rows.

    Raises:
        LabTrouble: it cannot be measured here.
        RigError: the backend failed.
    """
    part = heading(backend)
    print(f"{part}\nclock: {CLOCK}", flush=True)
    with laid_wires(backend) as wires:
        bench = Bench(part, backend, wires)
        return measure_until_held([*timing(bench), *fates(bench)], PATIENCE_S, _tell)


def _tell(row: Row) -> None:
    held = "ok " if row.ok else "NOT"
    print(f"  {held} {row.what}: {row.asked}: {row.measured} (limit {row.limit})", flush=True)


def be_punctual() -> None:
    """Before all else on this machine: who is made to wait between reading the clock and sending measures himself."""
    with contextlib.suppress(OSError):  # an ordinary user may not; then the machine should be idle
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))


def mark(path: Path) -> None:
    """Write down what time this kernel has, at once and on the disk."""
    with path.open("w") as file:
        file.write(str(time.monotonic_ns()))
        file.flush()
        os.fsync(file.fileno())


def main(arguments: list[str]) -> int:
    """Measure, and write the rows."""
    backend, output = arguments[0], Path(arguments[1])
    begun = time.monotonic()
    be_punctual()
    try:
        mark(output.with_suffix(".begun"))
        rows = measure(BACKENDS[backend])
        mark(output.with_suffix(".ended"))
    except (LabTrouble, RigError) as trouble:
        print(f"lab: {trouble}", file=sys.stderr)
        return 1
    output.write_text(json.dumps([row.to_dict() for row in rows]))
    print(f"{len(rows)} figures in {time.monotonic() - begun:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
