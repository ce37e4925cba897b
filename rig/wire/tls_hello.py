"""The beginning of a TLS handshake: a ClientHello read, and what a server answers before keys are agreed on, written.

Records and messages as in RFC 5246 (TLS 1.2) and RFC 8446 (TLS 1.3); suites by IANA's registry. For servers that offer
what no library will any more; nothing here encrypts.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rig.wire.errors import WireError

ALERT, HANDSHAKE, APPLICATION_DATA = 21, 22, 23
"""Record types."""

CLIENT_HELLO, SERVER_HELLO, CERTIFICATE, SERVER_KEY_EXCHANGE, SERVER_HELLO_DONE = 1, 2, 11, 12, 14
TLS10, TLS11, TLS12, TLS13 = 0x0301, 0x0302, 0x0303, 0x0304
VERSIONS = {0x0300: "SSL 3.0", TLS10: "TLS 1.0", TLS11: "TLS 1.1", TLS12: "TLS 1.2", TLS13: "TLS 1.3"}

DOWNGRADE_TO_12 = b"DOWNGRD\x01"
"""The end of a server's random where it knows TLS 1.3 and speaks 1.2 (RFC 8446, 4.1.3): who offered 1.3 must leave."""

NULL, RC4, TRIPLE_DES, ANONYMOUS = 0x0002, 0x0005, 0x000A, 0x0034
"""TLS_RSA_WITH_NULL_SHA, TLS_RSA_WITH_RC4_128_SHA, TLS_RSA_WITH_3DES_EDE_CBC_SHA, TLS_DH_anon_WITH_AES_128_CBC_SHA."""

_WEAK = {
    "NULL": {0x0000, 0x0001, 0x0002, 0x003B, 0x002C, 0x002D, 0x002E, 0xC001, 0xC006, 0xC00B, 0xC010, 0xC015},
    "EXPORT": {0x0003, 0x0006, 0x0008, 0x000B, 0x000E, 0x0011, 0x0014, 0x0017, 0x0019, *range(0x0026, 0x002C)},
    "RC4": {0x0004, 0x0005, 0x0018, 0xC002, 0xC007, 0xC00C, 0xC011, 0xC016},
    "3DES": {0x000A, 0x000D, 0x0010, 0x0013, 0x0016, 0x001B, 0xC003, 0xC008, 0xC00D, 0xC012, 0xC017},
    "anonymous": {
        0x0017,
        0x0018,
        0x001A,
        0x001B,
        0x0034,
        0x003A,
        0x006C,
        0x006D,
        0x00A6,
        0x00A7,
        *range(0xC015, 0xC01A),
    },
}
_SERVER_NAME, _SUPPORTED_VERSIONS, _RENEGOTIATION = 0, 43, 0xFF01
_RENEGOTIATION_SUITE = 0x00FF
_LONGEST_RECORD = 16384 + 256
_LONGEST_HELLO = 8192
_ALERTS = {
    0: "close notify", 10: "unexpected message", 40: "handshake failure", 42: "bad certificate",
    43: "unsupported certificate", 45: "certificate expired", 46: "certificate unknown", 47: "illegal parameter",
    48: "unknown ca", 50: "decode error", 51: "decrypt error", 70: "protocol version", 71: "insufficient security",
    80: "internal error", 86: "inappropriate fallback", 109: "missing extension", 110: "unsupported extension",
    112: "unrecognized name", 116: "certificate required",
}  # fmt: skip


@dataclass(frozen=True)
class Record:
    """One record: its type, the version in its head, its content."""

    type: int
    version: int
    content: bytes


