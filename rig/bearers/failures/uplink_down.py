"""The bearer's own way onwards fails while the terminal's link to it stays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

from rig.bearers.failures.failure import Hits, Services, Site
from rig.bearers.failures.packets import DOWN, HOOKS, UP, PacketFailure, Part, iif, oif
from rig.bearers.nft import Rule
from rig.errors import CallerMistake

Answer = Literal["unreachable", "silent"]


class UplinkDown(PacketFailure):
    """A telephone, base or router has lost its own way to the world, and still serves the terminal.

    The terminal sees: its link is as good as ever, its gateway answers; names fail (SERVFAIL) where the gateway serves
    some, and connections to the host fail at once (ICMP net unreachable) or hang.

    Args:
        answer: what the gateway says of it: ``unreachable``, or nothing (``silent``), as some telephones do.
    """

    sees = "its link stays, and nothing is behind it: names fail, the host is unreachable or silent"

    def __init__(self, answer: Answer = "unreachable") -> None:
        super().__init__()
        if answer not in get_args(Answer):
            raise CallerMistake("uplink-down", f"no answer {answer!r}", f"use one of {', '.join(get_args(Answer))}")
        self._answer = answer
        self._services: Services | None = None
        self._bearer = ""

    def rules(self, site: Site) -> Sequence[Part]:
        """What is meant for the host, by any port; errors about it pass."""
        hosts = ", ".join(site.hosts)
        verdict = "drop" if self._answer == "silent" else "reject with icmp type net-unreachable"
        return (
            *HOOKS,
            Rule(UP, f"{iif(site)} ip daddr {{ {hosts} }} counter name {UP} {verdict}"),
            Rule(DOWN, f"{oif(site)} ip saddr {{ {hosts} }} ip protocol != icmp counter name {DOWN} drop"),
        )

    def start(self, site: Site) -> dict[str, Any]:
        """Put it in force; the names fail too, where the bench serves them."""
        evidence = super().start(site)
        if site.services is not None and site.usual is None:
            self._services, self._bearer = site.services, site.bearer
            site.services.set_rule(site.bearer, "dns", {"answer": "servfail"})
            evidence["dns"] = site.services.state(site.bearer)["dns"]["rule"]
        return evidence

    def hits(self) -> Hits:
        """Packets and questions that came to nothing."""
        packets = super().hits()
        if self._services is None:
            return packets
        misled = self._services.state(self._bearer)["dns"]["misled"]
        return Hits(packets.count + misled, {**packets.detail, "names": misled})

    def stop(self) -> None:
        """As before."""
        services, self._services = self._services, None
        try:
            if services is not None:
                services.set_rule(self._bearer, "dns", None)
        finally:
            super().stop()
