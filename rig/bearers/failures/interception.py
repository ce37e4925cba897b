"""Somebody else answers in the host's place: what an evil twin and a captive portal have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rig.bearers.failures.failure import Hits, Site
from rig.bearers.failures.packets import UP, PacketFailure, Part, iif
from rig.bearers.nft import Chain, Counter, Rule

HTTP, HTTPS = 80, 443


class Interception(PacketFailure):
    """Connections of the terminal are led to an impostor with a forged certificate.

    Its hits are the TLS handshakes that the impostor was offered; in their detail ``application_bytes`` and
    ``clear_bytes`` say what it was given by a terminal that believed it. Both must be nothing.
    """

    certificate = "foreign-authority"

    def __init__(self) -> None:
        super().__init__()
        self._port = 0
        self._site: Site | None = None

    def ports(self, site: Site) -> tuple[int, ...]:
        """The TCP ports whose connections are taken."""
        return (site.port,)

    def portal(self, site: Site) -> str | None:
        """The URI of the portal that DHCP tells of."""
        return None

    def rules(self, site: Site) -> Sequence[Part]:
        """Whatever address the connection is meant for."""
        ports = ", ".join(str(port) for port in sorted(set(self.ports(site))))
        return (
            Counter(UP),
            Chain("led", "type nat hook prerouting priority -100;"),
            Rule("led", f"{iif(site)} tcp dport {{ {ports} }} counter name {UP} redirect to :{self._port}"),
        )

    def start(self, site: Site) -> dict[str, Any]:
        """Let the impostor listen, then lead the terminal to it."""
        services = site.served()
        portal = self.portal(site)
        settings = {
            "name": site.host_name,
            "certificate": self.certificate,
            "upstream": [site.hosts[0], site.port],
            "page": portal or f"http://{site.gate()}/",
            "portal": portal,
        }
        if site.usual is not None and portal is not None:
            site.usual.stop()
        self._site = site
        self._port = services.impersonate(site.bearer, settings)
        try:
            return {**super().start(site), "impostor_port": self._port}
        except BaseException:
            self.stop()
            raise

    def hits(self) -> Hits:
        """The handshakes that were offered to the impostor."""
        if self._site is None:
            return Hits(0)
        catch = self._site.served().state(self._site.bearer)["impostor"] or {}
        return Hits(catch.get("hellos", 0), {**catch, "led": super().hits().detail[UP]})

    def stop(self) -> None:
        """The right host again."""
        super().stop()
        site, self._site = self._site, None
        if site is not None:
            try:
                site.served().clear(site.bearer)
            finally:
                if site.usual is not None and self.portal(site) is not None:
                    site.usual.start()


class EvilTwin(Interception):
    """An access point with the shop's name, in somebody else's hands, that takes connections to the host.

    The terminal sees: everything works, only the host shows a certificate of an unknown authority. It must not send a
    byte to it. Everything else is handed on to where it was meant for.

    Args:
        self_signed: whether the forged certificate is signed by nobody but itself.
    """

    sees = "everything works, but the host shows a certificate of an unknown authority"

    def __init__(self, self_signed: bool = False) -> None:
        super().__init__()
        self.certificate = "self-signed" if self_signed else "foreign-authority"


class CaptivePortal(Interception):
    """A hotel's or café's network before its terms are accepted.

    The terminal sees: every name resolves to the portal; HTTP is redirected to its page; the host's port answers with a
    foreign certificate; DHCP tells of the portal (RFC 8910, option 114). By name nothing but the portal can be reached;
    an address that is known already still can, at other ports.
    """

    sees = "every name is the portal's, HTTP is redirected, and the host shows the portal's certificate"

    def ports(self, site: Site) -> tuple[int, ...]:
        """The web as well as the host."""
        return (HTTP, HTTPS, site.port)

    def portal(self, site: Site) -> str | None:
        """Its page."""
        return f"http://{site.gate()}/portal"

    def start(self, site: Site) -> dict[str, Any]:
        """The impostor, and the portal's address for every name."""
        evidence = super().start(site)
        try:
            site.served().set_rule(site.bearer, "dns", {"answer": "address", "address": site.gate()})
        except BaseException:
            self.stop()
            raise
        return {**evidence, "wildcard": site.gate()}
