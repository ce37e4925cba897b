"""Refusals: something on the path says no, and the terminal hears it at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from rig.bearers.failures.failure import Site
from rig.bearers.failures.packets import DOWN, HOOKS, UP, PacketFailure, Part, iif, oif
from rig.bearers.nft import Rule
from rig.errors import CallerMistake

IcmpKind = Literal["net-unreachable", "host-unreachable", "port-unreachable", "admin-prohibited"]


class Reset(PacketFailure):
    """A firewall answers every TCP packet to the host with a reset, and lets nothing of the host's through.

    The terminal sees: connect() fails at once with ECONNREFUSED; a connection that stands ends with ECONNRESET as soon
    as the terminal sends on it, and is silent until then. Everything that is not TCP to the host works.
    """

    sees = "connections to the host are reset: refused at once, or broken by the next packet sent"

    def rules(self, site: Site) -> Sequence[Part]:
        """The reset itself passes; what the host sends does not."""
        return (
            *HOOKS,
            Rule(UP, f"{iif(site)} tcp dport {site.port} counter name {UP} reject with tcp reset"),
            Rule(DOWN, f"{oif(site)} tcp sport {site.port} tcp flags & rst != rst counter name {DOWN} drop"),
        )


class IcmpReject(PacketFailure):
    """A router answers every packet to the host with an ICMP error.

    The terminal sees: connect() fails at once, with EHOSTUNREACH (``host-unreachable``, ``admin-prohibited``),
    ENETUNREACH or ECONNREFUSED; a connection that stands ignores the error, as RFC 5461 wants it, and is silent.

    Args:
        kind: the ICMP error.
    """

    sees = "connections to the host fail at once: a router says that it cannot be reached"

    def __init__(self, kind: IcmpKind = "host-unreachable") -> None:
        super().__init__()
        if kind not in get_args(IcmpKind):
            raise CallerMistake("icmp-reject", f"no ICMP error {kind!r}", f"use one of {', '.join(get_args(IcmpKind))}")
        self._kind = kind

    def rules(self, site: Site) -> Sequence[Part]:
        """What is meant for the host; errors about it pass."""
        return (
            *HOOKS,
            Rule(UP, f"{iif(site)} tcp dport {site.port} counter name {UP} reject with icmp type {self._kind}"),
            Rule(DOWN, f"{oif(site)} tcp sport {site.port} counter name {DOWN} drop"),
        )
