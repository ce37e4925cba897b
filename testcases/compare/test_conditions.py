"""The same sales over each bearer, under the same conditions: what `rig compare` makes its scorecard from.

Each case declares what a sound terminal may do there. A condition that does not apply to a kind of bearer is left out:
a cable has no weak signal, and where there is no TLS there is nobody that a hostile network would have to imitate.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rig.bench import Bench
from rig.faults import Moment, cut, fail, switch_off
from rig.units import Dbm, Decibel
from rig.verdict import Verdict

IDEAL_SALES = 20
SALES = 5
TRIES = 4
"""How many customers may find the terminal still without its host after the bearer has come back."""
CARD = "visa-credit"
SAFE = (Verdict.COMPLETED, Verdict.FAILED_SAFELY)

WEAK_DBM = {"LTE": Dbm(-112), "UTRAN": Dbm(-104), "GSM": Dbm(-98)}
"""Still inside the cell, but at its edge: RSRP, RSCP and RXLEV."""

WEAK_BLUETOOTH_DB = Decibel(25)
STEP_DB = 10

pytestmark = pytest.mark.needs("card")


def weak(bench: Bench, bearer: str) -> None:
    """Little signal, or as much noise as the line bears."""
    place = bench.file.bearers[bearer]
    if place.kind == "dial-up":
        bench.fail(bearer, "line-noise")
    elif place.path is not None and bearer in bench.file.watched:
        technology = bench.signal(bearer).technology or "LTE"
        bench.set_signal(place.path, WEAK_DBM.get(technology, WEAK_DBM["LTE"]))
    elif place.path is not None:
        bench.attenuate(place.path, WEAK_BLUETOOTH_DB)
    else:
        bench.impair(bearer, "lossy")


def busy(bench: Bench, bearer: str) -> None:
    """Many users of one network."""
    match bench.file.bearers[bearer].kind:
        case "dial-up":
            bench.fail(bearer, "slow-line", rate=1200)
        case "wifi":
            bench.impair(bearer, "wifi-hotel")
        case "cellular" | "private":
            bench.impair(bearer, "lte-congested")
        case _:
            bench.impair(bearer, "congested")


def out_of_range(bench: Bench, bearer: str) -> Iterator[float]:
    """Step by step away: yields what was done, in dB, or 0 for a bearer that ends where its cable does."""
    place = bench.file.bearers[bearer]
    if place.path is None:
        bench.stage.switch_bearer_off(bearer)
        yield 0.0
        return
    maximum = int(bench.stage.maximum(place.path))
    for loss in range(0, maximum + 1, STEP_DB):
        read_back = bench.attenuate(place.path, Decibel(loss))
        if bearer in bench.file.watched:
            bench.signal(bearer)  # for the scorecard: the level at which the next sale completes, or fails
        yield read_back


def recovers(bench: Bench, bearer: str, amount: int) -> bool:
    """Bring the bearer back, the others stay off: whether a sale completes, the first or one of the next.

    The terminal may still believe what it learned before: a neighbour that did not answer, a name that was not found.
    """
    bench.bring_back(bearer)
    return any(bench.sale(amount + number, CARD).approved for number in range(TRIES))


@pytest.mark.condition("ideal")
@pytest.mark.requires(Verdict.COMPLETED)
def test_ideal(bench: Bench, bearer: str) -> None:
    """Nothing is in the way: every sale completes."""
    approved = [bench.sale(20_00 + number, CARD).approved for number in range(IDEAL_SALES)]
    assert all(approved)


@pytest.mark.condition("weak signal")
@pytest.mark.kinds("wifi", "cellular", "private", "bluetooth", "dial-up")
@pytest.mark.requires(*SAFE)
def test_weak_signal(bench: Bench, bearer: str) -> None:
    """At the edge of what the bearer bears."""
    weak(bench, bearer)
    for number in range(SALES):
        bench.sale(21_00 + number, CARD)


@pytest.mark.condition("busy network")
@pytest.mark.requires(*SAFE)
def test_busy_network(bench: Bench, bearer: str) -> None:
    """Others use the same network: little rate, long delays; a slow modem on a telephone line."""
    busy(bench, bearer)
    for number in range(SALES):
        bench.sale(22_00 + number, CARD)


@pytest.mark.condition("outage")
@pytest.mark.requires(Verdict.FAILED_SAFELY)
@pytest.mark.parametrize("moment", [Moment.BETWEEN_SALES, Moment.BEFORE_REQUEST, Moment.REQUEST_RECEIVED])
def test_silence(bench: Bench, bearer: str, moment: Moment) -> None:
    """The bearer goes silent in the middle of a sale, comes back, and sales complete again."""
    lost = bench.sale(23_00, CARD, cut(bearer).at(moment))
    assert recovers(bench, bearer, 23_01)
    assert not lost.approved


@pytest.mark.condition("outage")
@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_gone(bench: Bench, bearer: str) -> None:
    """The bearer vanishes while the host has the request, and the terminal can see that it has; it comes back."""
    lost = bench.sale(23_10, CARD, switch_off(bearer).at(Moment.REQUEST_RECEIVED))
    assert recovers(bench, bearer, 23_11)
    assert not lost.approved


@pytest.mark.condition("moving")
@pytest.mark.requires(*SAFE)
def test_carried_away(bench: Bench, bearer: str) -> None:
    """Carried away with sales on the way until one fails, and back again: sales complete again."""
    for number, _step in enumerate(out_of_range(bench, bearer)):
        if not bench.sale(24_00 + number, CARD).approved:
            break
    assert recovers(bench, bearer, 24_50)


@pytest.mark.condition("hostile network")
@pytest.mark.by_tls
@pytest.mark.requires(Verdict.FAILED_SAFELY)
@pytest.mark.parametrize("self_signed", [False, True], ids=["unknown-authority", "self-signed"])
def test_impostor(bench: Bench, bearer: str, self_signed: bool) -> None:
    """Somebody on the way plays the host, with a certificate that the terminal has no reason to trust."""
    twin = fail(bearer, "evil-twin", self_signed=self_signed)
    assert not bench.sale(25_00, CARD, twin.at(Moment.BETWEEN_SALES)).approved
