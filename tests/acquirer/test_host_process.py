"""The host as a process on a hostile wire: its certificate, its bounds, its end."""

from __future__ import annotations

import contextlib
import signal
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rig.acquirer.authority import HOST_NAME, export_ca
from rig.errors import DeviceGone
from rig.wire.iso8583 import ASCII87, Message, frame
from tests.acquirer.till import ADDRESS, MID, TID, TPDU, HostProcess, Till, changed, key, reversal, sale

Start = Callable[..., HostProcess]


def _wait_for_event(host: HostProcess, kind: str, why: str) -> None:
    """The host writes how a connection ended after the peer saw it end; that is a moment later."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if any(why in event.data["why"] for event in host.events(kind)):
            return
        time.sleep(0.01)
    raise AssertionError(f"no {kind} with {why!r} in {[event.data for event in host.events(kind)]}")


def _drained(connection: socket.socket) -> bytes:
    """What comes until the other side ends the connection."""
    connection.settimeout(5)
    found = b""
    with contextlib.suppress(ConnectionResetError):
        while data := connection.recv(4096):
            found += data
    return found


def test_a_client_that_trusts_another_authority_refuses_the_host(host: HostProcess, tmp_path: Path) -> None:
    stranger = ssl.create_default_context(cadata=export_ca(tmp_path / "another"))
    before = len(host.events("request_received"))
    with (
        socket.create_connection((ADDRESS, host.port)) as raw,
        pytest.raises(ssl.SSLCertVerificationError, match="verify failed"),
    ):
        stranger.wrap_socket(raw, server_hostname=HOST_NAME)
    _wait_for_event(host, "tls_failed", "unknown ca")
    assert len(host.events("request_received")) == before


def test_a_client_that_wants_another_name_refuses_the_host(host: HostProcess) -> None:
    with (
        socket.create_connection((ADDRESS, host.port)) as raw,
        pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"),
    ):
        host.trust().wrap_socket(raw, server_hostname="acquirer.example")


def test_the_host_is_known_by_its_address_too(host: HostProcess) -> None:
    with (
        socket.create_connection((ADDRESS, host.port)) as raw,
        host.trust().wrap_socket(raw, server_hostname=ADDRESS) as secure,
    ):
        assert secure.version() in ("TLSv1.2", "TLSv1.3")


def test_old_tls_and_no_tls_are_refused(host: HostProcess) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="deprecated"):
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with socket.create_connection((ADDRESS, host.port)) as raw, pytest.raises((ssl.SSLError, ConnectionError)):
        old.wrap_socket(raw)
    with socket.create_connection((ADDRESS, host.port)) as raw:
        raw.sendall(frame(TPDU, b"0800"))
        _drained(raw)
    _wait_for_event(host, "tls_failed", "unsupported protocol")
    _wait_for_event(host, "tls_failed", "wrong version number")


def test_malformed_messages_get_a_format_error_and_the_line_lives_on(host: HostProcess) -> None:
    request = sale(host.cards["credit"], 100)
    with host.till() as till:
        till.connection.sendall(frame(TPDU, b"0200" + b"zz" * 20))
        answer = till.receive()
        assert answer is not None
        assert (answer.mti, answer.text(39)) == ("0210", "30")
        assert till.ask(changed(request, de49=None)).text(39) == "30"
        assert till.ask(changed(reversal(request), de90=None)).text(39) == "30"
        assert till.ask(request).text(39) == "00"
    _wait_for_event(host, "request_refused", "non-hex")
    _wait_for_event(host, "request_refused", "a sale without DE49")
    _wait_for_event(host, "request_refused", "a reversal without DE90")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\xff\xff" + b"\x60" * 20, "begins no frame"),
        (b"\x00\x09\x61\x00\x01\x00\x000800", "begins no frame"),
        (frame(TPDU, b"hello"), "field p"),
        (frame(TPDU, b"0210" + b"0" * 16), "0210"),
    ],
    ids=["oversized", "no TPDU", "no type", "an answer"],
)
def test_what_is_no_request_ends_the_connection(host: HostProcess, data: bytes, why: str) -> None:
    before = len(host.events("request_refused"))
    with host.till() as till:
        till.connection.sendall(data)
        assert _drained(till.connection) == b""
    (refused,) = host.events("request_refused")[before:]
    assert why in refused.data["why"]


def test_slow_idle_and_too_many_peers_are_shown_the_door(start_host: Start) -> None:
    limits = {"frame_s": 0.3, "idle_s": 0.4, "handshake_s": 0.3, "connections": 3, "outstanding": 2}
    host = start_host(limits=limits)
    with host.till() as slow:
        began = time.monotonic()
        with contextlib.suppress(OSError):
            for byte in frame(TPDU, b"0800" + b"0" * 100):
                slow.connection.sendall(bytes([byte]))
                time.sleep(0.02)
        assert time.monotonic() - began < 2
    _wait_for_event(host, "connection_closed", "not finished in time")
    with host.till() as idle:
        assert _drained(idle.connection) == b""
    _wait_for_event(host, "connection_closed", "idle")
    with socket.create_connection((ADDRESS, host.port)) as mute:
        _drained(mute)
    _wait_for_event(host, "tls_failed", "handshake")
    with contextlib.ExitStack() as crowd:
        for _ in range(3):
            crowd.enter_context(socket.create_connection((ADDRESS, host.port)))
        last = crowd.enter_context(socket.create_connection((ADDRESS, host.port)))
        assert _drained(last) == b""
    _wait_for_event(host, "request_refused", "more than 3 connections")
    host.control.hold(count=None)
    with host.till() as greedy:
        for _ in range(3):
            greedy.send(sale(host.cards["credit"], 100))
        assert _drained(greedy.connection) == b""
    _wait_for_event(host, "request_refused", "more than 2 answers outstanding")


def test_kill_9_after_an_answer_loses_nothing(start_host: Start) -> None:
    host = start_host()
    request, pending = sale(host.cards["credit"], 1234), sale(host.cards["credit"], 5)
    with host.till() as till:
        first = till.ask(request)
        host.control.hold()
        till.send(pending)
        host.control.wait_for("held", 5)
        host.end(signal.SIGKILL)
    host.start()
    assert host.row(key(request))["rrn"] == first.text(37)
    assert host.row(key(pending))["state"] == "approved"
    with host.till() as till:
        assert till.ask(request).fields == first.fields
        assert till.ask(reversal(pending)).text(39) == "00"
    assert len({event.pid for event in host.events("started")}) == 2


def test_a_private_line_without_tls(start_host: Start) -> None:
    host = start_host(tls=False)
    assert host.ready["fingerprint"] is None
    request = sale(host.cards["credit"], 100)
    with Till(socket.create_connection((ADDRESS, host.port))) as till:
        assert till.ask(request).text(39) == "00"
        again = sale(host.cards["credit"], 200)
        till.send(again)
        till.connection.shutdown(socket.SHUT_WR)  # a peer that says no more still hears its answer
        answer = till.receive()
    assert answer is not None
    assert host.about("answer_sent", key(again))
    _wait_for_event(host, "connection_closed", "the peer closed it")
    assert host.events("connection_open")[0].data["why"] == "plain TCP"


def test_a_plain_door_beside_the_one_with_tls(start_host: Start) -> None:
    host = start_host(plain_port=0)
    plain = (ADDRESS, host.ready["plain_port"])
    assert plain[1] not in (0, host.port)
    request, other = sale(host.cards["credit"], 100), sale(host.cards["credit"], 200)
    host.control.hold()
    with Till(socket.create_connection(plain)) as private, host.till() as public:
        private.send(request)
        assert host.control.wait_for("held", 5)["key"] == key(request)
        assert public.ask(other).text(39) == "00"
        host.control.release()
        answer = private.receive()
        assert answer is not None
        assert answer.text(39) == "00"
        assert not host.control.down().up
        assert private.receive() is None
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(plain)
    assert host.control.up().plain_port == plain[1]
    host.control.down()
    assert host.control.clear().restored
    with Till(socket.create_connection(plain)) as private:
        assert private.ask(sale(host.cards["credit"], 300)).text(39) == "00"
    opened = [(event.data["tls"], event.data["why"]) for event in host.events("connection_open")]
    assert (opened[0], opened[1][0]) == ((False, "plain TCP"), True)
    listening = [(event.data["port"], event.data["tls"], event.data["up"]) for event in host.events("listener")]
    assert listening[:2] == [(host.port, True, True), (plain[1], False, True)]


def test_sigterm_ends_it_in_order(start_host: Start) -> None:
    host = start_host()
    request = sale(host.cards["credit"], 100)
    host.control.hold()
    with host.till() as till:
        till.send(request)
        host.control.wait_for("held", 5)
        assert host.end() == 0
    assert [event.kind for event in host.events()][-1] == "ended"
    assert host.about("answer_lost", key(request))
    assert not (host.root / "runtime/acquirer.sock").exists()
    with pytest.raises(DeviceGone):
        host.control.ping()


def test_an_authority_is_kept_over_restarts(start_host: Start) -> None:
    host = start_host()
    fingerprint, trust = host.ready["fingerprint"], host.trust()
    host.end()
    host.start()
    assert host.ready["fingerprint"] == fingerprint
    with socket.create_connection((ADDRESS, host.port)) as raw:
        trust.wrap_socket(raw, server_hostname=HOST_NAME).close()


def test_a_peer_that_takes_nothing_is_left(start_host: Start) -> None:
    """It asks and never reads: what waits for it is bounded, and it is shown the door."""
    host = start_host(tls=False, limits={"unsent": 20_000, "handshake_s": 0.5, "outstanding": 100_000})
    echo = {7: "0131235959", 11: "000001", 41: TID, 42: MID, 70: "301"}
    flood = frame(TPDU, ASCII87.encode(Message("0800", echo))) * 200
    with socket.socket() as greedy:
        greedy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        greedy.connect((ADDRESS, host.port))
        greedy.settimeout(5)
        with contextlib.suppress(OSError):
            while True:
                greedy.sendall(flood)
    _wait_for_event(host, "connection_closed", "takes nothing")
    with Till.plain(host.port) as till:
        assert till.ask(sale(host.cards["credit"], 100)).text(39) == "00"
