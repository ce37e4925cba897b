"""The way on from the gateway to the real host."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rig.acquirer.line import reason
from rig.errors import CallerMistake
from rig.history import Journal

_CONNECT_S = 10.0


@dataclass(frozen=True)
class Upstream:
    """Where the real host is.

    Attributes:
        address, port: its TCP address.
        tls: its TLS settings; None for plain TCP, or where TLS passes through.
        server_name: the name that its certificate must have.
    """

    address: str
    port: int
    tls: ssl.SSLContext | None = None
    server_name: str | None = None

    @classmethod
    def read(cls, told: Mapping[str, Any], passes: bool) -> Upstream:
        """From ``{"address", "port", "tls": true, "ca": "file or null", "server_name": "name or null"}``.

        Raises:
            CallerMistake: the file of authorities cannot be read.
        """
        address, port = str(told["address"]), int(told["port"])
        if passes or not told.get("tls", True):
            return cls(address, port)
        ca = told.get("ca")
        try:
            context = ssl.create_default_context(cafile=ca and str(Path(ca)))
        except (OSError, ssl.SSLError) as error:
            raise CallerMistake(
                str(ca), f"no authorities: {error}", "name a PEM file, or none for the system's"
            ) from None
        return cls(address, port, context, told.get("server_name") or address)

    async def connect(self, journal: Journal) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection. Raises ConnectionAbortedError where there is none; the journal gets ``upstream_failed``."""
        name = self.server_name if self.tls else None
        try:
            async with asyncio.timeout(_CONNECT_S):
                return await asyncio.open_connection(self.address, self.port, ssl=self.tls, server_hostname=name)
        except (OSError, TimeoutError) as error:
            journal.write("upstream_failed", address=self.address, why=reason(error))
            raise ConnectionAbortedError(f"the host is away: {reason(error)}") from error
