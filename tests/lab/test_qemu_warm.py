"""Compiled files made in advance: pytest in the virtual machine finds them beside their sources, and believes them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import qemu_warm

PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = tmp_path_factory.mktemp("project")
    (project / "tests").mkdir()
    (project / "tests" / "test_one.py").write_text("def test_one():\n    assert 1 + 1 == 2\n")
    (project / "tests" / "test_broken.py").write_text("def (")
    return project


@pytest.fixture(scope="module")
def cache(project: Path) -> Iterator[Path]:
    """Filled from a project of which one file cannot be collected."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(qemu_warm, "_COLLECTED", ("tests",))
        qemu_warm.compile_for_pytest(project, project.with_name("compiled"))
    assert not list(project.rglob("*.pyc")), "the project is left as it was"
    yield project.with_name("compiled")


def test_pytest_takes_them_instead_of_its_own(project: Path, cache: Path) -> None:
    qemu_warm.lay_out(cache, [(Path("/nowhere"), project), (project, project)])
    (compiled,) = project.rglob("*-pytest-*.pyc")
    assert compiled.parent == project / "tests" / "__pycache__"
    written = compiled.stat().st_mtime_ns
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [*PYTEST, "--debug=/dev/stderr", "tests/test_one.py"]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert "found cached rewritten pyc" in done.stderr
    assert compiled.stat().st_mtime_ns == written


def test_what_lies_in_no_copied_folder_is_left(project: Path, cache: Path, tmp_path: Path) -> None:
    qemu_warm.lay_out(cache, [(project / "tests" / "other", tmp_path)])
    assert list(tmp_path.rglob("*")) == []
