"""Asking the services process of a bench. May be used from several threads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rig.rpc import RpcClient

SOCKET = "services.sock"
"""The control socket's name in the runtime folder."""


class ServicesClient:
    """The services of all bearers that have them.

    Raises:
        DeviceGone: nobody serves the socket; every method raises it when the process ends, and RpcError where it
            refuses.
    """

    def __init__(self, path: Path) -> None:
        self._rpc = RpcClient(path, "services")

    def set_rule(self, bearer: str, service: str, rule: Mapping[str, Any] | None) -> None:
        """Make ``dns``, ``dhcp`` or ``ntp`` misbehave (:class:`rig.bearers.services.rules.Rule`); ``None``: behave."""
        self._rpc.call("rule", bearer=bearer, service=service, rule=None if rule is None else dict(rule))

    def impersonate(self, bearer: str, settings: Mapping[str, Any]) -> int:
        """Let an impostor listen (:class:`rig.bearers.services.impostor.Impostor`); returns its TCP port."""
        port: int = self._rpc.call("impersonate", bearer=bearer, settings=dict(settings))["port"]
        return port

    def clear(self, bearer: str = "all") -> None:
        """Everything right again on a bearer, or on all."""
        self._rpc.call("clear", bearer=bearer)

    def state(self, bearer: str) -> dict[str, Any]:
        """Per service ``rule``, ``asked``, ``misled``; ``impostor`` with its catch, or None; ``serves``."""
        return self._rpc.call("state", bearer=bearer)

    def close(self) -> None:
        """End the connection; what was set stays set."""
        self._rpc.close()
