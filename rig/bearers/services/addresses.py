"""The address server of a bearer (RFC 2131): a pool, leases, and nothing else about them remembered."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from rig.bearers.services.rules import Counts, Rule
from rig.errors import CallerMistake
from rig.wire.dhcp import NOWHERE, Dhcp, MessageType, Option, packed


@dataclass(frozen=True)
class Pool:
    """What the server gives out.

    Attributes:
        server: its own address with prefix length; it is router, name server and time server too.
        first: the first address of the pool.
        last: the last one.
        lease_s: how long a lease lasts.
    """

    server: ipaddress.IPv4Interface
    first: ipaddress.IPv4Address
    last: ipaddress.IPv4Address
    lease_s: int = 3600

    @classmethod
    def read(cls, server: str, first: str, last: str, lease_s: int = 3600) -> Pool:
        """Check and convert.

        Raises:
            CallerMistake: an address is none, lies outside the network, or the pool is upside down.
        """
        try:
            pool = cls(
                ipaddress.IPv4Interface(server), ipaddress.IPv4Address(first), ipaddress.IPv4Address(last), lease_s
            )
        except ValueError as error:
            raise CallerMistake("dhcp", str(error), "write such as 10.64.1.1/24, first and last of the pool") from error
        inside = pool.first in pool.server.network and pool.last in pool.server.network
        if not inside or not pool.first <= pool.last or pool.first <= pool.server.ip <= pool.last:
            raise CallerMistake(
                "dhcp", f"{first} to {last} is no pool beside {server}", "same network, without the server"
            )
        return pool


class AddressService:
    """Gives out addresses; no sockets, no threads. A client keeps its address as long as the server runs."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._held: dict[bytes, str] = {}
        self.portal: str | None = None
        """The URI of a captive portal (RFC 8910), told to whoever asks for an address."""
        self.rule: Rule | None = None
        self.counts = Counts()

    def reply(self, message: Dhcp) -> Dhcp | None:
        """The answer to a client's message; ``None``: silence."""
        if message.from_server:
            return None
        self.counts.asked += 1
        match message.kind:
            case MessageType.DISCOVER:
                return self._discover(message)
            case MessageType.REQUEST:
                return self._request(message)
            case MessageType.INFORM:
                return self._answer(MessageType.ACK, message, NOWHERE, lease_s=None)
            case MessageType.RELEASE | MessageType.DECLINE:
                self._held.pop(message.mac, None)
        return None

    def _discover(self, message: Dhcp) -> Dhcp | None:
        if self.rule is not None and self.rule.answer != "short-lease":
            return self._misled(None)
        address = self._address_for(message.mac)
        return self._answer(MessageType.OFFER, message, address, self._lease_s()) if address else None

    def _request(self, message: Dhcp) -> Dhcp | None:
        chosen = message.address(Option.SERVER_IDENTIFIER)
        if chosen not in (None, str(self._pool.server.ip)):
            return None  # the client took another server's offer
        renewing = message.client != NOWHERE
        wanted = message.client if renewing else message.address(Option.REQUESTED_ADDRESS)
        if self.rule is not None:
            match self.rule.answer:
                case "nak":
                    return self._misled(self._nak(message))
                case "timeout" | "pool-empty":
                    return self._misled(None)
                case "short-lease" if renewing:
                    return self._misled(None)
                case "short-lease":
                    self._misled(None)
        if wanted is None or wanted != self._address_for(message.mac, wanted):
            return self._nak(message)
        return self._answer(MessageType.ACK, message, wanted, self._lease_s())

    def _misled(self, answer: Dhcp | None) -> Dhcp | None:
        self.counts.misled += 1
        return answer

    def _lease_s(self) -> int:
        short = self.rule is not None and self.rule.answer == "short-lease"
        return round(self.rule.seconds) if self.rule is not None and short else self._pool.lease_s

    def _address_for(self, mac: bytes, wanted: str | None = None) -> str | None:
        """The address of a client; for one that has none the wanted one, for another server may have given it, else
        the first that nobody holds.
        """
        if mac not in self._held:
            taken = set(self._held.values())
            numbers = range(int(self._pool.first), int(self._pool.last) + 1)
            free = [address for n in numbers if (address := str(ipaddress.IPv4Address(n))) not in taken]
            if not free:
                return None
            self._held[mac] = wanted if wanted in free else free[0]
        return self._held[mac]

    def _nak(self, message: Dhcp) -> Dhcp:
        server = {int(Option.SERVER_IDENTIFIER): packed(str(self._pool.server.ip))}
        return Dhcp(MessageType.NAK, message.transaction, message.mac, broadcast=True, options=server)

    def _answer(self, kind: MessageType, message: Dhcp, address: str, lease_s: int | None) -> Dhcp:
        server = str(self._pool.server.ip)
        options: dict[int, bytes] = {
            Option.SERVER_IDENTIFIER: packed(server),
            Option.SUBNET_MASK: packed(str(self._pool.server.netmask)),
            Option.ROUTER: packed(server),
            Option.DNS_SERVER: packed(server),
            Option.NTP_SERVER: packed(server),
        }
        if lease_s is not None:
            times = {Option.LEASE_TIME: 1.0, Option.RENEWAL_TIME: 0.5, Option.REBINDING_TIME: 0.875}
            options |= {option: int(lease_s * share).to_bytes(4, "big") for option, share in times.items()}
        if self.portal is not None:
            options[Option.CAPTIVE_PORTAL] = self.portal.encode()
        return Dhcp(kind, message.transaction, message.mac, message.client, address, message.broadcast, options)
