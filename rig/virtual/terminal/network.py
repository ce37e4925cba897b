"""The terminal's ways to the world: each bearer with its address, its name server and its time server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rig.virtual.terminal.addresses import AddressClient
from rig.virtual.terminal.bearers import Attempt, Log, attempts
from rig.virtual.terminal.settings import Settings

_ADDRESS_WAIT_S = 1.0
"""A network that just came is worth waiting for, but not as long as a connection."""


class Network:
    """The bearers in order, those with a DHCP client included."""

    def __init__(self, settings: Settings, log: Log) -> None:
        self._bearers = settings.bearers
        self._connect_timeout_s = settings.host.connect_timeout_s
        self._log = log
        self._clients = {
            each.name: AddressClient(each.interface, log)
            for each in settings.bearers
            if each.dhcp and each.interface is not None
        }

    def start(self) -> None:
        """Begin to ask for addresses."""
        for client in self._clients.values():
            client.start()

    def attempts(self) -> Iterator[Attempt]:
        """The bearers worth trying: those with a carrier, and with an address soon."""
        for attempt in attempts(self._bearers, self._connect_timeout_s, self._log):
            client = self._clients.get(attempt.bearer)
            if client is None:
                yield attempt
                continue
            try:
                lease = client.lease(min(_ADDRESS_WAIT_S, attempt.remaining()))
            except OSError as error:
                self._log("terminal_bearer_failed", bearer=attempt.bearer, why=str(error))
                continue
            yield replace(
                attempt,
                name_server=lease.name_server or attempt.name_server,
                time_server=lease.time_server or attempt.time_server,
            )
