"""What renders reports: Allure 3, locked, and a Node for it where the machine has none that will do."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

from tools.progress import SetupError, run, step

_NETWORK = "is the npm registry reachable? npm's own settings (.npmrc, npm_config_registry) are honoured"


def is_installed(root: Path) -> bool:
    """Whether the locked Allure is there."""
    mark = _mark(root)
    return mark.is_file() and mark.read_text() == _digest(root)


def install(venv: Path, root: Path) -> None:
    """Install what is missing of Node and Allure.

    Raises:
        SetupError: neither can be had.
    """
    node = _node(venv)
    if node is None:
        with step("Node.js from the package index (none ≥ 22 on this machine)"):
            _install_node(venv, root)
        node = _node(venv)
    if node is None:
        raise SetupError("Node.js was installed but does not run", "install Node.js 22 or newer on this machine")
    if not is_installed(root):
        with step(f"Allure (Node {node['version']})"):
            _install_allure(node, root)


def _node(venv: Path) -> dict[str, str] | None:
    """Ask the rig itself: it knows which Node it will use."""
    answer = run([venv / "bin" / "python", "-m", "rig.report.node"]).strip()
    return json.loads(answer) if answer else None


def _install_node(venv: Path, root: Path) -> None:
    lock = root / "reports" / "node.lock"
    pip = (venv / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "--no-input")
    try:
        run([*pip, "install", "--quiet", "--require-hashes", "--only-binary", ":all:", "-r", lock])
    except SetupError as trouble:
        raise SetupError(trouble.what, "install Node.js 22 or newer on this machine") from None


def _install_allure(node: dict[str, str], root: Path) -> None:
    reports = root / "reports"
    try:
        _npm(node, reports, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
    except SetupError as trouble:
        raise SetupError(_reason(node, reports) or trouble.what, _NETWORK) from None
    _mark(root).write_text(_digest(root))


def _npm(node: dict[str, str], folder: Path, *words: str) -> None:
    """Run npm; one that gets no answer gives up within seconds, not minutes."""
    patience = ("--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=60000", "--loglevel=error")
    run(
        [node["binary"], node["npm"], *words, *patience], folder=folder, environment={"PATH": node["path"]}, timeout=300
    )


def _reason(node: dict[str, str], folder: Path) -> str:
    """What npm itself does not tell when it fails to install: whether the registry answers at all."""
    try:
        _npm(node, folder, "view", "allure", "version")
    except SetupError as trouble:
        found = re.search(r"npm error (?:FetchError: )?(request to .*)", trouble.output)
        return f"the npm registry does not answer: {found[1] if found else trouble.what}"
    return ""


def _mark(root: Path) -> Path:
    return root / "reports" / "node_modules" / ".locked"


def _digest(root: Path) -> str:
    return hashlib.sha256((root / "reports" / "package-lock.json").read_bytes()).hexdigest()
