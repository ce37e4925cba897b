from __future__ import annotations

from pathlib import Path

import pytest

from rig.report import node


def fake_node(folder: Path, version: str) -> Path:
    folder.mkdir(parents=True)
    binary = folder / "node"
    binary.write_text(f"#!/bin/sh\necho {version}\n")
    binary.chmod(0o755)
    return binary


@pytest.fixture(autouse=True)
def no_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "_in_wheel", lambda: None)


def test_the_machines_own_node_where_it_is_new_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    binary = fake_node(tmp_path / "bin", "v22.1.0")
    npm = tmp_path / "lib/node_modules/npm/bin/npm-cli.js"
    npm.parent.mkdir(parents=True)
    npm.touch()
    monkeypatch.setenv("PATH", str(binary.parent))
    found = node.find_node()
    assert found == node.Node(binary, npm, "22.1.0")
    assert found.path.startswith(str(binary.parent))


@pytest.mark.parametrize("version", ["v20.20.2", "v9.0.0", "", "no version"])
def test_an_old_or_strange_node_will_not_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setenv("PATH", str(fake_node(tmp_path / "bin", version).parent))
    assert node.find_node() is None


def test_the_wheels_node_where_the_machines_is_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(fake_node(tmp_path / "old", "v20.0.0").parent))
    wheel = fake_node(tmp_path / "wheel", "v24.0.0")
    monkeypatch.setattr(node, "_in_wheel", lambda: wheel)
    found = node.find_node()
    assert found is not None
    assert found.binary == wheel


def test_no_node_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert node.find_node() is None
