"""An evil twin, a captive portal, a spoofing neighbour: who believes them gives something away, and it is counted."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from rig.bearers.failures import Failure, make_failure
from rig.bearers.failures.open_network import Overheard
from rig.bearers.netspace import in_namespace
from rig.errors import BenchTrouble
from tests.bearers.failures.conftest import GATE, HOST, NAME, TERMINAL, Path2

IMPOSTORS = ["evil-twin", "captive-portal", "arp-interception"]


def handshake(path: Path2, context: ssl.SSLContext) -> ssl.SSLSocket:
    connection = path.connect(2.0)
    return context.wrap_socket(connection, server_hostname=NAME)


def careful() -> ssl.SSLContext:
    return ssl.create_default_context()


def careless() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 2
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("name", IMPOSTORS)
def test_a_careful_terminal_gives_nothing_to_an_impostor(path: Path2, name: str, version: ssl.TLSVersion) -> None:
    assert path.talk() == "ok"
    failure = make_failure(name, {})
    with path.suffering(failure):
        context = careful()
        context.maximum_version = version
        with pytest.raises(ssl.SSLCertVerificationError):
            handshake(path, context)
        assert until(lambda: failure.hits().detail["refused"] == 1)
        hits = failure.hits()
        assert hits.count == 1
        assert hits.detail["application_bytes"] == hits.detail["clear_bytes"] == hits.detail["believed"] == 0
        assert hits.detail["led"] >= 1


def test_a_self_signed_certificate_is_refused_too(path: Path2) -> None:
    failure = make_failure("evil-twin", {"self_signed": True})
    with path.suffering(failure), pytest.raises(ssl.SSLCertVerificationError, match="self-signed"):
        handshake(path, careful())


def test_a_careless_terminal_is_caught(path: Path2) -> None:
    failure = make_failure("evil-twin", {})
    with path.suffering(failure):
        with handshake(path, careless()) as believed:
            believed.sendall(b"a secret")
            assert until(lambda: failure.hits().detail["application_bytes"] == 8)
        assert failure.hits().detail["believed"] == 1


def test_what_is_said_in_clear_is_caught(path: Path2) -> None:
    failure = make_failure("evil-twin", {})
    with path.suffering(failure), path.connect() as connection:
        connection.sendall(b"0200 in clear")
        assert until(lambda: failure.hits().detail["clear_bytes"] == 13)
        assert failure.hits().count == 0  # no handshake: that it was an impostor cannot have been seen


def test_a_portal_takes_the_web_and_every_name(path: Path2) -> None:
    with path.suffering(make_failure("captive-portal", {})) as evidence:
        assert evidence["wildcard"] == GATE
        with path.connect(2.0, HOST, 80) as connection:
            browser = http.client.HTTPConnection(HOST)
            browser.sock = connection
            browser.request("GET", "/generate_204")
            answer = browser.getresponse()
            assert (answer.status, answer.headers["Location"]) == (302, f"http://{GATE}/portal")
        with path.connect(2.0, GATE, 80) as connection:
            connection.sendall(b"GET /portal HTTP/1.1\r\nHost: x\r\n\r\n")
            assert connection.recv(4096).startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_spoofed_terminal_talks_to_the_neighbour(path: Path2) -> None:
    assert path.talk() == "ok"
    failure = make_failure("arp-spoofing", {})
    with path.suffering(failure) as evidence:
        assert evidence["victim"] == TERMINAL
        assert evidence["answers_to"] == "02:50:4f:53:00:66"
        assert path.talk() == "connect: timeout"
        assert failure.hits().count >= 1


def test_spoofing_nobody_is_refused_and_leaves_nothing(path: Path2) -> None:
    failure = make_failure("arp-spoofing", {"victim": "10.64.1.99"})
    with pytest.raises(BenchTrouble, match="does not answer ARP"), path.suffering(failure):
        pass
    assert path.talk() == "ok"


def test_an_open_network_needs_an_access_point(path: Path2) -> None:
    with pytest.raises(BenchTrouble, match="no access point"), path.suffering(make_failure("open-network", {})):
        pass


class Opened:
    """An access point that is opened and closed."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def open_network(self) -> dict[str, str]:
        self.done.append("open")
        return {"wpa": "0"}

    def secure_network(self) -> None:
        self.done.append("secure")


def test_on_an_open_network_it_is_heard_who_speaks_in_clear(path: Path2) -> None:
    point = Opened()
    failure: Failure = make_failure("open-network", {})
    in_namespace(path.bench, lambda: failure.start(replace(path.site, access_point=point)))
    path.talk()
    with path.connect() as connection:
        connection.sendall(b"\x16\x03\x01\x00\x02hi")
        assert until(lambda: failure.hits().count == 2)
    assert failure.hits().detail == {"encrypted": 1, "clear": 1, "datagrams": 0}
    failure.stop()
    assert point.done == ["open", "secure"]


@pytest.mark.parametrize("packet", [b"", b"\x45", b"\x60" * 40, b"\x45" + bytes(8) + b"\x06" + bytes(10)])
def test_what_is_no_packet_of_the_terminal_is_passed_over(packet: bytes) -> None:
    heard = Overheard()
    heard.hear(packet)
    assert (heard.encrypted, heard.clear, heard.datagrams) == (0, 0, 0)


def test_datagrams_of_other_services_are_heard() -> None:
    heard = Overheard()
    for port in (53, 123, 67, 514):
        udp = b"\x00\x01" + port.to_bytes(2, "big") + b"\x00\x08\x00\x00"
        head = b"\x45\x00\x00\x1c" + bytes(5) + b"\x11" + bytes(2) + socket.inet_aton("10.0.0.1") * 2
        heard.hear(head + udp)
    assert heard.datagrams == 1


@pytest.mark.parametrize(
    ("begin", "encrypted"), [(b"\x16\x03\x01", 1), (b"\x17\x03\x03", 1), (b"\x17\x02", 0), (b"0200", 0)]
)
def test_a_connection_that_stood_before_is_judged_by_its_records(begin: bytes, encrypted: int) -> None:
    heard = Overheard()
    tcp = bytes(12) + b"\x50" + bytes(7) + begin
    head = b"\x45\x00" + (20 + len(tcp)).to_bytes(2, "big") + bytes(5) + b"\x06" + bytes(10)
    heard.hear(head + tcp)
    assert (heard.encrypted, heard.clear) == (encrypted, 1 - encrypted)
