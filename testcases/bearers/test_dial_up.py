"""The telephone line as the terminal's only way: dialling that comes to nothing, calls that end too early, noise.

What no call came about for has never left the terminal; what was asked and not answered is reversed in the next call.
"""

from __future__ import annotations

import pytest

from rig.bearers.dialup.link import TelephoneLink
from rig.bench import Bench
from rig.faults import Moment, cut, cut_power, fail, host_down, switch_off
from rig.verdict import Verdict

LINE = "dialup"
CARD = "visa-credit"
SAFE = (Verdict.COMPLETED, Verdict.FAILED_SAFELY)

pytestmark = [
    pytest.mark.needs("card", "calls on dialup"),
    pytest.mark.parametrize("bearer", [LINE], indirect=True),
]

dead_line = pytest.mark.needs("relay in the line of dialup")


UNREACHED = ["line-busy", "no-answer", "no-carrier", pytest.param("no-dial-tone", marks=dead_line)]


@pytest.mark.requires(Verdict.COMPLETED)
def test_several_sales_in_one_call(bench: Bench, bearer: str) -> None:
    """One call carries several sales: the terminal does not dial for each."""
    assert bench.sale(30_00, CARD).approved
    before = calls(bench)
    assert all(bench.sale(30_01 + number, CARD).approved for number in range(2))
    assert calls(bench) == before


@pytest.mark.requires(Verdict.FAILED_SAFELY)
@pytest.mark.parametrize("failure", UNREACHED)
def test_no_call_comes_about(bench: Bench, bearer: str, failure: str) -> None:
    """Nobody is reached: the terminal gives up after few attempts, and nothing has left it."""
    before = calls(bench)
    sale = bench.sale(30_10, CARD, fail(bearer, failure).at(Moment.BETWEEN_SALES))
    assert not sale.approved
    assert calls(bench) == before


@pytest.mark.requires(Verdict.FAILED_SAFELY)
@pytest.mark.parametrize("failure", UNREACHED)
def test_reached_again(bench: Bench, bearer: str, failure: str) -> None:
    """When the line is as it should be, the next sale completes."""
    lost = bench.sale(30_11, CARD, fail(bearer, failure).at(Moment.BETWEEN_SALES))
    bench.stage.bring_back(bearer)
    found = bench.sale(30_12, CARD)
    assert (lost.approved, found.approved) == (False, True)


@pytest.mark.requires(Verdict.FAILED_SAFELY)
@pytest.mark.parametrize("octets", [None, 1, 40])
def test_dropped_in_the_middle(bench: Bench, bearer: str, octets: int | None) -> None:
    """The call ends while the host has the request, or within its answer: reversed in the next call, then sold anew."""
    options = {} if octets is None else {"after_octets": octets}
    lost = bench.sale(30_20, CARD, fail(bearer, "call-dropped", **options).at(Moment.REQUEST_RECEIVED))
    found = bench.sale(30_21, CARD)
    assert (lost.approved, found.approved) == (False, True)


@dead_line
@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_line_dead_in_the_middle(bench: Bench, bearer: str) -> None:
    """The line dies while the host has the request: NO CARRIER, and no dial tone until it is back."""
    lost = bench.sale(30_30, CARD, fail(bearer, "no-dial-tone").at(Moment.REQUEST_RECEIVED))
    bench.stage.bring_back(bearer)
    found = bench.sale(30_31, CARD)
    assert (lost.approved, found.approved) == (False, True)


@pytest.mark.requires(Verdict.FAILED_SAFELY)
@pytest.mark.parametrize("moment", [Moment.BETWEEN_SALES, Moment.BEFORE_REQUEST, Moment.REQUEST_RECEIVED])
def test_silence(bench: Bench, bearer: str, moment: Moment) -> None:
    """The carrier stays and nothing comes any more: the terminal waits, reverses when it can, and sells anew."""
    lost = bench.sale(30_40, CARD, cut(bearer).at(moment))
    bench.stage.bring_back(bearer)
    found = bench.sale(30_41, CARD)
    assert (lost.approved, found.approved) == (False, True)


@pytest.mark.requires(Verdict.FAILED_SAFELY)
@pytest.mark.parametrize("moment", [Moment.BETWEEN_SALES, Moment.REQUEST_RECEIVED])
def test_switched_off(bench: Bench, bearer: str, moment: Moment) -> None:
    """The line is dead, or nobody answers any more, as the bench can make it."""
    lost = bench.sale(30_50, CARD, switch_off(bearer).at(moment))
    bench.stage.bring_back(bearer)
    found = bench.sale(30_51, CARD)
    assert (lost.approved, found.approved) == (False, True)


@pytest.mark.needs("power control")
@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_power_lost_in_a_call(bench: Bench, bearer: str) -> None:
    """The terminal and its modem lose their power in the call: after the reboot it dials anew, reverses and sells."""
    lost = bench.sale(30_80, CARD, cut_power().at(Moment.REQUEST_RECEIVED))
    bench.power_cycle()
    found = bench.sale(30_81, CARD)
    assert (lost.approved, found.approved) == (False, True)


@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_host_down_behind_the_line(bench: Bench, bearer: str) -> None:
    """The call stands and nobody is behind it: the bench hangs up, as an access controller does."""
    lost = bench.sale(30_90, CARD, host_down().at(Moment.BETWEEN_SALES))
    bench.host_up()
    found = bench.sale(30_91, CARD)
    assert (lost.approved, found.approved) == (False, True)


@pytest.mark.requires(*SAFE)
@pytest.mark.parametrize("percent", [0.2, 5.0])
def test_noise(bench: Bench, bearer: str, percent: float) -> None:
    """Noise turns bits: a damaged message is none, and never one of another amount. Without noise a sale completes."""
    bench.fail(bearer, "line-noise", percent=percent)
    for number in range(4):
        bench.sale(30_60 + number, CARD)
    bench.stage.bring_back(bearer)
    assert bench.sale(30_69, CARD).approved


@pytest.mark.requires(Verdict.COMPLETED)
@pytest.mark.parametrize("rate", [1200, 2400])
def test_slow_modem(bench: Bench, bearer: str, rate: int) -> None:
    """CONNECT at an old rate: a sale takes seconds, and completes."""
    bench.fail(bearer, "slow-line", rate=rate)
    before = calls(bench, rate)
    assert bench.sale(30_70, CARD).approved
    assert calls(bench, rate) == before + 1


def calls(bench: Bench, rate: int | None = None) -> int:
    """The calls that have stood since the bench was opened, at this rate alone where one is named."""
    link = bench.bearers[LINE].link
    assert isinstance(link, TelephoneLink)
    met: dict[str, int] = link.line.state()["met"]
    return met.get("calls" if rate is None else f"calls_at_{rate}", 0)
