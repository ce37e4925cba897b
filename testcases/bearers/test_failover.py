"""Several bearers in one terminal: which it uses, and that a sale in the middle of which one is lost is charged once.

What matters is where the request was when the bearer went away. Before it has left, the next bearer may carry it; once
it has left, only a reversal may follow, over whatever bearer there is: the host may have booked it.
"""

from __future__ import annotations

import pytest

from rig.bench import Bench
from rig.faults import Moment, cut, switch_off
from rig.history import read_history
from rig.verdict import Verdict

CARD = "visa-credit"
FLAPS = 3
PAIRS = [("wifi", "lte"), ("ethernet", "umts"), ("lte", "gprs"), ("umts", "bluetooth"), ("wifi", "dialup")]
_SALES = ("0100", "0200")

pytestmark = pytest.mark.needs("card")
pairs = pytest.mark.parametrize(
    ("first", "second"),
    [pytest.param(*pair, marks=pytest.mark.needs(*pair), id="-".join(pair)) for pair in PAIRS],
)


def carried_by(bench: Bench) -> str:
    """The bearer by which the host got the newest sale, told by the terminal's address there; a call has none."""
    sales = [event for event in read_history(bench.run / "journals").of("request_received")
             if event.data["mti"] in _SALES]  # fmt: skip
    peer = max(sales, key=lambda event: event.t).data["peer"]
    addresses = {bench.file.terminal_address(name): name for name, each in bench.file.bearers.items()
                 if each.has_packets}  # fmt: skip
    calls = [name for name, each in bench.file.bearers.items() if not each.has_packets]
    return addresses.get(peer) or next(iter(calls), f"somebody at {peer}")


@pairs
@pytest.mark.requires(Verdict.COMPLETED)
def test_priority_and_failback(bench: Bench, first: str, second: str) -> None:
    """The first bearer is used while it is there, the second while it is not, and then the first again."""
    bench.use_only(first, second)
    used = []
    assert bench.sale(35_00, CARD).approved
    used.append(carried_by(bench))
    assert bench.sale(35_01, CARD, switch_off(first).at(Moment.BETWEEN_SALES)).approved
    used.append(carried_by(bench))
    bench.bring_back(first)
    assert bench.sale(35_02, CARD).approved
    used.append(carried_by(bench))
    assert used == [first, second, first]


@pairs
@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_lost_while_the_host_has_the_request(bench: Bench, first: str, second: str) -> None:
    """The first bearer vanishes once the request has left: never the same sale again over the second, but a reversal,
    and the next sale completes over the second.
    """
    bench.use_only(first, second)
    lost = bench.sale(35_10, CARD, switch_off(first).at(Moment.REQUEST_RECEIVED))
    found = bench.sale(35_11, CARD)
    assert (lost.approved, found.approved) == (False, True)
    assert carried_by(bench) == second


@pairs
@pytest.mark.needs("card: moments")
@pytest.mark.requires(Verdict.COMPLETED)
def test_silent_before_the_request(bench: Bench, first: str, second: str) -> None:
    """The first bearer keeps its carrier and says nothing more: given up before the request has left, and completed
    over the second.
    """
    bench.use_only(first, second)
    assert bench.sale(35_20, CARD, cut(first).at(Moment.BEFORE_REQUEST)).approved
    assert carried_by(bench) == second


@pairs
@pytest.mark.requires(Verdict.COMPLETED)
def test_flapping(bench: Bench, first: str, second: str) -> None:
    """The first bearer comes and goes between sales: each completes, by the best bearer of its moment."""
    bench.use_only(first, second)
    used, wanted = [], []
    for number in range(FLAPS):
        assert bench.sale(35_30 + 2 * number, CARD, switch_off(first).at(Moment.BETWEEN_SALES)).approved
        used.append(carried_by(bench))
        bench.bring_back(first)
        assert bench.sale(35_31 + 2 * number, CARD).approved
        used.append(carried_by(bench))
        wanted += [second, first]
    assert used == wanted


@pairs
@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_flapping_while_the_host_has_requests(bench: Bench, first: str, second: str) -> None:
    """The first bearer vanishes in the middle of each sale and is there again for the next: no sale is charged that the
    cash register did not see approved.
    """
    bench.use_only(first, second)
    for number in range(FLAPS):
        assert not bench.sale(35_40 + number, CARD, switch_off(first).at(Moment.REQUEST_RECEIVED)).approved
        bench.bring_back(first)
    assert bench.sale(35_49, CARD).approved


@pytest.mark.requires(Verdict.COMPLETED)
def test_down_the_list(bench: Bench) -> None:
    """One bearer after the other is lost: the terminal goes down its list, and at the end back to the first."""
    names = list(bench.bearers)
    bench.use_only(*names)
    used = []
    for number, _ in enumerate(names):
        gone = [switch_off(names[number - 1]).at(Moment.BETWEEN_SALES)] if number else []
        assert bench.sale(35_50 + number, CARD, *gone).approved
        used.append(carried_by(bench))
    bench.bring_back(names[0])
    assert bench.sale(35_69, CARD).approved
    used.append(carried_by(bench))
    assert used == [*names, names[0]]
