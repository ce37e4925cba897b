"""ClientHellos as OpenSSL writes them, server messages as OpenSSL reads them, and arbitrary bytes."""

from __future__ import annotations

import contextlib
import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.wire import tls_hello as tls
from rig.wire.errors import WireError
from rig.wire.tls_hello import RecordReader, read_client_hello


def _client(name: str | None = "acquirer.bench", **settings: object) -> tuple[ssl.SSLObject, ssl.MemoryBIO, bytes]:
    """A client of OpenSSL that has said its ClientHello."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for setting, value in settings.items():
        context.set_ciphers(str(value)) if setting == "ciphers" else setattr(context, setting, value)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname=name)
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return client, incoming, outgoing.read()


def _hello(data: bytes) -> tls.ClientHello:
    (record,) = RecordReader().feed(data)
    assert record.type == tls.HANDSHAKE
    return read_client_hello(record.content)


def test_what_openssl_offers_is_read() -> None:
    hello = _hello(_client()[2])
    assert hello.highest == tls.TLS13
    assert hello.versions == (tls.TLS13, tls.TLS12)
    assert hello.server_name == "acquirer.bench"
    assert 0x1301 in hello.suites
    assert hello.weak == ()


def test_old_versions_and_weak_suites_are_named() -> None:
    with pytest.warns(DeprecationWarning, match="deprecated"):
        data = _client(
            None, ciphers="aNULL:eNULL:@SECLEVEL=0", maximum_version=ssl.TLSVersion.TLSv1_1,
            minimum_version=ssl.TLSVersion.TLSv1,
        )[2]  # fmt: skip
    hello = _hello(data)
    assert (hello.highest, hello.server_name) == (tls.TLS11, None)
    assert set(hello.weak) == {"NULL", "anonymous"}


def test_a_stream_is_cut_into_records_however_it_comes() -> None:
    data = _client()[2] + tls.record(tls.ALERT, b"\x02\x30")
    whole = RecordReader().feed(data)
    reader = RecordReader()
    assert [record for place in range(len(data)) for record in reader.feed(data[place : place + 1])] == whole
    assert tls.alert_name(whole[1].content) == "unknown ca"
    assert tls.alert_name(b"\x02") == "encrypted"


@pytest.mark.parametrize("size", [1, 7, 200, 4096])
def test_the_first_message_is_put_together_from_its_records(size: int) -> None:
    content = RecordReader().feed(_HELLO)[0].content
    parts = [content[place : place + size] for place in range(0, len(content), size)]
    stream = b"".join(tls.record(tls.HANDSHAKE, part, tls.TLS10) for part in parts)
    assert tls.first_message(stream[:-1]) is None
    assert tls.first_message(stream) == (content, len(parts))
    assert tls.first_message(stream + b"\x16\x03") == (content, len(parts))


@pytest.mark.parametrize(
    ("stream", "why"),
    [
        (tls.record(tls.ALERT, b"\x02\x28"), "record of type 21 where a handshake begins"),
        (tls.record(tls.HANDSHAKE, b"\x01\xff\xff\xff" + bytes(9000)), "no first message within 8192 bytes"),
        (b"GET / HTTP/1.1\r\n", "begins no TLS record"),
    ],
    ids=["alert", "without end", "no TLS"],
)
def test_what_is_no_first_message_is_refused(stream: bytes, why: str) -> None:
    with pytest.raises(WireError, match=why):
        tls.first_message(stream)


@pytest.mark.parametrize("data", [b"HTTP/1.1 200 OK\r\n", b"\x16\x02\x00\x00\x01", b"\x16\x03\x01\xff\xff"])
def test_what_is_no_record_is_refused(data: bytes) -> None:
    with pytest.raises(WireError, match="begins no TLS record"):
        RecordReader().feed(data)


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(WireError):
        read_client_hello(b"\x01" + len(data).to_bytes(3, "big") + data)
    with contextlib.suppress(WireError):
        read_client_hello(data)
    with contextlib.suppress(WireError):
        RecordReader().feed(data)
    with contextlib.suppress(WireError):
        tls.first_message(data)


@given(st.integers(0, 600), st.integers(0, 255))
def test_a_damaged_hello_is_read_or_refused(place: int, value: int) -> None:
    content = bytearray(RecordReader().feed(_HELLO)[0].content)
    content[place % len(content)] = value
    with contextlib.suppress(WireError):
        read_client_hello(bytes(content))


_HELLO = _client()[2]


@pytest.mark.parametrize(
    ("version", "suite", "ending", "why"),
    [
        (tls.TLS12, tls.NULL, b"", "WRONG_CIPHER|NO_CIPHER"),
        (tls.TLS12, tls.RC4, b"", "WRONG_CIPHER|UNKNOWN_CIPHER"),
        (tls.TLS10, 0x002F, b"", "UNSUPPORTED_PROTOCOL"),
        (tls.TLS12, 0xC02F, tls.DOWNGRADE_TO_12, "INAPPROPRIATE_FALLBACK|DOWNGRADE|ILLEGAL"),
    ],
    ids=["null", "rc4", "tls10", "downgrade"],
)
def test_openssl_reads_the_server_hello_and_refuses_it_for_what_is_wrong(
    version: int, suite: int, ending: bytes, why: str
) -> None:
    client, incoming, data = _client()
    hello = _hello(data)
    incoming.write(tls.record(tls.HANDSHAKE, tls.server_hello(hello, version, suite, ending), version))
    with pytest.raises(ssl.SSLError, match=rf"(?i){why}"):
        client.do_handshake()


def test_openssl_takes_a_sound_server_hello() -> None:
    """So that the refusals above are for what is wrong, and not for our writing."""
    client, incoming, data = _client(maximum_version=ssl.TLSVersion.TLSv1_2)
    hello = _hello(data)
    incoming.write(tls.record(tls.HANDSHAKE, tls.server_hello(hello, tls.TLS12, 0xC02F)))
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
