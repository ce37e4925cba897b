"""Exact moments on the wire: real connections over a cable between two namespaces, cut with the very packet."""

from __future__ import annotations

import itertools
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from rig.bearers.netspace import in_namespace, new_namespace
from rig.bearers.nft import nft_available
from rig.bearers.topology import Segment, build_virtual_network
from rig.bearers.wire_cut import Cut, CutCounts, Effect, WireCut
from rig.bearers.wire_trigger import Payload, TlsRecord, Trigger
from rig.errors import BenchTrouble, CallerMistake, DeviceGone

PROJECT = Path(__file__).parents[2]
HOST = "10.64.0.10"
TERMINAL = "10.64.1.2"
REQUEST = (57).to_bytes(2, "big") + bytes.fromhex("6000010000") + b"0200" + b"." * 48
OTHER = REQUEST.replace(b"0200", b"0800")
ANSWER = b"\x00\x100210............"
SALE = Payload(7, b"0200")
ports = itertools.count(5000)


@dataclass
class Wire:
    """A terminal and its host, with the bench between them."""

    bench: int
    terminal: int
    cut: WireCut
    listener: socket.socket
    host: str = HOST

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    def connect(self) -> tuple[socket.socket, socket.socket]:
        """(terminal's end, host's end) of a new connection."""
        terminal = in_namespace(self.terminal, socket.socket)
        terminal.settimeout(3)
        terminal.connect((self.host, self.port))
        host, _ = self.listener.accept()
        host.settimeout(3)
        return terminal, host

    def arm(self, trigger: Trigger = SALE, effect: Effect = Effect.ANSWER_LOST, **options: object) -> None:
        self.cut.arm(Cut(effect, trigger, self.port, **options))  # type: ignore[arg-type]

    @property
    def counts(self) -> CutCounts:
        return self.cut.counts()


@pytest.fixture(scope="module")
def namespaces(root: None) -> Iterator[tuple[int, int]]:
    if not (probe := nft_available()):
        pytest.skip(f"nftables cannot be used here: {probe.reason}")
    bench = new_namespace()
    segment = Segment("wire", "wlan0", f"{TERMINAL}/24", "10.64.1.1/24")
    terminal = in_namespace(bench, lambda: build_virtual_network([segment], "netem", [HOST])).terminal
    yield bench, terminal
    os.close(terminal)
    os.close(bench)


@pytest.fixture
def wire(namespaces: tuple[int, int]) -> Iterator[Wire]:
    bench, terminal = namespaces
    listener = in_namespace(bench, lambda: socket.create_server((HOST, next(ports))))
    with listener, in_namespace(bench, lambda: WireCut("wire")) as cut:
        yield Wire(bench, terminal, cut, listener)


def silent(connection: socket.socket, seconds: float = 0.0) -> bool:
    return not select.select([connection], [], [], seconds)[0]


def served(terminal: socket.socket, host: socket.socket, request: bytes = REQUEST) -> bool:
    """Whether a request gets its answer."""
    terminal.sendall(request)
    assert host.recv(4096) == request
    host.sendall(ANSWER)
    return not silent(terminal, 0.15) and terminal.recv(4096) == ANSWER


def test_the_answer_is_lost(wire: Wire) -> None:
    wire.arm()
    terminal, host = wire.connect()
    assert served(terminal, host, OTHER)
    assert wire.counts == CutCounts()
    assert not served(terminal, host)
    assert wire.counts.hits == 1
    assert wire.counts.answers_lost >= 1
    wire.cut.disarm()
    assert terminal.recv(4096) == ANSWER  # TCP sends it again: the wire is whole
    assert served(terminal, host)


def test_a_cut_heals_by_itself_and_only_once(wire: Wire) -> None:
    wire.arm(heals_after_s=0.1)
    terminal, host = wire.connect()
    terminal.sendall(REQUEST)
    host.sendall(ANSWER)
    assert terminal.recv(4096) == ANSWER
    assert wire.counts.hits == 1
    assert wire.counts.answers_lost >= 1
    host.recv(4096)
    assert served(terminal, host)
    assert wire.counts.hits == 1


def test_the_request_is_lost_and_never_comes_later(wire: Wire) -> None:
    wire.arm(effect=Effect.REQUEST_LOST)
    terminal, host = wire.connect()
    terminal.sendall(REQUEST)
    assert silent(host, 0.3)
    assert wire.counts.hits == 1
    assert wire.counts.requests_lost >= 2, "sent again, and lost again"
    wire.cut.disarm()
    with pytest.raises(ConnectionResetError):
        terminal.recv(4096)
    assert silent(host)
    assert served(*wire.connect())


