"""The probe: who answers, by which way, how long it takes, and what silence is."""

from __future__ import annotations

import time

import pytest

from rig.bearers.impairment import CUT, Impairment
from rig.bearers.netspace import in_namespace
from rig.bearers.probe import Prober
from rig.bearers.probe_ways import TcpKnock
from rig.errors import BenchTrouble, CallerMistake
from tests.bearers.conftest import SEGMENTS, RelayBench

WIFI = SEGMENTS[0].terminal_address.split("/")[0]


@pytest.fixture
def prober(relay_bench: RelayBench) -> Prober:
    return in_namespace(relay_bench.namespace, lambda: Prober(WIFI, "wifi"))


def test_round_trip_is_both_delays(relay_bench: RelayBench, prober: Prober) -> None:
    link = relay_bench.link("wifi")
    link.clear()
    assert prober.rtt(2) is not None
    baseline = min(filter(None, (prober.rtt(1) for _ in range(10))))
    link.apply(Impairment(delay_ms=30), Impairment(delay_ms=20))
    shortest = min(filter(None, (prober.rtt(1) for _ in range(5))))
    link.clear()
    assert baseline < 20
    assert 50 <= shortest <= 60
    assert prober.way.name == "icmp"
    assert prober.answered


def test_a_cut_is_silence(relay_bench: RelayBench, prober: Prober) -> None:
    link = relay_bench.link("wifi")
    link.clear()
    assert prober.rtt(2) is not None
    link.apply(CUT, CUT)
    began = time.monotonic()
    assert prober.rtt(0.1) is None
    assert 0.09 < time.monotonic() - began < 1
    link.clear()
    assert prober.rtt(2) is not None
    prober.close()


def test_a_late_answer_is_not_the_next_ones(relay_bench: RelayBench, prober: Prober) -> None:
    link = relay_bench.link("wifi")
    link.clear()
    assert prober.rtt(2) is not None
    link.apply(Impairment(delay_ms=150), Impairment())
    assert prober.rtt(0.05) is None
    took = prober.rtt(2)
    link.clear()
    assert took is not None
    assert took >= 150


def test_tcp_asks_who_answers_no_ping(relay_bench: RelayBench) -> None:
    link = relay_bench.link("wifi")
    link.clear()
    prober = in_namespace(relay_bench.namespace, lambda: Prober(WIFI, "wifi"))

    class Mute:
        def __getattr__(self, name: str) -> object:
            return getattr(way, name)

        def answers(self) -> list[object]:
            return []

    way, prober.way = prober.way, Mute()  # type: ignore[assignment]
    took = in_namespace(relay_bench.namespace, lambda: prober.rtt(0.5))
    assert took is not None
    assert isinstance(prober.way, TcpKnock)
    link.apply(Impairment(delay_ms=30), Impairment())
    later = in_namespace(relay_bench.namespace, lambda: prober.rtt(0.9))
    link.clear()
    assert later is not None
    assert later >= 30


def test_bad_addresses_and_interfaces_are_named() -> None:
    with pytest.raises(CallerMistake, match=r"terminal_address.*no IPv4"):
        Prober("terminal")
    with pytest.raises(BenchTrouble, match="interface nowhere"):
        Prober("127.0.0.1", "nowhere")


def test_questions_whose_answers_nobody_collects_do_not_pile_up() -> None:
    way = TcpKnock("127.0.0.1")
    last = [way.ask() for _ in range(300)][-1]
    assert len(way.sockets()) <= 256
    assert last in {answer.sent_t for answer in way.answers()}
    way.close()


def test_silence_where_nobody_ever_answered() -> None:
    prober = Prober("127.0.0.1")
    assert prober.rtt(1) is not None
    prober.close()
