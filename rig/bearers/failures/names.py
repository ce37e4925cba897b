"""Failures of the name server (DNS) of a bearer."""

from __future__ import annotations

import ipaddress
from typing import Any

from rig.bearers.failures.failure import Site
from rig.bearers.failures.wrong_service import WrongService
from rig.errors import CallerMistake

_NOWHERE = "192.0.2.1"
"""An address for documentation (RFC 5737, TEST-NET-1): no host has it."""


class DnsTimeout(WrongService):
    """The name server is silent.

    The terminal sees: no answer to its question nor to the repeated one; it never gets as far as to connect.
    """

    service = "dns"
    sees = "the name server is silent: the host's name is never resolved"

    def rule(self, site: Site) -> dict[str, Any]:
        """Silence."""
        return {"answer": "timeout"}


class DnsServfail(WrongService):
    """The name server answers that it failed (SERVFAIL).

    The terminal sees: an answer at once that says nothing of whether the name exists; it may ask again, or elsewhere.
    """

    service = "dns"
    sees = "the name server answers SERVFAIL at once: the name may exist, and nobody can tell"

    def rule(self, site: Site) -> dict[str, Any]:
        """The answer SERVFAIL."""
        return {"answer": "servfail"}


class DnsNxdomain(WrongService):
    """The name server denies that the name exists (NXDOMAIN).

    The terminal sees: an answer at once that is final on this bearer, as behind a filter or in a walled garden.
    """

    service = "dns"
    sees = "the name server says NXDOMAIN: the host's name does not exist here"

    def rule(self, site: Site) -> dict[str, Any]:
        """The answer NXDOMAIN."""
        return {"answer": "nxdomain"}


class DnsWrongAddress(WrongService):
    """The name server answers every question with the same wrong address.

    The terminal sees: a good answer; then its connection goes to somebody else, or to nobody.

    Args:
        address: the answer; an address that nobody has where it is left out.
    """

    service = "dns"
    sees = "names resolve to the wrong address: the connection goes to nobody, or to somebody else"

    def __init__(self, address: str = _NOWHERE) -> None:
        super().__init__()
        try:
            self._address = str(ipaddress.IPv4Address(address))
        except ValueError as error:
            raise CallerMistake("dns-wrong-address", str(error), "write an IPv4 address") from error

    def rule(self, site: Site) -> dict[str, Any]:
        """The address."""
        return {"answer": "address", "address": self._address}
