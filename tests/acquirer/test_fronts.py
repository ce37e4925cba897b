"""The host's TLS fronts, met by OpenSSL: who verifies gives nothing, who believes anything is counted."""

from __future__ import annotations

import array
import contextlib
import fcntl
import socket
import ssl
import termios
import time
from collections.abc import Callable
from typing import Any

import pytest

from rig.acquirer.authority import HOST_NAME, client_certificate
from rig.acquirer.fronts import FRONTS, HOSTILE
from rig.rpc import RpcError
from rig.wire import tls_hello as tls
from tests.acquirer.till import ADDRESS, HostProcess, Till, key, sale

Start = Callable[..., HostProcess]

REASONS = {
    "self-signed": "self.signed certificate",
    "unknown-authority": "unable to get local issuer|self.signed certificate in certificate chain",
    "expired": "certificate has expired",
    "not-yet-valid": "certificate is not yet valid",
    "wrong-name": "hostname mismatch",
    "no-ca": "invalid CA certificate",
    "weak-key": "EE certificate key too weak",
    "weak-signature": "CA signature digest algorithm too weak",
    "tls10": "unsupported.protocol|alert",
    "tls11": "unsupported.protocol|alert",
    "null": "wrong.cipher|alert",
    "rc4": "wrong.cipher|unknown.cipher",
    "3des": "wrong.cipher|unknown.cipher",
    "anonymous": "wrong.cipher|alert",
    "downgrade": "inappropriate.fallback",
    "reset": "reset",
}
"""Why OpenSSL refuses each, in its own words: for what is wrong with it, and for nothing else."""

LIBRARY = (
    "self-signed",
    "unknown-authority",
    "expired",
    "not-yet-valid",
    "wrong-name",
    "no-ca",
    "weak-key",
    "weak-signature",
)


def _put_up(host: HostProcess, front: str) -> int:
    """Another front; returns how many have been met before."""
    host.control.front(front)
    return len(host.events("front_met"))