def test_the_request_comes_late_where_the_wire_heals(wire: Wire) -> None:
    wire.arm(effect=Effect.REQUEST_LOST, heals_after_s=0.05)
    terminal, host = wire.connect()
    begun = time.monotonic()
    terminal.sendall(REQUEST)
    assert host.recv(4096) == REQUEST
    assert time.monotonic() - begun > 0.05
    assert wire.counts.requests_lost >= 1


def test_a_reset_in_place_of_the_answer(wire: Wire) -> None:
    wire.arm(effect=Effect.ANSWER_RESET)
    terminal, host = wire.connect()
    bystander = wire.connect()
    terminal.sendall(REQUEST)
    assert host.recv(4096) == REQUEST
    host.sendall(ANSWER)
    with pytest.raises(ConnectionResetError):
        terminal.recv(4096)
    assert wire.counts.hits == wire.counts.resets == 1
    assert wire.counts.answers_lost >= 1
    assert served(*bystander, OTHER)
    assert served(*wire.connect())


@pytest.fixture
def bridged(root: None) -> Iterator[Wire]:
    """A bench that only bridges between the terminal and its host: no packet is the bench's own."""
    bench, terminal, host = (new_namespace() for _ in range(3))

    def ip(namespace: int, *words: str) -> None:
        in_namespace(namespace, lambda: subprocess.run(["ip", *words], check=True))

    ip(bench, "link", "add", "br0", "up", "type", "bridge")
    for end, port, interface, address in ((terminal, "wire", "wlan0", TERMINAL), (host, "uplink", "eth0", "10.64.1.9")):
        ip(bench, "link", "add", port, "master", "br0", "up", "type", "veth", "peer", "name", "end")
        ip(bench, "link", "set", "end", "netns", f"/proc/{os.getpid()}/fd/{end}", "name", interface)
        ip(end, "address", "add", f"{address}/24", "dev", interface)
        ip(end, "link", "set", interface, "up")
    try:
        cut = in_namespace(bench, lambda: WireCut("wire"))
    except BenchTrouble:
        pytest.skip("kernel has no nftables for bridges")
    with cut, in_namespace(host, lambda: socket.create_server(("10.64.1.9", 5000))) as listener:
        yield Wire(bench, terminal, cut, listener, "10.64.1.9")
    for namespace in (bench, terminal, host):
        os.close(namespace)


def test_a_reset_where_the_bench_only_bridges(bridged: Wire) -> None:
    bridged.arm(effect=Effect.ANSWER_RESET)
    terminal, host = bridged.connect()
    terminal.sendall(REQUEST)
    assert host.recv(4096) == REQUEST
    host.sendall(ANSWER)
    with pytest.raises(ConnectionResetError):
        terminal.recv(4096)
    assert bridged.counts.hits == bridged.counts.resets == 1
    assert served(*bridged.connect())


@pytest.mark.parametrize("trigger", [Payload(7, b"0200", number=3), TlsRecord(3, at_least_bytes=50)])
def test_the_third_one(wire: Wire, trigger: Trigger) -> None:
    """Over several connections; small records between do not count."""
    wire.arm(trigger)
    request = REQUEST if isinstance(trigger, Payload) else b"\x17\x03\x03\x00\x32" + bytes(50)
    for number in range(1, 4):
        terminal, host = wire.connect()
        assert served(terminal, host, b"\x17\x03\x03\x00\x31" + bytes(49))
        assert served(terminal, host, b"\x16\x03\x03\x00\x32" + bytes(50))
        assert served(terminal, host, request) == (number < 3)
    assert wire.counts.hits == 1


def test_what_is_sent_again_counts_once(wire: Wire) -> None:
    wire.arm(Payload(7, b"0200", number=2))
    terminal, host = wire.connect()
    raw = in_namespace(wire.terminal, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)))
    with raw:
        raw.bind(("wlan0", 3))
        raw.settimeout(3)
        assert served(terminal, host)
        while REQUEST not in (packet := raw.recv(2048)):
            pass
        for _ in range(3):
            raw.send(packet)
    assert served(terminal, host, OTHER)
    assert wire.counts.hits == 0
    assert not served(terminal, host)
    assert wire.counts.hits == 1


