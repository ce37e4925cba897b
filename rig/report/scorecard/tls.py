"""What anybody on the way can read of a TLS connection, and which of its bytes are handshake, data, or its end.

Facts: RFC 5246 (TLS 1.2), RFC 8446 (TLS 1.3), RFC 6066, section 3 (server name). In TLS 1.3 most of the handshake looks
like application data (type 23). The client's ends with its Finished, whose length is known: four bytes of header, the
hash of the cipher suite, one byte of type, the tag. The server's flight ends likewise, or is one record where its
messages were packed into one; what it sends after that are session tickets, and last its answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

_CHANGE_CIPHER, _ALERT, _HANDSHAKE, _DATA = 20, 21, 22, 23
_CLIENT_HELLO, _SERVER_HELLO, _CERTIFICATE = 1, 2, 11
_SERVER_NAME, _SUPPORTED_VERSIONS = 0, 43
_VERSIONS = {0x0301: "TLS 1.0", 0x0302: "TLS 1.1", 0x0303: "TLS 1.2", 0x0304: "TLS 1.3"}
_SHA384, _SHORT_TAG = 0x1302, 0x1305
_SUITES = {
    0x1301: "AES_128_GCM_SHA256", 0x1302: "AES_256_GCM_SHA384", 0x1303: "CHACHA20_POLY1305_SHA256",
    0x002F: "RSA_AES_128_CBC_SHA", 0x0035: "RSA_AES_256_CBC_SHA", 0x009C: "RSA_AES_128_GCM_SHA256",
    0x009D: "RSA_AES_256_GCM_SHA384", 0xC02B: "ECDHE_ECDSA_AES_128_GCM_SHA256",
    0xC02C: "ECDHE_ECDSA_AES_256_GCM_SHA384", 0xC02F: "ECDHE_RSA_AES_128_GCM_SHA256",
    0xC030: "ECDHE_RSA_AES_256_GCM_SHA384", 0xCCA8: "ECDHE_RSA_CHACHA20_POLY1305",
    0xCCA9: "ECDHE_ECDSA_CHACHA20_POLY1305",
}  # fmt: skip
_ENCRYPTED_ALERT = 2 + 1 + 16


class Use(StrEnum):
    """What bytes of a connection are for."""

    HANDSHAKE = "handshake"
    DATA = "data"
    CLOSING = "closing"


@dataclass(frozen=True, slots=True)
class Region:
    """Bytes of one direction of a connection, ``end`` not included."""

    begin: int
    end: int
    use: Use


@dataclass(frozen=True, slots=True)
class TlsView:
    """A TLS connection as somebody on the way sees it.

    Attributes:
        version: such as ``TLS 1.3``; empty where the server never answered.
        suite: its name, or its number in hexadecimal.
        server_name: that the client asked for in clear.
        certificate_visible: whether the server's certificate passed in clear.
        up: the regions of client → server.
        down: those of server → client.
    """

    version: str
    suite: str
    server_name: str
    certificate_visible: bool
    up: tuple[Region, ...]
    down: tuple[Region, ...]


@dataclass(frozen=True, slots=True)
class _Record:
    begin: int
    end: int
    type: int
    body: bytes


def is_tls(stream: bytes) -> bool:
    """Whether what a client sends begins as a TLS handshake does."""
    return len(stream) >= 3 and stream[0] == _HANDSHAKE and stream[1] == 3


def view_tls(up: bytes, down: bytes, answers: int | None = None) -> TlsView:
    """Read both directions of a connection, as far as they go.

    Args:
        up: what the client sent, beginning with its ClientHello.
        down: what the server sent.
        answers: how many answers the server gave; None where nobody knows: as many as there were requests.
    """
    asked, told = list(_records(up)), list(_records(down))
    hello = next((body for kind, body in _messages(told) if kind == _SERVER_HELLO), b"")
    version, suite = _server_hello(hello)
    client_hello = next((body for kind, body in _messages(asked) if kind == _CLIENT_HELLO), b"")
    if version == "TLS 1.3":
        finished = 4 + (48 if suite == _SHA384 else 32) + 1 + (8 if suite == _SHORT_TAG else 16)
        requests = _after_finished(asked, finished, packed=False)
        replies = _after_finished(told, finished, packed=True)
        count = len(requests) if answers is None else answers
        up_data, down_data = set(requests), set(replies[len(replies) - min(count, len(replies)) :])
    else:
        up_data = {each.begin for each in asked if each.type == _DATA}
        down_data = {each.begin for each in told if each.type == _DATA}
    return TlsView(
        version,
        _SUITES.get(suite, f"{suite:04X}") if version else "",
        _server_name(client_hello),
        any(kind == _CERTIFICATE for kind, _ in _messages(told)),
        _regions(asked, up_data, version),
        _regions(told, down_data, version),
    )


def _records(stream: bytes) -> Iterator[_Record]:
    """The records of a direction; the last one may be torn."""
    place = 0
    while place + 5 <= len(stream):
        end = place + 5 + int.from_bytes(stream[place + 3 : place + 5])
        yield _Record(place, end, stream[place], stream[place + 5 : end])
        place = end


def _messages(records: Sequence[_Record]) -> Iterator[tuple[int, bytes]]:
    """Handshake messages in clear: type and body."""
    clear = b""
    for record in records:
        if record.type != _HANDSHAKE:
            break
        clear += record.body
    place = 0
    while place + 4 <= len(clear):
        length = int.from_bytes(clear[place + 1 : place + 4])
        yield clear[place], clear[place + 4 : place + 4 + length]
        place += 4 + length


def _after_finished(records: Sequence[_Record], finished: int, *, packed: bool) -> list[int]:
    """Where the records behind a TLS 1.3 Finished begin, alerts left out."""
    hidden = [each for each in records if each.type == _DATA]
    last = next((number for number, each in enumerate(hidden) if len(each.body) == finished), None)
    if last is None:
        last = 0 if packed else len(hidden)
    return [each.begin for each in hidden[last + 1 :] if len(each.body) != _ENCRYPTED_ALERT]


def _regions(records: Sequence[_Record], data: set[int], version: str) -> tuple[Region, ...]:
    found = []
    for each in records:
        if each.begin in data:
            use = Use.DATA
        elif each.type == _ALERT or (
            version == "TLS 1.3" and each.type == _DATA and len(each.body) == _ENCRYPTED_ALERT
        ):
            use = Use.CLOSING
        else:
            use = Use.HANDSHAKE
        found.append(Region(each.begin, each.end, use))
    return tuple(found)


def _server_hello(body: bytes) -> tuple[str, int]:
    """Version and cipher suite."""
    if len(body) < 38:
        return "", 0
    place = 35 + body[34]
    version, suite = int.from_bytes(body[:2]), int.from_bytes(body[place : place + 2])
    chosen = dict(_extensions(body[place + 3 :])).get(_SUPPORTED_VERSIONS)
    if chosen is not None and len(chosen) == 2:
        version = int.from_bytes(chosen)
    return _VERSIONS.get(version, f"{version:04X}"), suite


def _server_name(body: bytes) -> str:
    """What a ClientHello asks for in clear, empty where it does not."""
    if len(body) < 35:
        return ""
    place = 35 + body[34]
    place += 2 + int.from_bytes(body[place : place + 2])
    place += 1 + int.from_bytes(body[place : place + 1])
    name = dict(_extensions(body[place:])).get(_SERVER_NAME, b"")
    return name[5 : 5 + int.from_bytes(name[3:5])].decode("ascii", "replace") if len(name) > 5 else ""


def _extensions(data: bytes) -> Iterator[tuple[int, bytes]]:
    place = 2
    while place + 4 <= len(data):
        length = int.from_bytes(data[place + 2 : place + 4])
        yield int.from_bytes(data[place : place + 2]), data[place + 4 : place + 4 + length]
        place += 4 + length
