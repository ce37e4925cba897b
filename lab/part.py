"""What a part of the lab is: a module with ``NEEDS`` and ``run``, which ``python -m lab NAME`` calls.

A part is ``lab/NAME.py`` for each name in :data:`lab.__main__.PARTS`. It defines::

    NEEDS = (Need("linux.uml", "user-mode-linux"),)      # installed before the part runs

    def run(folder: Path) -> list[Row]:                  # raises LabTrouble where it cannot run at all
        ...

``folder`` is empty, its own, and gone afterwards. JUnit reports that it leaves there as ``*.xml`` become part of the
lab's. What it prints appears as it comes; its rows come in the one table at the end.
"""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol


class LabTrouble(Exception):
    """The lab itself failed: something is missing, or did not come to an end. Usual cure: the message names it."""


class Disturbed(LabTrouble):
    """The machine was not fit to measure on just now. Usual cure: measure again; leave the machine alone meanwhile."""


@dataclass(frozen=True, slots=True)
class Need:
    """Something of the system that a part needs.

    Attributes:
        probe: a program on the PATH (``hostapd``), or the absolute path of a file or a folder.
        package: Debian's (and Ubuntu's) package that brings it.
    """

    probe: str
    package: str

    def is_there(self) -> bool:
        """Whether this machine has it. (``/usr/sbin`` is looked into too: it is not on every user's PATH.)"""
        if self.probe.startswith("/"):
            return Path(self.probe).exists()
        return bool(shutil.which(self.probe) or shutil.which(self.probe, path="/usr/sbin:/sbin"))


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: something that was asked, what was measured, and whether that is near enough.

    Attributes:
        part: who measured, with the backend and the kernel where these matter: ``netem``, ``wifi`` …
        what: the figure, such as ``delay up, 200 packets/s``.
        asked: such as ``20 ms``; empty where the figure has none.
        measured: such as ``p1 20.02  p50 20.06  p99 20.21 ms``: raw, nothing subtracted.
        limit: what it is held against, such as ``p50 ± 0.5, p99 ± 1 ms``.
        ok: whether it held.
    """

    part: str
    what: str
    asked: str
    measured: str
    limit: str
    ok: bool

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> Row:
        """The other way round."""
        return cls(**raw)


class Part(Protocol):
    """A module of the lab."""

    NEEDS: tuple[Need, ...]

    def run(self, folder: Path) -> list[Row]:
        """Measure.

        Raises:
            LabTrouble: it could not.
        """
        ...
