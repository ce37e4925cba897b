"""The test cards before foreign eyes: every one served to PC/SC, and read by programs that know nothing of the rig.

Debian's pcscd with vsmartcard-vpcd runs in a network and a /run of its own, so that it meets no other pcscd and nothing
listens on this machine. `lab.cards_inside` is what happens there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from lab import cards_kit
from lab.part import LabTrouble, Need, Row
from rig.bearers.netspace import can_isolate

NEEDS = (
    Need("pcscd", "pcscd"),
    Need("/usr/lib/pcsc/drivers/serial/libifdvpcd.so", "vsmartcard-vpcd"),
    Need("opensc-tool", "opensc"),
    Need("scriptor", "pcsc-tools"),
    Need("swig", "swig"),
    Need("gcc", "gcc"),
    Need("/usr/include/stdio.h", "libc6-dev"),
    Need("/usr/include/PCSC/winscard.h", "libpcsclite-dev"),
    Need("unshare", "util-linux"),
)


def run(folder: Path) -> list[Row]:
    """Every card before every reader.

    Raises:
        LabTrouble: the foreign reader cannot be had, or pcscd does not run.
    """
    kit = cards_kit.obtain()
    isolation = can_isolate()
    if not isolation:
        raise LabTrouble(f"pcscd needs a network of its own: {isolation.reason}; {isolation.cure}")
    as_root = [] if isolation.way == "root" else ["--user", "--map-root-user"]
    rows = folder / "rows.json"
    inside = [sys.executable, "-m", "lab.cards_inside", str(kit.emv), str(folder), str(rows)]
    environment = {**os.environ, "PYTHONPATH": str(kit.pyscard), "RIG_STATE": str(folder / "state")}
    done = subprocess.run(["unshare", *as_root, "--net", "--mount", *inside], env=environment, check=False)
    if not rows.exists():
        raise LabTrouble(f"the cards could not be served: the lab inside ended with {done.returncode}")
    return [Row.from_dict(raw) for raw in json.loads(rows.read_text())]
