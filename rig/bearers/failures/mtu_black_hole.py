"""MTU black hole: large packets vanish, and nobody says that they were too large."""

from __future__ import annotations

from collections.abc import Sequence

from rig.bearers.failures.failure import Site
from rig.bearers.failures.packets import DOWN, HOOKS, UP, PacketFailure, Part, iif, oif
from rig.bearers.nft import Rule
from rig.errors import CallerMistake

_SMALLEST, _LARGEST = 68, 9000
"""Every link carries 68 bytes (RFC 791); none of ours more than a jumbo frame."""


class MtuBlackHole(PacketFailure):
    """Packets above a size are dropped without the ICMP error that path MTU discovery waits for (RFC 2923).

    The terminal sees: names resolve, ping works, connect() works; the TLS handshake stalls, for the certificate is in a
    large packet, or a long request does. It looks like a host that is off.

    Args:
        max_bytes: the largest IP packet that passes.
    """

    sees = "small packets pass and large ones vanish: it connects, and then the TLS handshake stalls"

    def __init__(self, max_bytes: int = 576) -> None:
        super().__init__()
        if isinstance(max_bytes, bool) or not isinstance(max_bytes, int) or not _SMALLEST <= max_bytes <= _LARGEST:
            raise CallerMistake("mtu-black-hole", f"max_bytes is {max_bytes!r}", f"{_SMALLEST} to {_LARGEST} bytes")
        self._max = max_bytes

    def rules(self, site: Site) -> Sequence[Part]:
        """Both ways."""
        return (
            *HOOKS,
            Rule(UP, f"{iif(site)} meta length > {self._max} counter name {UP} drop"),
            Rule(DOWN, f"{oif(site)} meta length > {self._max} counter name {DOWN} drop"),
        )