def _met(host: HostProcess, before: int) -> dict[str, Any]:
    """What the host says of the connection after so many, once it does."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if len(found := host.events("front_met")) > before:
            return found[before].data
        time.sleep(0.01)
    raise AssertionError("nobody met the front")


def _seen(host: HostProcess) -> dict[str, Any]:
    front = host.control.state().front
    assert front is not None
    return dict(front["seen"])


@pytest.mark.parametrize("front", HOSTILE)
def test_a_client_that_verifies_gives_nothing(host: HostProcess, front: str) -> None:
    before = len(host.events("request_received", "request_refused"))
    met_before = _put_up(host, front)
    with (
        socket.create_connection((ADDRESS, host.port), timeout=5) as raw,
        pytest.raises((ssl.SSLError, ConnectionError), match=rf"(?i){REASONS[front]}"),
    ):
        host.trust().wrap_socket(raw, server_hostname=HOST_NAME)
    met = _met(host, met_before)
    assert (met["application_bytes"], met["went_on"], met["completed"]) == (0, False, False)
    assert (met["offers"], met["weak_suites"], met["server_name"]) == ("TLS 1.3", [], HOST_NAME)
    seen = _seen(host)
    assert (seen["front"], seen["application_bytes"], seen["went_on"]) == (front, 0, 0)
    assert seen["met"] >= 1
    host.control.front("good")
    request = sale(host.cards["credit"], 100)
    with host.till() as till:
        assert till.ask(request).text(39) == "00"
    assert len(host.events("request_received", "request_refused")) == before + 1


def _believing() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:eNULL:@SECLEVEL=0")
    return context


@pytest.mark.parametrize("front", [*LIBRARY, "null", "anonymous", "tls10", "tls11"])
def test_a_client_that_believes_anything_is_counted_and_never_served(host: HostProcess, front: str) -> None:
    context = _believing()
    if front in ("null", "anonymous"):
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("eNULL:aNULL:@SECLEVEL=0")
    if front in ("tls10", "tls11"):
        with pytest.warns(DeprecationWarning, match="deprecated"):
            context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    before = _put_up(host, front)
    request = sale(host.cards["credit"], 100)
    with Till(context.wrap_socket(socket.create_connection((ADDRESS, host.port), timeout=5))) as till:
        till.send(request)
        till.connection.settimeout(0.2)
        with contextlib.suppress(OSError):
            assert till.connection.recv(1) == b""
    assert _met(host, before)["application_bytes"] > 100
    assert _met(host, before)["completed"] is True
    assert not host.about("request_received", key(request))
    assert all(row["key"] != key(request) for row in host.control.ledger())
    assert _seen(host)["application_bytes"] > 100


def test_a_client_that_goes_on_with_a_downgrade_is_seen(host: HostProcess) -> None:
    """OpenSSL has no switch for it: a client of TLS 1.2 alone takes the hello, and goes on."""
    context = _believing()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AES128-SHA:@SECLEVEL=0")
    before = _put_up(host, "downgrade")
    with socket.create_connection((ADDRESS, host.port), timeout=1) as raw, contextlib.suppress(OSError):
        context.wrap_socket(raw)
    assert _met(host, before)["went_on"] is True
    assert _seen(host)["went_on"] == 1


def test_mutual_wants_a_certificate_of_the_benchs_authority(host: HostProcess) -> None:
    host.control.front("mutual")
    request = sale(host.cards["credit"], 100)
    known = host.trust()
    known.load_cert_chain(client_certificate(host.root / "state", "52000001"))
    raw = socket.create_connection((ADDRESS, host.port), timeout=5)
    with Till(known.wrap_socket(raw, server_hostname=HOST_NAME)) as till:
        assert till.ask(request).text(39) == "00"
    assert _seen(host) | {"completed": 1, "met": 1} == _seen(host)
    raw = socket.create_connection((ADDRESS, host.port), timeout=5)
    unknown = sale(host.cards["credit"], 100)
    with contextlib.suppress(OSError), Till(host.trust().wrap_socket(raw, server_hostname=HOST_NAME)) as till:
        till.send(unknown)
        assert till.receive() is None
    assert not host.about("request_received", key(unknown))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_sessions_are_resumed(host: HostProcess, version: ssl.TLSVersion) -> None:
    context = host.trust()
    context.minimum_version = context.maximum_version = version
    session = None
    for _ in range(2):
        raw = socket.create_connection((ADDRESS, host.port), timeout=5)
        secure = context.wrap_socket(raw, server_hostname=HOST_NAME, session=session)
        with Till(secure) as till:
            assert till.ask(sale(host.cards["credit"], 100)).text(39) == "00"
            session = secure.session
    opened = [event.data for event in host.events("connection_open")]
    assert [each["resumed"] for each in opened[-2:]] == [False, True]


def test_a_front_that_there_is_not_and_a_host_without_tls(host: HostProcess, start_host: Start) -> None:
    with pytest.raises(RpcError, match="there are good, mutual"):
        host.control.front("rotten")
    plain = start_host(tls=False)
    with pytest.raises(RpcError, match="without TLS"):
        plain.control.front("expired")
    assert set(FRONTS) == {"good", "mutual", *HOSTILE}


def test_clear_puts_the_good_one_up_again(host: HostProcess) -> None:
    assert not host.control.front("expired").restored
    assert host.control.clear().restored


@pytest.mark.parametrize("front", ["expired", "rc4"])
@pytest.mark.parametrize("cut", [1, 5, 100], ids=["in the head", "after the head", "in the hello"])
def test_a_hello_that_comes_in_pieces_is_met_all_the_same(host: HostProcess, front: str, cut: int) -> None:
    before = _put_up(host, front)
    client, incoming, hello = _client()
    with socket.create_connection((ADDRESS, host.port), timeout=5) as raw:
        raw.sendall(hello[:cut])
        _let_it_be_seen(raw)
        raw.sendall(hello[cut:])
        _refuses(client, incoming, raw)
    met = _met(host, before)
    assert (met["server_name"], met["application_bytes"], met["went_on"]) == (HOST_NAME, 0, False)


@pytest.mark.parametrize("front", ["expired", "rc4", "reset"])
def test_a_hello_in_many_records_is_met_all_the_same(host: HostProcess, front: str) -> None:
    """RFC 8446, 5.1: a handshake message may lie in several records."""
    before = _put_up(host, front)
    client, incoming, hello = _client()
    content = hello[5:]
    parts = [content[place : place + 100] for place in range(0, len(content), 100)]
    with socket.create_connection((ADDRESS, host.port), timeout=5) as raw:
        raw.sendall(b"".join(tls.record(tls.HANDSHAKE, part, tls.TLS10) for part in parts))
        if front != "reset":
            _refuses(client, incoming, raw)
        else:
            with pytest.raises(ConnectionResetError):
                _hear_out(raw)
    met = _met(host, before)
    assert (met["server_name"], met["application_bytes"], met["went_on"]) == (HOST_NAME, 0, False)


def _client() -> tuple[ssl.SSLObject, ssl.MemoryBIO, bytes]:
    """A client that verifies against nothing, with the hello that it says."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname=HOST_NAME)
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return client, incoming, outgoing.read()


