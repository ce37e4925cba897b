"""Asking the process that answers the calls of a bearer. May be used from several threads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rig.bearers.dialup import door
from rig.rpc import RpcClient

_ORDER_S = 20.0
"""Before it can be told anything, a modem may have to end a call."""


class LineClient:
    """The bench's end of one telephone line.

    Raises:
        DeviceGone: nobody serves the door; every method raises it when the process ends, and RpcError where it
            refuses.
    """

    def __init__(self, bearer: str, runtime: Path) -> None:
        self._rpc = RpcClient(runtime / door(bearer), f"line of {bearer}", timeout_s=_ORDER_S)

    def state(self) -> dict[str, Any]:
        """What is in force, the call that stands, and what was met: :attr:`.switchboard.Switchboard.verbs`."""
        return self._rpc.call("get")

    def impair(self, up: Mapping[str, Any], down: Mapping[str, Any]) -> dict[str, Any]:
        """Put impairments in force, given as JSON values."""
        return self._rpc.call("set", up=dict(up), down=dict(down))

    def set_noise(self, percent: float) -> dict[str, Any]:
        """In this share of the octets one bit is turned, both ways."""
        return self._rpc.call("noise", percent=percent)

    def set_carrier(self, up: bool) -> dict[str, Any]:
        """Answer calls again; or hang up, and let them ring."""
        return self._rpc.call("carrier", up=up)

    def behave(self, answering: str = "calls", modulation: int | None = None) -> dict[str, Any]:
        """Calls are answered (``calls``), by one modulation alone if one is named; or ``nobody`` does, or ``busy``,
        or a ``voice``."""
        return self._rpc.call("behave", answering=answering, modulation=modulation)

    def drop(self, after_octets: int | None = None) -> dict[str, Any]:
        """Hang up once: now, or when so many octets more have gone to the caller. Without a call, on the next one."""
        return self._rpc.call("drop", after_octets=after_octets)

    def keep(self) -> dict[str, Any]:
        """Do not hang up after all."""
        return self._rpc.call("keep")

    def clear(self) -> dict[str, Any]:
        """As if never touched."""
        return self._rpc.call("clear")

    def close(self) -> None:
        """End the connection; what was set stays set."""
        self._rpc.close()
