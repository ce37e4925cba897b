"""Python's compiled files for the virtual machine, made here, where it is quick.

pytest rewrites the assertions of every module of a project that brings a plugin, ours included: two seconds here,
forty in the machine. Its results are ordinary compiled files, so they are made by collecting some tests here, and laid
beside their sources on the machine's disk. Each holds the time and size of its source: a stale one is not used.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_COLLECTED = ("testcases", "tests/bearers", "tests/system")
_COLLECT = (sys.executable, "-m", "pytest", "-q", "--collect-only", "-p", "no:cacheprovider")


def compile_for_pytest(project: Path, cache: Path) -> None:
    """Let pytest compile what it collects into ``cache``; what is there and current is not compiled again."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(cache)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    # Whatever it says: without these files the machine is slow, and nothing else.
    subprocess.run([*_COLLECT, *_COLLECTED], cwd=project, env=environment, capture_output=True, check=False)


def lay_out(cache: Path, trees: Sequence[tuple[Path, Path]]) -> None:
    """Copy compiled files to where Python looks for them, beside their sources.

    Args:
        cache: as :func:`compile_for_pytest` filled it.
        trees: a folder of this machine and its copy, each; one inside another comes after it.
    """
    for folder in {path.parent for path in cache.rglob("*.pyc")}:
        source = Path("/") / folder.relative_to(cache)
        found = ((place, copy) for place, copy in reversed(trees) if source.is_relative_to(place))
        place, copy = next(found, (None, None))
        if place is None or copy is None or not (copy / source.relative_to(place)).is_dir():
            continue
        beside = copy / source.relative_to(place) / "__pycache__"
        beside.mkdir(exist_ok=True)
        for file in folder.glob("*.pyc"):
            (beside / file.name).unlink(missing_ok=True)  # it may be a hard link to this machine's own
            shutil.copyfile(file, beside / file.name)
