"""The real relay process between real namespaces."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import pytest

from rig.bearers.bearer import Bearer
from rig.bearers.impairment import CLEAN, CUT, Impairment
from rig.bearers.interface import set_up
from rig.bearers.netspace import in_namespace
from rig.bearers.userspace import UserSpaceLink, clear_all
from rig.rpc import RpcError
from tests.bearers.conftest import HOST, Probe, RelayBench


def wait_for(condition: Callable[[], bool], seconds: float = 2.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.002)
    return True


@pytest.mark.parametrize("up", [True, False], ids=["up", "down"])
def test_the_least_delay_is_within_a_millisecond_of_what_was_asked(wifi: UserSpaceLink, probe: Probe, up: bool) -> None:
    base = probe.least_ms(up)
    asked = Impairment(delay_ms=20)
    wifi.apply(asked if up else CLEAN, CLEAN if up else asked)
    assert probe.least_ms(up) == pytest.approx(20, abs=1)
    assert probe.least_ms(not up) == pytest.approx(base, abs=1)


def test_a_cut_drops_both_ways_and_counts_it(wifi: UserSpaceLink, probe: Probe) -> None:
    assert probe.passes(True)
    assert probe.passes(False)
    before = wifi.counters()
    wifi.apply(CUT, CUT)
    assert not probe.passes(True)
    assert not probe.passes(False)
    after = wifi.counters()
    assert after["up"]["dropped"] > before["up"]["dropped"]
    assert after["down"]["dropped"] > before["down"]["dropped"]
    wifi.clear()
    assert probe.passes(True)
    assert probe.passes(False)


def test_a_cut_loses_what_was_on_its_way(wifi: UserSpaceLink, probe: Probe) -> None:
    wifi.apply(Impairment(delay_ms=300), CLEAN)
    probe.send(True, 5)
    assert wait_for(lambda: wifi.counters()["up"]["packets"] >= 0)
    wifi.apply(CUT, CUT)
    wifi.apply(CLEAN, CLEAN)
    assert probe.receive(True, 0.5) == []


def test_one_direction_alone_can_be_cut(wifi: UserSpaceLink, probe: Probe) -> None:
    probe.passes(True)  # so that both ends know each other's hardware address
    wifi.apply(CLEAN, CUT)
    assert probe.passes(True)
    assert not probe.passes(False)


def test_jitter_keeps_the_order(wifi: UserSpaceLink, probe: Probe) -> None:
    wifi.apply(Impairment(delay_ms=50, jitter_ms=40), CLEAN)
    probe.send(True, 400, 0.0005)
    numbers = [number for number, _ in probe.receive(True, 0.3)]
    assert numbers == list(range(400))


def test_loss_is_near_what_was_asked(wifi: UserSpaceLink, probe: Probe) -> None:
    wifi.apply(Impairment(loss_percent=20), CLEAN)
    probe.send(True, 500, 0.0004)
    assert len(probe.receive(True, 0.2)) == pytest.approx(400, abs=45)


def test_the_rate_holds(wifi: UserSpaceLink, probe: Probe) -> None:
    wifi.apply(Impairment(rate_kbit=800), CLEAN)
    size = 1000
    probe.send(True, 40, size=size)
    came = probe.receive(True, 0.2)
    seconds = 40 * (size + 42) * 8 / 800_000  # payload, UDP, IP and Ethernet headers
    assert len(came) == 40
    assert came[-1][1] / 1000 == pytest.approx(seconds, rel=0.1)


def test_a_replacement_is_absolute(wifi: UserSpaceLink) -> None:
    wifi.apply(Impairment(delay_ms=30, jitter_ms=5, loss_percent=3, rate_kbit=64), CUT)
    read_back = wifi.apply(Impairment(delay_ms=7), CLEAN)
    assert (read_back.up, read_back.down) == (Impairment(delay_ms=7), CLEAN)
    assert wifi.read() == read_back


def test_the_terminal_sees_its_carrier_go_and_come(relay_bench: RelayBench, wifi: UserSpaceLink, probe: Probe) -> None:
    assert relay_bench.terminal_carrier("wlan0")
    assert wifi.carrier(False) is False
    assert not relay_bench.terminal_carrier("wlan0")
    assert wifi.read().carrier is False
    assert wifi.carrier(True) is True
    assert relay_bench.terminal_carrier("wlan0")
    assert wait_for(lambda: probe.passes(True))


def test_the_carrier_of_a_cellular_link_reaches_the_terminal_through_the_air(relay_bench: RelayBench) -> None:
    cellular = relay_bench.link("cellular")
    cellular.carrier(False)
    assert wait_for(lambda: not relay_bench.terminal_carrier("wwan0"))
    assert relay_bench.terminal_carrier("wlan0")
    cellular.carrier(True)
    assert wait_for(lambda: relay_bench.terminal_carrier("wwan0"))


def test_a_terminal_without_power_is_no_missing_carrier(relay_bench: RelayBench, wifi: UserSpaceLink) -> None:
    in_namespace(relay_bench.network.terminal, lambda: set_up("wlan0", False))
    try:
        assert wifi.carrier(True) is True
    finally:
        in_namespace(relay_bench.network.terminal, lambda: set_up("wlan0", True))


def test_clear_all_leaves_the_radio_alone(relay_bench: RelayBench, wifi: UserSpaceLink) -> None:
    air = relay_bench.link("air")
    faded = Impairment(loss_percent=40)
    air.apply(faded, faded)
    wifi.apply(CUT, CUT)
    cleared = clear_all(relay_bench.relay)
    assert set(cleared) == {"wifi", "cellular"}
    assert wifi.read().up == CLEAN
    assert air.read().up == faded
    air.clear()


def test_two_relays_in_a_row_add_up(relay_bench: RelayBench) -> None:
    air, cellular, way = relay_bench.link("air"), relay_bench.link("cellular"), relay_bench.probe("wwan0")
    air.apply(Impairment(delay_ms=10), CLEAN)
    cellular.apply(Impairment(delay_ms=15), CLEAN)
    assert way.least_ms(True, 40) == pytest.approx(25, abs=1.5)
    air.clear()
    cellular.clear()
    way.close()


def test_a_tcp_connection_is_whole_over_the_relay(relay_bench: RelayBench) -> None:
    listener = in_namespace(relay_bench.namespace, lambda: socket.create_server((HOST, 0)))
    port = listener.getsockname()[1]
    client = in_namespace(relay_bench.network.terminal, lambda: socket.create_connection((HOST, port), 2))
    server, _ = listener.accept()
    with listener, client, server:
        sent = bytes(range(256)) * 400
        client.sendall(sent)
        assert server.recv(len(sent), socket.MSG_WAITALL) == sent


def test_every_change_is_in_the_journal(relay_bench: RelayBench, wifi: UserSpaceLink) -> None:
    wifi.apply(Impairment(delay_ms=12.5), CUT)
    event = relay_bench.events("link_set")[-1]
    assert event.data["link"] == "wifi"
    assert event.data["up"]["delay_ms"] == 12.5
    assert event.data["down"]["cut"] is True
    assert event.data["intended_t"] <= event.data["applied_t"] <= event.t


@pytest.mark.parametrize(
    ("verb", "arguments", "complaint"),
    [
        ("set", {"link": "wan", "up": {}, "down": {}}, "there is no 'wan'"),
        ("set", {"link": "wifi", "up": {"delay": 1}, "down": {}}, "unknown delay"),
        ("set", {"link": "wifi", "up": {}}, "down"),
        ("set", {"link": "wifi", "up": {"loss_percent": 101}, "down": {}}, "outside 0 to 100"),
        ("explode", {}, "unknown verb"),
    ],
)
def test_a_wrong_request_is_refused_and_changes_nothing(
    relay_bench: RelayBench, wifi: UserSpaceLink, verb: str, arguments: dict[str, object], complaint: str
) -> None:
    before = wifi.read()
    with pytest.raises(RpcError, match=complaint):
        relay_bench.relay.call(verb, **arguments)  # type: ignore[arg-type]
    assert wifi.read() == before


def test_garbage_on_the_side_door_ends_only_its_client(relay_bench: RelayBench, wifi: UserSpaceLink) -> None:
    with socket.socket(socket.AF_UNIX) as rude:
        rude.connect(str(relay_bench.folder / "link.sock"))
        rude.sendall(b"\xff\xfe{]\n" + b"x" * 200_000)
    assert wifi.read().carrier


def test_a_bearer_leaves_evidence_of_each_change(relay_bench: RelayBench, wifi: UserSpaceLink, probe: Probe) -> None:
    seen: list[tuple[str, dict[str, object]]] = []
    bearer = Bearer("wifi", "wifi", wifi, lambda kind, data: seen.append((kind, dict(data))))
    cut = bearer.cut()
    probe.passes(True)
    restored = bearer.restore()
    assert cut["read_back"]["up"]["cut"] is True
    assert restored["counters"]["up"]["dropped"] > cut["counters"]["up"]["dropped"]
    assert restored["read_back"] == {"up": CLEAN.to_dict(), "down": CLEAN.to_dict(), "carrier": True}
    assert bearer.off()["read_back"]["carrier"] is False
    assert bearer.on()["read_back"]["carrier"] is True
    changes = [data["backend"] for kind, data in seen if kind == "impairment"]
    assert changes == ["user-space link"] * 4


def test_an_idle_relay_costs_nothing(relay_bench: RelayBench) -> None:
    def ticks() -> int:
        with open(f"/proc/{relay_bench.process.process.pid}/stat") as stat:  # noqa: PTH123
            fields = stat.read().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    before = ticks()
    time.sleep(0.5)
    assert ticks() - before <= 1
