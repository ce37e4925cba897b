"""Installs what the tests need from npm, by a lock: ``python -m tools.npm``. Tests that lack it are skipped."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from rig.report.node import find_node

PROJECT = Path(__file__).resolve().parents[1]
LOCKED = PROJECT / "tests/acquirer/npm"
PLACE = PROJECT / ".cache/npm"


def main() -> None:
    """Install; says in one line what came of it."""
    node = find_node()
    if node is None:
        sys.exit("npm: no Node of version 22 or newer; make setup brings one")
    PLACE.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(LOCKED / name, PLACE / name)
    command = [str(node.binary), str(node.npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    ran = subprocess.run(command, cwd=PLACE, env={**os.environ, "PATH": node.path}, capture_output=True, text=True)
    if ran.returncode:
        sys.exit(f"npm: {ran.stderr.strip().splitlines()[-1] if ran.stderr.strip() else 'failed'}")
    print("npm: iso_8583 is installed")


if __name__ == "__main__":
    main()
