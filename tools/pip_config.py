"""What pip would be told, read where there is no pip yet: its environment variables and its pip.conf files.

Source: pip's documentation, "Configuration" (files are read global, user, then PIP_CONFIG_FILE; the environment wins).
"""

from __future__ import annotations

import configparser
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PUBLIC_INDEX = "https://pypi.org/simple"
"""pip's own default."""


@dataclass(frozen=True)
class PipConfig:
    """Where packages come from.

    Attributes:
        indexes: simple-API addresses, the main one first, without a trailing slash.
        certificates: a bundle of certificate authorities to trust, or nothing for the system's.
    """

    indexes: tuple[str, ...]
    certificates: str | None = None


def read(environ: Mapping[str, str] = os.environ, home: Path | None = None) -> PipConfig:
    """Read what pip would read."""
    said: dict[str, str] = {}
    for path in _files(environ, home or Path.home()):
        said |= _read_file(path)
    for key in ("index-url", "extra-index-url", "cert"):
        said |= {key: value} if (value := environ.get("PIP_" + key.upper().replace("-", "_"))) else {}
    indexes = [said.get("index-url", PUBLIC_INDEX), *said.get("extra-index-url", "").split()]
    return PipConfig(tuple(index.rstrip("/") for index in indexes), said.get("cert"))


def _files(environ: Mapping[str, str], home: Path) -> list[Path]:
    machine = [Path("/etc/xdg/pip/pip.conf"), Path("/etc/pip.conf")]
    user = [home / ".pip/pip.conf", Path(environ.get("XDG_CONFIG_HOME", home / ".config")) / "pip/pip.conf"]
    named = environ.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return []
    return [*machine, *user, *([Path(named)] if named else [])]


def _read_file(path: Path) -> dict[str, str]:
    parser = configparser.RawConfigParser()
    try:
        parser.read(path)
    except (configparser.Error, OSError, UnicodeDecodeError):
        return {}
    return {
        key.replace("_", "-"): value
        for section in ("global", "install")
        if parser.has_section(section)
        for key, value in parser.items(section)
        if value
    }
