"""The host's TLS fronts, met by OpenSSL: who verifies gives nothing, who believes anything is counted."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Callable
from typing import Any

import pytest

from rig.acquirer.authority import HOST_NAME, client_certificate
from rig.acquirer.fronts import FRONTS, HOSTILE
from rig.rpc import RpcError
from tests.acquirer.till import ADDRESS, HostProcess, Till, key, sale

Start = Callable[..., HostProcess]

LIBRARY = ("self-signed", "unknown-authority", "expired", "not-yet-valid", "wrong-name", "no-ca", "weak-key")


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
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        host.trust().wrap_socket(raw, server_hostname=HOST_NAME)
    met = _met(host, met_before)
    assert (met["application_bytes"], met.get("went_on")) == (0, None)
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


def test_a_mute_peer_does_not_stay(start_host: Start) -> None:
    host = start_host(limits={"handshake_s": 0.2})
    before = _put_up(host, "expired")
    with socket.create_connection((ADDRESS, host.port), timeout=5) as mute:
        assert mute.recv(1) == b""
    assert _met(host, before)["application_bytes"] == 0
