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
        """A SYN, or the first packet that is seen of a flow, begins it; a packet of a live flow refreshes it; a flow
        that was seen once and lives no more is forgotten.
        """
        up, down = f"{iif(site)} tcp dport {site.port}", f"{oif(site)} tcp sport {site.port}"
        kinds = "ipv4_addr . inet_service . ipv4_addr . inet_service"
        return (
            *HOOKS,
            Set("seen", f"type {kinds}; flags dynamic; size 65536;"),
            Set("live", f"type {kinds}; flags dynamic,timeout; timeout {self._ms}ms; size 65536;"),
            Rule(UP, f"{up} tcp flags & (syn | ack) == syn {self._keep(_UP_FLOW)}"),
            Rule(UP, f"{up} {_UP_FLOW} @live {self._keep(_UP_FLOW)}"),
            Rule(UP, f"{up} {_UP_FLOW} != @seen {self._keep(_UP_FLOW)}"),
            Rule(UP, f"{up} counter name {UP} {self.verdict}"),
            Rule(DOWN, f"{down} {_DOWN_FLOW} @live {self._keep(_DOWN_FLOW)}"),
            Rule(DOWN, f"{down} {_DOWN_FLOW} != @seen {self._keep(_DOWN_FLOW)}"),
            # The reset that the translator itself sends.
            Rule(DOWN, f"{down} tcp flags & rst == rst accept"),
            Rule(DOWN, f"{down} counter name {DOWN} drop"),
        )

    def _keep(self, flow: str) -> str:
        return f"update @seen {{ {flow} }} update @live {{ {flow} timeout {self._ms}ms }} accept"


class NatIdleReset(NatIdleSilent):
    """As the silent one, but the terminal's next packet is answered with a reset.

    The terminal sees: what it sends on a connection that was idle ends it with ECONNRESET; what the host sends on it
    never comes. A new connection works at once.
    """

    sees = "a connection that was idle for a while is reset by the next packet sent; a new one works"
    verdict = "reject with tcp reset"
