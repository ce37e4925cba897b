"""tcconfig, the tool that people otherwise use, as a peer to measure against: in an environment of its own.

It is installed when it is first wanted, from the package index, into a cache folder; never beside the rig's own
packages, with which its pins clash.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

VERSION = "0.30.1"
_PATIENCE_S = 180


class NotHad(Exception):
    """tcconfig cannot be had here. Usual cure: a way to the package index."""


def folder() -> Path:
    """Where it is kept, under the user's cache (XDG Base Directory Specification)."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "pos-rig" / f"tcconfig-{VERSION}-python{sys.version_info.major}.{sys.version_info.minor}"


def tcset() -> Path:
    """The command, installed where it is not yet.

    Raises:
        NotHad: it could not be installed; says why.
    """
    command, done = folder() / "bin" / "tcset", folder() / "complete"
    if done.exists() and command.exists():
        return command
    _run([sys.executable, "-m", "venv", "--clear", str(folder())])
    python = str(folder() / "bin" / "python")
    _run([python, "-m", "pip", "--quiet", "--disable-pip-version-check", "install", f"tcconfig=={VERSION}"])
    done.touch()
    return command


def _run(command: list[str]) -> None:
    environment = {**os.environ, "PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"}
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=_PATIENCE_S, env=environment)
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout or "").strip().splitlines()
        raise NotHad(f"tcconfig {VERSION} cannot be installed: {said[-1] if said else error}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotHad(f"tcconfig {VERSION} cannot be installed: {error}") from error
