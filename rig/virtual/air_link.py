"""The link of a segment in the hands of simulated physics: a radio, a switch's port, a Bluetooth base.

``link.sock`` of the runtime folder is asked for ``set`` and ``carrier`` (:mod:`rig.bearers.relay`). Each segment has
one ruler alone.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rig.errors import BenchTrouble
from rig.history.journal import Journal
from rig.rpc import RpcClient, RpcError
from rig.virtual.device import follow

_LINK_TIMEOUT_S = 1.0

Shape = Mapping[str, Mapping[str, Any]]
"""``up`` and ``down``: the arguments of the link's ``set``; an empty direction is a perfect one."""

PERFECT: Shape = {"up": {}, "down": {}}
DEAD: Shape = {"up": {"cut": True}, "down": {"cut": True}}
"""Nothing passes, and nobody is told."""


class AirLink:
    """Keeps a segment as its ruler wants it, and writes ``air`` when it is; a link that comes back is told again."""

    def __init__(self, path: Path, segment: str, journal: Journal) -> None:
        self._segment = segment
        self._journal = journal
        self._lock = threading.Lock()
        self._client: RpcClient | None = None
        self._wanted: tuple[bool, Shape, dict[str, Any]] | None = None
        follow(path, self._connected, lambda _event: None, self._lost)

    def want(self, carrier: bool, shape: Shape = PERFECT, **told: Any) -> None:
        """Make the segment so, now or when the link is there.

        Args:
            carrier: whether the terminal sees one.
            shape: what its packets meet.
            told: what else the event says, such as ``sinr_db``.
        """
        with self._lock:
            if self._wanted is None or self._wanted[:2] != (carrier, shape):
                self._wanted = (carrier, shape, told)
                self._tell()

    def _connected(self, client: RpcClient) -> None:
        with self._lock:
            self._client = client
            self._tell()

    def _lost(self) -> None:
        with self._lock:
            self._client = None

    def _tell(self) -> None:
        if self._client is None or self._wanted is None:
            return
        carrier, shape, told = self._wanted
        try:
            if not carrier:
                self._client.call("carrier", _LINK_TIMEOUT_S, link=self._segment, up=False)
            self._client.call("set", _LINK_TIMEOUT_S, link=self._segment, **shape)
            if carrier:
                self._client.call("carrier", _LINK_TIMEOUT_S, link=self._segment, up=True)
        except RpcError as error:
            self._journal.write("link_refused", segment=self._segment, why=error.what)
        except BenchTrouble as error:
            self._journal.write("link_lost", segment=self._segment, why=error.what)
            self._client.close()  # its follower connects anew and tells again
            self._client = None
            return
        self._journal.write("air", segment=self._segment, carrier=carrier, **told, **dict[str, Any](shape))