def _refuses(client: ssl.SSLObject, incoming: ssl.MemoryBIO, raw: socket.socket) -> None:
    with pytest.raises(ssl.SSLError, match=r"(?i)certificate verify failed|wrong cipher|unknown cipher"):
        _shake(client, incoming, raw)


def _shake(client: ssl.SSLObject, incoming: ssl.MemoryBIO, raw: socket.socket) -> None:
    while data := raw.recv(4096):
        incoming.write(data)
        with contextlib.suppress(ssl.SSLWantReadError):
            client.do_handshake()


def _hear_out(raw: socket.socket) -> None:
    while raw.recv(100):
        pass


def _let_it_be_seen(raw: socket.socket) -> None:
    """Until what was sent lies in the other side's socket, by its own acknowledgement (tcp(7), SIOCOUTQ)."""
    unsent = array.array("i", [1])
    while unsent[0]:
        fcntl.ioctl(raw, termios.TIOCOUTQ, unsent)


@pytest.mark.parametrize(("said", "why"), [(b"", "nothing said"), (b"\x16\x03\x01", "it left before it had said all")])
def test_who_leaves_before_its_hello_is_told(host: HostProcess, said: bytes, why: str) -> None:
    before = _put_up(host, "expired")
    with socket.create_connection((ADDRESS, host.port), timeout=5) as raw:
        raw.sendall(said)
        raw.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):  # what it said was never taken
            assert raw.recv(1) == b""
    met = _met(host, before)
    assert (met["why"], met["completed"], met["application_bytes"]) == (why, False, 0)


@pytest.mark.parametrize(
    "said", [b"GET / HTTP/1.1\r\n\r\n", b"\x15\x03\x01\x00\x02\x01\x00", b"\x16\x03\x01\x40\x00" + b"\x01" * 16384]
)
def test_who_says_no_hello_is_sent_away(host: HostProcess, said: bytes) -> None:
    before = _put_up(host, "expired")
    with (
        socket.create_connection((ADDRESS, host.port), timeout=5) as raw,
        contextlib.suppress(ConnectionError),
    ):
        raw.sendall(said)
        assert raw.recv(1) == b""
    assert _met(host, before)["application_bytes"] == 0
    assert _seen(host)["met"] == 0


def test_what_is_given_long_after_the_handshake_counts_and_the_front_is_left_when_another_is_put_up(
    start_host: Start,
) -> None:
    """A terminal may connect before it has the card. The handshake's time is not the front's."""
    host = start_host(limits={"handshake_s": 0.3})
    before = _put_up(host, "expired")
    raw = socket.create_connection((ADDRESS, host.port), timeout=5)
    with _believing().wrap_socket(raw) as secure:
        time.sleep(0.6)  # longer than the handshake may take
        secure.sendall(b"late")
        while not _seen(host)["application_bytes"]:
            pass
        host.control.front("good")
        met = _met(host, before)
        assert secure.recv(1) == b""
    assert (met["completed"], met["application_bytes"], met["why"]) == (True, 4, "another front is put up")


def test_another_front_does_not_wait_for_who_says_nothing(host: HostProcess) -> None:
    before = _put_up(host, "expired")
    with socket.create_connection((ADDRESS, host.port), timeout=5) as mute:
        while not host.control.state().connections:
            pass
        began = time.monotonic()
        host.control.front("good")
        assert time.monotonic() - began < 2  # its handshake might take five seconds
        assert _met(host, before)["application_bytes"] == 0
        assert mute.recv(1) == b""


def test_a_mute_peer_does_not_stay(start_host: Start) -> None:
    host = start_host(limits={"handshake_s": 0.2})
    before = _put_up(host, "expired")
    with socket.create_connection((ADDRESS, host.port), timeout=5) as mute:
        assert mute.recv(1) == b""
    assert _met(host, before)["application_bytes"] == 0
