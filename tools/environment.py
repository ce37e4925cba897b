"""The virtual environment: made with or without ensurepip, filled from lock files whose hashes are checked."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tools import pip_config, simple_index
from tools.progress import SetupError, run, step

_PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input")
_IN_VENV = {"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"}
_NETWORK = "is the package index reachable? pip's own settings (PIP_INDEX_URL, pip.conf, https_proxy) are honoured"


def build(venv: Path, root: Path) -> None:
    """Make the environment, give it the locked pip and the locked packages, and install the project into it.

    Raises:
        SetupError: Python has no venv module, the network is away, or a hash differs.
    """
    python = venv / "bin" / "python"
    bootstrap = root / "tools" / "bootstrap.lock"
    with step(f"virtual environment (Python {sys.version_info.major}.{sys.version_info.minor})"):
        if not _works(python):
            _make(venv)
        if not _has_pip(python):
            _give_pip(python, bootstrap)
    with step("locked packages"):
        _install(python, "--require-hashes", "-r", bootstrap)
        _install(python, "--require-hashes", "--no-deps", "--no-build-isolation", "-r", root / "requirements.lock")
    with step("the rig itself"):
        _install(python, "--no-deps", "--no-build-isolation", "-e", root)


def _works(python: Path) -> bool:
    """Whether the environment is there, runs, and is of the Python that builds it now."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    try:
        return run([python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]).strip() == version
    except SetupError:
        return False


def _has_pip(python: Path) -> bool:
    try:
        run([python, *_PIP, "--version"])
    except SetupError:
        return False
    return True


def _make(venv: Path) -> None:
    try:
        run([sys.executable, "-m", "venv", "--clear", "--without-pip", venv])
    except SetupError as trouble:
        raise SetupError(trouble.what, "Debian, Ubuntu: apt install python3-venv") from None


def _give_pip(python: Path, bootstrap: Path) -> None:
    """The first way that works: Python's own copy, the pip of the machine, a wheel from the package index."""
    ways: tuple[Callable[[Path, Path], None], ...] = (_pip_of_python, _pip_of_machine, _pip_of_index)
    said = []
    for way in ways:
        try:
            way(python, bootstrap)
        except SetupError as trouble:
            said.append(str(trouble))
        if _has_pip(python):
            return
    raise SetupError("no way to get pip:\n" + "\n".join(said), _NETWORK)


def _pip_of_python(python: Path, _bootstrap: Path) -> None:
    run([python, "-m", "ensurepip", "--default-pip"], environment=_IN_VENV)


def _pip_of_machine(python: Path, bootstrap: Path) -> None:
    run(
        [sys.executable, *_PIP, "--python", python, "install", "--quiet", "--require-hashes", "-r", bootstrap],
        environment=_IN_VENV,
    )


def _pip_of_index(python: Path, bootstrap: Path) -> None:
    locked = simple_index.locked(bootstrap.read_text(), "pip")
    with tempfile.TemporaryDirectory() as folder:
        wheel = simple_index.fetch(locked, pip_config.read(), Path(folder))
        run([python, wheel / "pip", "install", "--quiet", "--no-index", wheel], environment=_IN_VENV)


def _install(python: Path, *what: str | Path) -> None:
    try:
        run([python, *_PIP, "install", "--quiet", *what], environment=_IN_VENV)
    except SetupError as trouble:
        raise SetupError(trouble.what, _NETWORK) from None
