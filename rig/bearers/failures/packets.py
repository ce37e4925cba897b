"""Failures made of packet filter rules: what is common to all of them.

The rules are in the ``inet`` family, at the ends of the path through the bench: ``prerouting`` for what the terminal
sends, ``postrouting`` for what is sent to it. So ARP is not touched, and neither is a bearer of another interface. A
bridge's port is not seen there: the interface must be one through which the bench routes, or on which its host
listens. The table belongs to this process and dies with it (:mod:`rig.bearers.nft`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rig.bearers.failures.failure import Hits, Site
from rig.bearers.nft import Chain, Counter, Family, NftSession, Rule, Set

Part = Counter | Set | Chain | Rule

UP, DOWN = "up", "down"
"""Chains and counters: terminal → host, and host → terminal."""

HOOKS: tuple[Part, ...] = (
    Counter(UP),
    Counter(DOWN),
    Chain(UP, "type filter hook prerouting priority -290;"),  # before connection tracking sees the packet
    Chain(DOWN, "type filter hook postrouting priority 300;"),  # after everything else
)


class PacketFailure:
    """One table of rules, as long as the failure lasts. A subclass says what the rules are."""

    family: Family = "inet"
    sees = ""

    def __init__(self) -> None:
        self._tables: list[NftSession] = []

    def rules(self, site: Site) -> Sequence[Part]:
        """What is added to the table; counters named :data:`UP` and :data:`DOWN` are its hits."""
        raise NotImplementedError

    def start(self, site: Site) -> dict[str, Any]:
        """Put the rules in force; the evidence is how the kernel lists them."""
        return {"rules": self.put(self.family, self.rules(site))}

    def put(self, family: Family, parts: Sequence[Part]) -> list[str]:
        """Add a table; returns its rules as they read back."""
        table = NftSession.open("failure", family)
        self._tables.append(table)
        table.add(*parts)
        return [" ".join(line.split()) for line in table.ruleset().splitlines() if "counter name" in line]

    def hits(self) -> Hits:
        """The packets that the counted rules have met."""
        counted = {UP: 0, DOWN: 0}
        for table in self._tables:
            for name, count in table.counters().items():
                counted[name] = counted.get(name, 0) + count.packets
        return Hits(sum(counted.values()), counted)

    def stop(self) -> None:
        """Remove the tables."""
        while self._tables:
            self._tables.pop().close()


def iif(site: Site) -> str:
    """The match of what comes from the terminal."""
    return f'iifname "{site.network()}"'


def oif(site: Site) -> str:
    """The match of what goes to the terminal."""
    return f'oifname "{site.network()}"'