class RecordReader:
    """Cuts a stream into records. After a WireError it has no boundary any more."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> list[Record]:
        """Take bytes; returns the records that they complete. Raises WireError for what is no record."""
        self._buffer += data
        records = []
        while len(self._buffer) >= 5:
            kind, version, length = self._buffer[0], *_numbers(self._buffer[1:5])
            if not 20 <= kind <= 24 or version >> 8 != 3 or length > _LONGEST_RECORD:
                raise WireError(f"{self._buffer[:5].hex(' ').upper()} begins no TLS record")
            if len(self._buffer) < 5 + length:
                break
            records.append(Record(kind, version, self._buffer[5 : 5 + length]))
            self._buffer = self._buffer[5 + length :]
        return records


def first_message(data: bytes) -> tuple[bytes, int] | None:
    """The first handshake message of a stream, and how many records it lies in; None where it has not come whole.

    Raises WireError for what is no record of a handshake, and for a message that is longer than any hello.
    """
    content = b""
    for count, record in enumerate(RecordReader().feed(data), 1):
        if record.type != HANDSHAKE:
            raise WireError(f"a record of type {record.type} where a handshake begins")
        content += record.content
        if len(content) >= 4 and len(content) >= (whole := 4 + int.from_bytes(content[1:4], "big")):
            return content[:whole], count
    if len(data) > _LONGEST_HELLO:
        raise WireError(f"no first message within {_LONGEST_HELLO} bytes")
    return None


@dataclass(frozen=True)
class ClientHello:
    """What a client offers: versions and suites (numbers), best first as it says; the name it asks for, or None."""

    versions: tuple[int, ...]
    suites: tuple[int, ...]
    server_name: str | None
    session: bytes
    extensions: tuple[int, ...]

    @property
    def highest(self) -> int:
        """The newest version that is offered."""
        return max(self.versions)

    @property
    def weak(self) -> tuple[str, ...]:
        """The kinds of weak suites among those offered: NULL, EXPORT, RC4, 3DES, anonymous."""
        return tuple(kind for kind, suites in _WEAK.items() if suites & set(self.suites))


def read_client_hello(message: bytes) -> ClientHello:
    """Read a handshake message. Raises WireError where it is no ClientHello."""
    cursor = _Cursor(message)
    if cursor.number(1) != CLIENT_HELLO:
        raise WireError("no ClientHello")
    body = _Cursor(cursor.vector(3))
    oldest = body.number(2)
    body.take(32)
    session, suites = body.vector(1), body.vector(2)
    body.vector(1)
    if len(suites) % 2:
        raise WireError("a list of suites of an odd length")
    extensions = dict(_extensions(body.vector(2))) if body.left else {}
    versions = _versions(extensions.get(_SUPPORTED_VERSIONS), oldest)
    name = _server_name(extensions.get(_SERVER_NAME))
    return ClientHello(versions, _numbers(suites), name, session, tuple(extensions))


def _versions(raw: bytes | None, oldest: int) -> tuple[int, ...]:
    told = _numbers(_Cursor(raw).vector(1)) if raw else ()
    known = tuple(version for version in told if version in VERSIONS)
    return known or tuple(version for version in sorted(VERSIONS, reverse=True) if version <= oldest) or (oldest,)


def _server_name(raw: bytes | None) -> str | None:
    if not raw:
        return None
    names = _Cursor(_Cursor(raw).vector(2))
    if names.number(1) != 0:
        return None
    try:
        return names.vector(2).decode("ascii")
    except UnicodeDecodeError:
        raise WireError("a server name that is no ASCII") from None


def _extensions(raw: bytes) -> Iterator[tuple[int, bytes]]:
    cursor = _Cursor(raw)
    while cursor.left:
        yield cursor.number(2), cursor.vector(2)


class _Cursor:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._place

    def take(self, count: int) -> bytes:
        if count > self.left:
            raise WireError("a TLS message that ends too early")
        self._place += count
        return self._data[self._place - count : self._place]

    def number(self, width: int) -> int:
        return int.from_bytes(self.take(width), "big")

    def vector(self, width: int) -> bytes:
        return self.take(self.number(width))


def _numbers(data: bytes) -> tuple[int, ...]:
    return tuple(int.from_bytes(data[place : place + 2], "big") for place in range(0, len(data) - 1, 2))


# What a server answers -------------------------------------------------------------------------------------------


def server_hello(hello: ClientHello, version: int, suite: int, ending: bytes = b"") -> bytes:
    """A ServerHello to this client that chooses version and suite.

    ``ending`` is the end of its random (:data:`DOWNGRADE_TO_12`). It says that it renegotiates securely where the
    client asks (RFC 5746), so that this is no reason to refuse it.
    """
    random = os.urandom(32 - len(ending)) + ending
    body = version.to_bytes(2, "big") + random + _vector(1, hello.session) + suite.to_bytes(2, "big") + b"\0"
    if _RENEGOTIATION in hello.extensions or _RENEGOTIATION_SUITE in hello.suites:
        body += _vector(2, _RENEGOTIATION.to_bytes(2, "big") + _vector(2, b"\0"))
    return _message(SERVER_HELLO, body)


def certificate(chain: Sequence[bytes]) -> bytes:
    """A Certificate message of TLS 1.2 and older: certificates in DER, the server's own first."""
    return _message(CERTIFICATE, _vector(3, b"".join(_vector(3, each) for each in chain)))


def anonymous_key_exchange() -> bytes:
    """A ServerKeyExchange of an anonymous Diffie-Hellman suite, over the group of RFC 2409, 6.2; nothing signs it."""
    prime = (1 << 1024) - (1 << 960) - 1 + (1 << 64) * ((1 << 894) * 314159265 // 100000000 + 129093)
    public = int.from_bytes(os.urandom(100), "big")
    numbers = (prime.to_bytes(128, "big"), b"\x02", public.to_bytes(128, "big"))
    return _message(SERVER_KEY_EXCHANGE, b"".join(_vector(2, each) for each in numbers))


def server_hello_done() -> bytes:
    """A ServerHelloDone."""
    return _message(SERVER_HELLO_DONE, b"")


def record(kind: int, content: bytes, version: int = TLS12) -> bytes:
    """One record."""
    return bytes([kind]) + version.to_bytes(2, "big") + _vector(2, content)


def alert_name(content: bytes) -> str:
    """What an alert that is not encrypted says, in words; "encrypted" for one that is."""
    if len(content) != 2:
        return "encrypted"
    return _ALERTS.get(content[1], f"alert {content[1]}")


def _message(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + _vector(3, body)


def _vector(width: int, data: bytes) -> bytes:
    return len(data).to_bytes(width, "big") + data
