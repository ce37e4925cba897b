"""DHCP messages (RFC 2131, RFC 2132), with the address of a captive portal (RFC 8910, option 114)."""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass, field
from enum import IntEnum

from rig.wire.errors import WireError

SERVER_PORT, CLIENT_PORT = 67, 68
NOWHERE = "0.0.0.0"
BROADCAST_FLAG = 0x8000
_COOKIE = b"\x63\x82\x53\x63"
_FIXED = struct.Struct("!BBBBIHH4s4s4s4s16s64s128s4s")
_SHORTEST = 300
"""A BOOTP message has 300 bytes at least (RFC 1542, 2.1): shorter ones are dropped by some relays and clients."""


class MessageType(IntEnum):
    """Option 53."""

    DISCOVER = 1
    OFFER = 2
    REQUEST = 3
    DECLINE = 4
    ACK = 5
    NAK = 6
    RELEASE = 7
    INFORM = 8


class Option(IntEnum):
    """The options that are used here."""

    PAD = 0
    SUBNET_MASK = 1
    ROUTER = 3
    DNS_SERVER = 6
    NTP_SERVER = 42
    REQUESTED_ADDRESS = 50
    LEASE_TIME = 51
    MESSAGE_TYPE = 53
    SERVER_IDENTIFIER = 54
    PARAMETER_LIST = 55
    MESSAGE = 56
    RENEWAL_TIME = 58
    REBINDING_TIME = 59
    CAPTIVE_PORTAL = 114
    END = 255


@dataclass(frozen=True, slots=True)
class Dhcp:
    """One message.

    Attributes:
        kind: its message type.
        transaction: chosen by the client, 32 bits.
        mac: the client's hardware address, 6 bytes.
        client: the address that the client already uses (``ciaddr``).
        yours: the address that the server gives (``yiaddr``).
        broadcast: whether the client cannot yet receive unicast.
        options: every other option, code → content.
    """

    kind: MessageType
    transaction: int
    mac: bytes
    client: str = NOWHERE
    yours: str = NOWHERE
    broadcast: bool = False
    options: dict[int, bytes] = field(default_factory=dict)

    @property
    def from_server(self) -> bool:
        """Whether a server sends messages of this type."""
        return self.kind in (MessageType.OFFER, MessageType.ACK, MessageType.NAK)

    def address(self, option: Option) -> str | None:
        """An option that begins with an IPv4 address; ``None`` where it is absent or too short."""
        content = self.options.get(option, b"")
        return str(ipaddress.IPv4Address(content[:4])) if len(content) >= 4 else None

    def seconds(self, option: Option) -> int | None:
        """An option that holds seconds; ``None`` where it is absent or of another length."""
        content = self.options.get(option, b"")
        return int.from_bytes(content, "big") if len(content) == 4 else None


def packed(*addresses: str) -> bytes:
    """Addresses as an option holds them."""
    return b"".join(ipaddress.IPv4Address(address).packed for address in addresses)


def encode_dhcp(message: Dhcp) -> bytes:
    """The message as it stands in a UDP datagram.

    Raises:
        WireError: the hardware address is not 6 bytes long, or an option is longer than 255.
    """
    if len(message.mac) != 6:
        raise WireError(f"a hardware address of {len(message.mac)} bytes")
    fixed = _FIXED.pack(
        2 if message.from_server else 1, 1, 6, 0, message.transaction, 0, BROADCAST_FLAG if message.broadcast else 0,
        packed(message.client), packed(message.yours), bytes(4), bytes(4), message.mac, b"", b"", _COOKIE,
    )  # fmt: skip
    options = {int(Option.MESSAGE_TYPE): bytes([message.kind]), **message.options}
    if any(len(content) > 255 for content in options.values()):
        raise WireError("a DHCP option of more than 255 bytes")
    written = b"".join(bytes([code, len(content)]) + content for code, content in options.items())
    return (fixed + written + bytes([Option.END])).ljust(_SHORTEST, b"\0")


def decode_dhcp(data: bytes) -> Dhcp:
    """Read a message.

    Raises:
        WireError: it is none, of no known type, or damaged.
    """
    if len(data) < _FIXED.size:
        raise WireError("a DHCP message that ends too early")
    parts = _FIXED.unpack_from(data)
    if parts[2] != 6 or parts[14] != _COOKIE:
        raise WireError("no DHCP message over Ethernet")
    options = _read_options(data[_FIXED.size :])
    kind = options.pop(Option.MESSAGE_TYPE, b"")
    try:
        return Dhcp(
            MessageType(kind[0]), parts[4], parts[11][:6], str(ipaddress.IPv4Address(parts[7])),
            str(ipaddress.IPv4Address(parts[8])), bool(parts[6] & BROADCAST_FLAG), options,
        )  # fmt: skip
    except (IndexError, ValueError) as error:
        raise WireError("a DHCP message of no known type") from error


def _read_options(data: bytes) -> dict[int, bytes]:
    """Options by code; the parts of one that is split are joined (RFC 3396)."""
    options: dict[int, bytes] = {}
    place = 0
    while place < len(data) and data[place] != Option.END:
        code = data[place]
        place += 1
        if code == Option.PAD:
            continue
        if place >= len(data) or place + 1 + data[place] > len(data):
            raise WireError("a DHCP option that ends too early")
        content = data[place + 1 : place + 1 + data[place]]
        options[code] = options.get(code, b"") + content
        place += 1 + len(content)
    return options
