"""NAT idle drop: an address translator forgets a connection that was silent for too long.

The translator's table is a set of live flows, whose entries run out unless a packet refreshes them; so nothing has to
be known of the kernel's own connection tracking, which may not be there.
"""

from __future__ import annotations

from collections.abc import Sequence

from rig.bearers.failures.failure import Site
from rig.bearers.failures.packets import DOWN, HOOKS, UP, PacketFailure, Part, iif, oif
from rig.bearers.nft import Rule, Set
from rig.errors import CallerMistake

_UP_FLOW = "ip saddr . tcp sport . ip daddr . tcp dport"
_DOWN_FLOW = "ip daddr . tcp dport . ip saddr . tcp sport"


class NatIdleSilent(PacketFailure):
    """A connection that was idle longer than the limit is forgotten; its packets vanish, both ways.

    The terminal sees: a connection that was kept open, or on which the host thought for long, is dead without a word;
    what is sent on it is repeated until the timeout. A new connection works at once.

    Args:
        idle_s: the limit. Field reports: 30 s on bad mobile networks, 350 s on cloud balancers.
    """

    sees = "a connection that was idle for a while is dead without a word; a new one works"
    verdict = "drop"

    def __init__(self, idle_s: float = 30.0) -> None:
        super().__init__()
        if not 0.05 <= idle_s <= 86_400:
            raise CallerMistake("nat idle", f"idle_s is {idle_s!r}", "0.05 to 86400 seconds")
        self._ms = round(idle_s * 1000)

    def rules(self, site: Site) -> Sequence[Part]:
        """A SYN begins a flow, a packet of a live flow refreshes it, and everything else of the host is forgotten."""
        up, down = f"{iif(site)} tcp dport {site.port}", f"{oif(site)} tcp sport {site.port}"
        keep_up = f"update @live {{ {_UP_FLOW} timeout {self._ms}ms }} accept"
        keep_down = f"update @live {{ {_DOWN_FLOW} timeout {self._ms}ms }} accept"
        kinds = "ipv4_addr . inet_service . ipv4_addr . inet_service"
        return (
            *HOOKS,
            Set("live", f"type {kinds}; flags dynamic,timeout; timeout {self._ms}ms; size 4096;"),
            Rule(UP, f"{up} tcp flags & (syn | ack) == syn {keep_up}"),
            Rule(UP, f"{up} {_UP_FLOW} @live {keep_up}"),
            Rule(UP, f"{up} counter name {UP} {self.verdict}"),
            Rule(DOWN, f"{down} {_DOWN_FLOW} @live {keep_down}"),
            # The reset that the translator itself sends.
            Rule(DOWN, f"{down} tcp flags & rst == rst accept"),
            Rule(DOWN, f"{down} counter name {DOWN} drop"),
        )


class NatIdleReset(NatIdleSilent):
    """As the silent one, but the terminal's next packet is answered with a reset.

    The terminal sees: what it sends on a connection that was idle ends it with ECONNRESET; what the host sends on it
    never comes. A new connection works at once.
    """

    sees = "a connection that was idle for a while is reset by the next packet sent; a new one works"
    verdict = "reject with tcp reset"
