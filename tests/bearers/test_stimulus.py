"""An impairment is believed when packets were seen to meet it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from rig.bearers.bearer import Bearer
from rig.bearers.impairment import CLEAN, CUT, Impairment
from rig.bearers.loss import GilbertElliott
from rig.bearers.netspace import in_namespace
from rig.bearers.probe import Prober
from rig.bearers.stimulus import Witness
from tests.bearers.conftest import RelayBench

TERMINAL = "10.64.1.2"
Told = list[tuple[str, Mapping[str, Any]]]


@pytest.fixture
def told() -> Told:
    return []


@pytest.fixture
def bearer(relay_bench: RelayBench, told: Told) -> Iterator[Bearer]:
    link = relay_bench.link("wifi")
    prober = in_namespace(relay_bench.namespace, lambda: Prober(TERMINAL, "wifi"))
    made = Bearer("wifi", "wifi", link, lambda kind, data: told.append((kind, data)), Witness(link, prober))
    prober.rtt()  # whoever resolves a neighbour first would wait for it
    yield made
    made.restore()
    made.close()


@pytest.fixture
def unasked(relay_bench: RelayBench, told: Told) -> Iterator[Bearer]:
    """A bearer of a terminal whose address nobody knows."""
    made = Bearer("wifi", "wifi", relay_bench.link("wifi"), lambda kind, data: told.append((kind, data)))
    yield made
    made.restore()


def stimuli(told: Told) -> list[tuple[bool, str]]:
    return [(data["shown"], data["by"]) for kind, data in told if kind == "stimulus"]


@pytest.mark.parametrize(
    ("up", "down", "by"),
    [
        (CUT, CUT, "a dropped probe"),
        (CLEAN, CUT, "a dropped probe"),
        (CUT, CLEAN, "a dropped probe"),
        (Impairment(delay_ms=40), CLEAN, "a late probe"),
        (CLEAN, Impairment(delay_ms=30, jitter_ms=10, rate_kbit=500), "a late probe"),
        (CLEAN, Impairment(loss_percent=20), "lost probes"),
        (Impairment(loss_percent=20), CLEAN, "lost probes"),
        (Impairment(burst_loss=GilbertElliott(10, 30)), CLEAN, "lost probes"),
    ],
    ids=str,
)
def test_what_a_probe_can_see_is_seen_at_once(
    bearer: Bearer, told: Told, up: Impairment, down: Impairment, by: str
) -> None:
    bearer.impair(up, down)
    assert stimuli(told) == [(True, by)]
    bearer.restore()
    assert stimuli(told) == [(True, by)]


def test_a_clean_link_has_nothing_to_show(bearer: Bearer, told: Told) -> None:
    bearer.impair(CLEAN)
    bearer.restore()
    assert stimuli(told) == []


@pytest.mark.parametrize("impairment", [CUT, Impairment(loss_percent=0.01), Impairment(rate_kbit=100)], ids=str)
def test_where_nobody_can_be_asked_the_traffic_tells(
    unasked: Bearer, relay_bench: RelayBench, told: Told, impairment: Impairment
) -> None:
    unasked.impair(impairment)
    assert stimuli(told) == []
    probe = relay_bench.probe("wlan0")
    begun = total(unasked)
    probe.send(up=True, count=3)
    wait_until_counted(unasked, begun + 3)
    unasked.restore()
    assert stimuli(told) == [(True, "packets that met it")]
    probe.close()


def test_an_impairment_that_no_packet_met_is_not_believed(unasked: Bearer, told: Told) -> None:
    unasked.impair(CUT)
    unasked.impair(Impairment(delay_ms=100))
    unasked.restore()
    assert stimuli(told) == [(False, "nothing"), (False, "nothing")]


def test_a_link_that_only_remembers_is_not_believed(
    bearer: Bearer, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What reads back well and does nothing: the probe comes as early as ever."""
    applied = bearer.link.apply
    monkeypatch.setattr(bearer.link, "apply", lambda up, down: applied(CLEAN, CLEAN))
    bearer.impair(CUT)
    assert stimuli(told) == []
    bearer.restore()
    assert stimuli(told) == [(False, "nothing")]


@pytest.mark.parametrize(
    ("asked", "by"),
    [(Impairment(delay_ms=100), "early probes"), (Impairment(loss_percent=20), "a whole volley")],
    ids=str,
)
def test_what_probes_have_disproved_no_traffic_proves(
    bearer: Bearer, relay_bench: RelayBench, told: Told, monkeypatch: pytest.MonkeyPatch, asked: Impairment, by: str
) -> None:
    """Packets pass a link that only remembers its delay or its loss, and that shows nothing."""
    applied = bearer.link.apply
    monkeypatch.setattr(bearer.link, "apply", lambda up, down: applied(CLEAN, CLEAN))
    bearer.impair(asked)
    begun = total(bearer)
    probe = relay_bench.probe("wlan0")
    probe.send(up=True, count=3)
    wait_until_counted(bearer, begun + 3)
    bearer.restore()
    assert stimuli(told) == [(False, by)]
    probe.close()


def test_a_round_trip_that_was_never_known_without_is_no_proof() -> None:
    """The terminal's network alone takes 60 ms, and it slept when it was asked before."""
    answers = iter([None, None, 60.0])

    class Sleeper:
        answered = True

        def rtt(self, _timeout_s: float) -> float | None:
            return next(answers, 60.0)

    class Remembering:
        def counters(self) -> Any:
            return {"up": {"packets": 0, "dropped": 0}, "down": {"packets": 0, "dropped": 0}}

    witness = Witness(Remembering(), Sleeper())  # type: ignore[arg-type]
    asked = Impairment(delay_ms=50)
    witness.expect(asked, CLEAN)
    assert witness.see(asked, CLEAN) is None


def wait_until_counted(bearer: Bearer, wanted: int) -> None:
    """Wait until the link has counted so many packets on the way up, passed or dropped."""
    deadline = time.monotonic() + 2
    while total(bearer) < wanted:
        assert time.monotonic() < deadline, "nothing came to the link"


def total(bearer: Bearer) -> int:
    up = bearer.counters()["up"]
    return up["packets"] + up["dropped"]
