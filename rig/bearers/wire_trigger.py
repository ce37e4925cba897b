"""What makes an exact moment on the wire: a packet of the terminal, recognised in the kernel by its payload.

Facts: ``nft(8)``, raw payload expressions (``@ih``: the bytes after the TCP header; Linux 5.16, nftables 1.0.1). They
look into one packet: a request that is split over several packets, or that shares its packet with what came before, is
not recognised. That is why hits are counted, and none is the bench's fault.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rig.errors import CallerMistake

_LONGEST_MATCH = 16
"""Bytes that one expression compares (a register of nf_tables has 128 bits)."""
_FURTHEST = 255
"""The last byte offset that nf_tables' payload expression can name."""
_LONGEST_RECORD = 16640
"""Bytes of the longest TLS record: 2^14 and 256 (RFC 8446, section 5.2)."""


@dataclass(frozen=True)
class Payload:
    """The n-th packet of the terminal that has these bytes at this place of its TCP payload.

    ``Payload(7, bytes.fromhex("0200"))`` is the message type of an ISO 8583 sale after two bytes of length and a TPDU.
    It takes a plain connection.

    Attributes:
        offset: where the bytes begin, in bytes from the start of the TCP payload, 0 to 255.
        content: the bytes; up to 64.
        number: which of the packets that match, from 1.
    """

    offset: int
    content: bytes
    number: int = 1

    def __post_init__(self) -> None:
        _check_number(self.number)
        if not 1 <= len(self.content) <= 4 * _LONGEST_MATCH:
            raise CallerMistake("payload trigger", f"{len(self.content)} bytes to look for", "give 1 to 64 bytes")
        if not 0 <= self.offset <= _FURTHEST - len(self.content) + 1:
            raise CallerMistake("payload trigger", f"offset {self.offset} is out of reach", "the bytes lie in 0 to 255")

    @property
    def match(self) -> str:
        """The condition in nft's words."""
        return " ".join(self._matches())

    def describe(self) -> dict[str, Any]:
        """For the history; without the bytes, which a log has no need of."""
        return {"kind": "payload", "offset": self.offset, "bytes": len(self.content), "number": self.number}

    def _matches(self) -> Iterator[str]:
        for begin in range(0, len(self.content), _LONGEST_MATCH):
            part = self.content[begin : begin + _LONGEST_MATCH]
            yield f"@ih,{8 * (self.offset + begin)},{8 * len(part)} 0x{part.hex()}"


@dataclass(frozen=True)
class TlsRecord:
    """The n-th large TLS application record of the terminal, in TLS 1.2 or 1.3.

    Small ones do not count: in TLS 1.3 the end of the handshake (53 or 69 bytes) looks like application data. With a
    client certificate in TLS 1.3 the certificate looks so too, and is large: the request is record 2 then.

    Attributes:
        number: which of them, from 1, over all of the terminal's connections since it was armed.
        at_least_bytes: the shortest record that counts, in bytes as the record's header tells them.
    """

    number: int = 1
    at_least_bytes: int = 150

    def __post_init__(self) -> None:
        _check_number(self.number)
        if not 1 <= self.at_least_bytes <= _LONGEST_RECORD:
            raise CallerMistake("TLS trigger", f"no record has {self.at_least_bytes} bytes", f"1 to {_LONGEST_RECORD}")

    @property
    def match(self) -> str:
        """The condition in nft's words: application data, version 3.x, and a length."""
        return f"@ih,0,16 0x1703 @ih,24,16 >= {self.at_least_bytes}"

    def describe(self) -> dict[str, Any]:
        """For the history."""
        return {"kind": "TLS record", "at_least_bytes": self.at_least_bytes, "number": self.number}


Trigger = Payload | TlsRecord


def _check_number(number: int) -> None:
    if not 1 <= number <= 16:
        raise CallerMistake("wire trigger", f"number {number}", "packets are counted from 1, up to 16")