def test_a_connection_from_before_is_no_request_unless_the_line_stands(wire: Wire) -> None:
    terminal, host = wire.connect()
    wire.arm()
    assert served(terminal, host)
    assert wire.counts.hits == 0
    wire.arm(standing_line=True)
    assert not served(terminal, host)
    assert wire.counts.hits == 1


def test_another_port_is_not_met(wire: Wire) -> None:
    wire.cut.arm(Cut(Effect.ANSWER_LOST, SALE, wire.port + 1000))
    assert served(*wire.connect())
    assert wire.counts.hits == 0


def test_nothing_is_left_and_foreign_tables_are_not_touched(wire: Wire) -> None:
    def nft(command: str) -> str:
        return in_namespace(wire.bench, lambda: subprocess.run(["nft", command], capture_output=True, text=True)).stdout

    nft('add table netdev theirs; add chain netdev theirs c { type filter hook ingress device "wire" priority 0; }')
    before = nft("list table netdev theirs")
    wire.arm()
    assert "pos-rig-" in nft("list tables")
    wire.cut.close()
    assert nft("list tables").strip() == "table netdev theirs"
    assert nft("list table netdev theirs") == before
    assert served(*wire.connect())
    nft("delete table netdev theirs")


HOLDER = """
import sys
from rig.bearers.wire_cut import *
from rig.bearers.wire_trigger import *
wire = WireCut("wire")
wire.arm(Cut(Effect.ANSWER_LOST, Payload(7, b"0200"), int(sys.argv[1])))
print("armed", flush=True)
sys.stdin.read()
"""


def test_killed_during_a_cut(wire: Wire) -> None:
    """The wire is whole at once, and what somebody else filters there is still filtered."""

    def nft(*words: str) -> str:
        return in_namespace(wire.bench, lambda: subprocess.run(["nft", *words], capture_output=True, text=True)).stdout

    nft('add table netdev theirs; add chain netdev theirs c { type filter hook ingress device "wire" priority 0; }')
    command = [sys.executable, "-c", HOLDER, str(wire.port)]
    with in_namespace(
        wire.bench,
        lambda: subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE),
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"armed\n"
        terminal, host = wire.connect()
        assert not served(terminal, host)
        theirs = nft("list table netdev theirs")
        holder.kill()
    assert terminal.recv(4096) == ANSWER
    assert served(terminal, host)
    deadline = time.monotonic() + 3
    while f"pos-rig-{holder.pid}-" in nft("list tables"):
        assert time.monotonic() < deadline
    assert nft("list table netdev theirs") == theirs
    nft("delete table netdev theirs")


def test_no_such_interface(namespaces: tuple[int, int]) -> None:
    with pytest.raises(DeviceGone, match="wlan9"):
        WireCut("wlan9")


def test_an_interface_that_goes_away(root: None) -> None:
    namespace = new_namespace()

    def ip(*words: str) -> None:
        in_namespace(namespace, lambda: subprocess.run(["ip", *words], check=True))

    ip("link", "add", "usb0", "type", "veth")
    with in_namespace(namespace, lambda: WireCut("usb0")) as cut:
        cut.arm(Cut(Effect.ANSWER_LOST, SALE, 5000))
        ip("link", "delete", "usb0")
        assert cut.counts().hits == 0
        with pytest.raises(DeviceGone, match="usb0"):
            cut.arm(Cut(Effect.ANSWER_LOST, SALE, 5000))
        ip("link", "add", "usb0", "type", "veth")
        cut.arm(Cut(Effect.ANSWER_LOST, SALE, 5000))
        assert cut.counts() == CutCounts()
    os.close(namespace)


def test_a_cut_names_its_packet_and_its_port(wire: Wire) -> None:
    wire.arm()
    with pytest.raises(CallerMistake):
        wire.cut.arm(Cut(Effect.ANSWER_LOST))
    terminal, host = wire.connect()
    assert not served(terminal, host), "what was armed still is"


def test_a_long_payload_is_matched(wire: Wire) -> None:
    content = bytes(range(64))
    request = bytes(100) + content
    wire.arm(Payload(100, content))
    assert served(*wire.connect(), request[:-1] + b"x")
    assert not served(*wire.connect(), request)
    assert TlsRecord(1).match == "@ih,0,16 0x1703 @ih,24,16 >= 150"
