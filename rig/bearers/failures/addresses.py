"""Failures of the address server (DHCP) of a bearer. They are felt when the terminal asks for an address next: after it
boots, after it joins the network, or when half of its lease is over.
"""

from __future__ import annotations

from typing import Any

from rig.bearers.failures.failure import Site
from rig.bearers.failures.wrong_service import WrongService
from rig.errors import CallerMistake


class DhcpNone(WrongService):
    """No address server answers.

    The terminal sees: its DISCOVER is repeated without an answer; the network is there, and it has no address on it.
    """

    service = "dhcp"
    sees = "no address server answers: it is on the network, and has no address"

    def rule(self, site: Site) -> dict[str, Any]:
        """Silence."""
        return {"answer": "timeout"}


class DhcpNak(WrongService):
    """The address server refuses the address that the terminal has or wants (DHCPNAK), and offers no other.

    The terminal sees: a refusal at once; it must give its address up, and finds no new one.
    """

    service = "dhcp"
    sees = "the address server refuses its address (NAK): it must give it up and gets no other"

    def rule(self, site: Site) -> dict[str, Any]:
        """The answer NAK to a request, none to a DISCOVER."""
        return {"answer": "nak"}


class DhcpPoolEmpty(WrongService):
    """The address server lives and has no address left.

    The terminal sees: as with no server: RFC 2131 knows no answer for "none left". What tells them apart is that others
    on the network still have theirs, and that the server answers ping and names.
    """

    service = "dhcp"
    sees = "all addresses are given out: the server lives, and does not answer"

    def rule(self, site: Site) -> dict[str, Any]:
        """No offer, no extension."""
        return {"answer": "pool-empty"}


class DhcpShortLease(WrongService):
    """An address is given for a very short time, and not extended.

    The terminal sees: all is well until the lease is over; then its address is gone, in the middle of whatever it does,
    and its connections with it.

    Args:
        lease_s: how long.
    """

    service = "dhcp"
    sees = "its address is given for a short time and never extended: connections die with it"

    def __init__(self, lease_s: int = 2) -> None:
        super().__init__()
        if not 1 <= lease_s <= 86_400:
            raise CallerMistake("dhcp-short-lease", f"lease_s is {lease_s!r}", "1 to 86400 seconds")
        self._lease_s = lease_s

    def rule(self, site: Site) -> dict[str, Any]:
        """The lease."""
        return {"answer": "short-lease", "seconds": float(self._lease_s)}
