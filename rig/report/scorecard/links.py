"""The bearers of a run as its history tells them: kinds, interfaces, addresses, paths, modems."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rig.history import History


@dataclass(frozen=True, slots=True)
class Link:
    """Where a bearer is met.

    Attributes:
        name: in the bench file.
        kind: ``wifi``, ``cellular``, …; empty where an old history does not tell.
        interface: whose packets are its own; of a dial-up bearer the serial port of the modem, which has none.
        address: the terminal's IPv4 address on it.
        path: the RF path that attenuates it.
        modem: the name of the modem that reads its signal.
        plain: whether the terminal speaks without TLS on it.
    """

    name: str
    kind: str = ""
    interface: str = ""
    address: str | None = None
    path: str | None = None
    modem: str | None = None
    plain: bool = False

    @property
    def has_packets(self) -> bool:
        """Whether the capture can hold anything of it."""
        return self.kind != "dial-up"


def links_of(history: History) -> dict[str, Link]:
    """Name → link, in the order of the bench file; the interface is named as the bearer where nothing else is told."""
    begin = next(iter(history.of("run_begin")), None)
    facts: Mapping[str, Any] = begin.data if begin is not None else {}
    told = facts.get("links")
    told = told if isinstance(told, dict) else {}
    names = [str(name) for name in facts.get("bearers", [])]
    return {name: _link(name, told.get(name)) for name in dict.fromkeys([*names, *told])}


def _link(name: str, told: Any) -> Link:
    told = told if isinstance(told, dict) else {}

    def word(field: str) -> str | None:
        value = told.get(field)
        return value if isinstance(value, str) and value else None

    return Link(
        name,
        word("kind") or "",
        word("interface") or name,
        word("terminal_address"),
        word("path"),
        word("modem"),
        told.get("plain") is True,
    )
