"""Silent drop: a firewall or a broken route swallows every packet, and the local network looks perfect."""

from __future__ import annotations

from collections.abc import Sequence

from rig.bearers.failures.failure import Site
from rig.bearers.failures.packets import DOWN, HOOKS, UP, PacketFailure, Part, iif, oif
from rig.bearers.nft import Chain, Counter, Rule


class SilentDrop(PacketFailure):
    """Layer 3 is dead, layer 2 lives: ARP is still answered.

    The terminal sees: carrier, address and gateway are there; connect() gets no answer and runs into its own timeout
    (ETIMEDOUT), never EHOSTUNREACH; an established connection just falls silent.
    """

    sees = "the link is fine, ARP is answered, and nothing else ever is: connections time out in silence"

    def rules(self, site: Site) -> Sequence[Part]:
        """Every packet, both ways."""
        return (
            *HOOKS,
            Rule(UP, f"{iif(site)} counter name {UP} drop"),
            Rule(DOWN, f"{oif(site)} counter name {DOWN} drop"),
        )


class ArpLost(SilentDrop):
    """Layer 2 is dead too: nobody answers ARP.

    The terminal sees: carrier, and no neighbour. A new connect() fails with EHOSTUNREACH after 3 s (three ARP requests
    of a second); where the neighbour is still in the cache it is silence first, as in a silent drop.
    """

    sees = "the link is up and nobody answers ARP: the host is unreachable after three seconds"

    def start(self, site: Site) -> dict[str, list[str]]:
        """Two tables: one for IP, one for ARP."""
        arp = (
            Counter(UP),
            Counter(DOWN),
            Chain(UP, "type filter hook input priority 0;"),
            Chain(DOWN, "type filter hook output priority 0;"),
            Rule(UP, f"{iif(site)} counter name {UP} drop"),
            Rule(DOWN, f"{oif(site)} counter name {DOWN} drop"),
        )
        return {"rules": [*self.put("inet", self.rules(site)), *self.put("arp", arp)]}
