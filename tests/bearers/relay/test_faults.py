"""What the relay does to real packets beside delay, loss and rate, and the steps of a timeline."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from rig.bearers.impairment import CLEAN, CUT, Distribution, Impairment, Overhead
from rig.bearers.kernel import kernel_session
from rig.bearers.loss import GilbertElliott
from rig.bearers.netspace import in_namespace
from rig.bearers.relay.model import DirectionModel
from rig.bearers.userspace import UserSpaceLink
from rig.rpc import RpcError
from tests.bearers.conftest import Probe, RelayBench


@pytest.fixture
def no_arp(relay_bench: RelayBench) -> Iterator[None]:
    """The terminal knows its gateway, so that nothing but the probe's packets throws the dice of the way up."""

    def hardware() -> str:
        with kernel_session("wifi") as kernel:
            return str(kernel.get_links(ifname="wifi")[0].get_attr("IFLA_ADDRESS"))

    def learn(verb: str, address: str) -> None:
        with kernel_session("wlan0") as kernel:
            index = kernel.link_lookup(ifname="wlan0")[0]
            kernel.neigh(verb, dst="10.64.1.1", lladdr=address, ifindex=index, state="permanent")

    address = in_namespace(relay_bench.namespace, hardware)
    in_namespace(relay_bench.network.terminal, lambda: learn("replace", address))
    yield
    in_namespace(relay_bench.network.terminal, lambda: learn("del", address))


@contextmanager
def packets_on(bench: RelayBench, interface: str) -> Iterator[socket.socket]:
    """Everything that comes in on an interface of the bench's."""

    def listen() -> socket.socket:
        made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        made.bind((interface, 3))
        made.settimeout(0.1)
        return made

    with in_namespace(bench.namespace, listen) as sniffer:
        yield sniffer


def frames(sniffer: socket.socket) -> list[bytes]:
    """Incoming frames until it is silent."""
    came = []
    try:
        while True:
            frame, origin = sniffer.recvfrom(2048)
            if origin[2] != socket.PACKET_OUTGOING:
                came.append(frame)
    except TimeoutError:
        return came


def checks(frame: bytes) -> bool:
    """Whether an Ethernet frame holds UDP over IPv4 whose sums of RFC 1071 are right."""
    header, datagram = frame[14:34], frame[34:]
    pseudo = header[12:20] + struct.pack("!HH", 17, len(datagram))
    return frame[12:14] == b"\x08\x00" and header[0] == 0x45 and header[9] == 17 and sums(header, pseudo + datagram)


def sums(*parts: bytes) -> bool:
    return all(sum(struct.unpack(f"!{len(part) // 2}H", part)) % 0xFFFF == 0 for part in parts)


def turned(frame: bytes, bit: int) -> bytes:
    return (int.from_bytes(frame, "little") ^ 1 << bit).to_bytes(len(frame), "little")


EVERYTHING = Impairment(
    delay_ms=30,
    jitter_ms=5,
    distribution=Distribution.PARETO_NORMAL,
    burst_loss=GilbertElliott(1, 20, 90, 0.5),
    duplicate_percent=1,
    corrupt_percent=2,
    reorder_percent=3,
    rate_kbit=64,
    overhead=Overhead(10, 48, 5),
    seed=2**64 - 1,
)


def test_every_field_reads_back(wifi: UserSpaceLink) -> None:
    read_back = wifi.apply(EVERYTHING, CLEAN)
    assert (read_back.up, read_back.down) == (EVERYTHING, CLEAN)


def test_a_duplicate_is_seen_twice(wifi: UserSpaceLink, probe: Probe) -> None:
    wifi.apply(Impairment(delay_ms=5, duplicate_percent=100), CLEAN)
    probe.send(True, 20, 0.001)
    assert [number for number, _ in probe.receive(True, 0.1)] == [number // 2 for number in range(40)]


def test_a_corrupt_packet_differs_by_one_bit_and_fails_its_check_sum(
    relay_bench: RelayBench, wifi: UserSpaceLink, probe: Probe, no_arp: None
) -> None:
    asked = Impairment(corrupt_percent=100, seed=3)
    model = DirectionModel(0)
    model.set(asked)
    bits = [model.admit(0, 142)[0].turned_bit or 0 for _ in range(40)]
    in_addresses = [number for number, bit in enumerate(bits) if bit // 8 < 12]  # of hardware: no sum covers them
    in_source = [number for number in in_addresses if bits[number] // 8 >= 6]
    with packets_on(relay_bench, "wifi") as sniffer:
        wifi.apply(asked, CLEAN)
        probe.send(True, 40, 0.001)
        damaged = frames(sniffer)
    assert [number for number, _ in probe.receive(True, 0.05)] == in_source
    assert [number for number, frame in enumerate(damaged) if checks(frame)] == in_addresses
    mended = [turned(frame, bit) for frame, bit in zip(damaged, bits, strict=True)]
    assert all(checks(frame) for frame in mended)
    assert [int.from_bytes(frame[42:46]) for frame in mended] == list(range(40))
    assert len({frame[:14] for frame in mended}) == 1


def test_disorder_comes_where_it_is_asked_for(wifi: UserSpaceLink, probe: Probe) -> None:
    wifi.apply(Impairment(delay_ms=40, reorder_percent=30, seed=9), CLEAN)
    probe.send(True, 200, 0.001)
    came = [number for number, _ in probe.receive(True, 0.2)]
    overtaking = [number for place, number in enumerate(came) if number > min(came[place:])]
    assert sorted(came) == list(range(200))
    assert len(overtaking) == pytest.approx(60, abs=30)


def test_a_seed_repeats_the_fate_of_every_packet(wifi: UserSpaceLink, probe: Probe, no_arp: None) -> None:
    def survivors() -> list[int]:
        wifi.apply(Impairment(loss_percent=50, seed=42), CLEAN)
        probe.send(True, 60)
        return [number for number, _ in probe.receive(True, 0.1)]

    first = survivors()
    assert 10 < len(first) < 50
    assert survivors() == first


def test_prepared_steps_are_put_by_their_number(relay_bench: RelayBench, wifi: UserSpaceLink) -> None:
    steps = [(Impairment(delay_ms=number), EVERYTHING if number % 2 else CUT) for number in range(70)]
    prepared = wifi.prepare(steps)
    assert wifi.read().up == CLEAN
    for number in (69, 0, 33):
        prepared.put(number)
        read_back = wifi.read()
        assert (read_back.up, read_back.down) == steps[number]
        event = relay_bench.events("link_set")[-1]
        assert event.data["up"] == steps[number][0].to_dict()
        assert event.data["intended_t"] <= event.data["applied_t"] <= event.t


def test_a_step_that_is_not_there_changes_nothing(wifi: UserSpaceLink) -> None:
    old = wifi.prepare([(CUT, CUT)])
    new = wifi.prepare([(Impairment(delay_ms=7), CLEAN)])
    with pytest.raises(RpcError, match=r"plan \d+ is not in hand"):
        old.put(0)
    for number in (-1, 1):
        with pytest.raises(RpcError, match=f"no step {number} of 1"):
            new.put(number)
    with pytest.raises(RpcError, match="no step 0 of 0"):
        wifi.prepare([]).put(0)
    with pytest.raises(RpcError, match="not in hand"):
        new.put(0)
    assert wifi.read().up == CLEAN
