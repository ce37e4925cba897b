"""The card approves by itself, or the network is lost behind its cryptogram: never a silent approval."""

from __future__ import annotations

import pytest

from rig.bench import Bench
from rig.cards.profile import Interface
from rig.faults import Moment, cut, cut_ecr, cut_power
from rig.verdict import Verdict

pytestmark = [pytest.mark.needs("card"), pytest.mark.parametrize("bearer", ["wifi"], indirect=True)]


OFFLINE = ["visa-offline", "approves-by-itself", "unionpay-stored-value"]


@pytest.mark.requires(Verdict.COMPLETED)
@pytest.mark.parametrize("card", OFFLINE)
def test_approved_by_the_card(bench: Bench, bearer: str, card: str) -> None:
    """The card approves by itself, and the host books it when it is told."""
    sale = bench.sale(6_10, card, interface=Interface.CONTACTLESS)
    assert sale.approved


@pytest.mark.requires(Verdict.COMPLETED)
def test_approved_by_the_card_without_a_network(bench: Bench, bearer: str) -> None:
    """There is no network when the card approves: the host is told when it is back, and books once."""
    sale = bench.sale(6_13, "visa-offline", cut("wifi").at(Moment.BETWEEN_SALES), interface=Interface.CONTACTLESS)
    assert sale.approved


@pytest.mark.requires(Verdict.COMPLETED, Verdict.FAILED_SAFELY)
def test_without_proof_never_by_the_card_alone(bench: Bench, bearer: str) -> None:
    """The card would approve by itself and its signature is wrong: its issuer decides, or nobody."""
    sale = bench.sale(6_14, "broken-dynamic", cut("wifi").at(Moment.BETWEEN_SALES), interface=Interface.CONTACTLESS)
    assert not sale.approved


@pytest.mark.needs("card: moments")
@pytest.mark.requires(Verdict.FAILED_SAFELY)
@pytest.mark.parametrize("card", ["visa-credit", "mastercard-credit"])
def test_network_lost_behind_the_cryptogram(bench: Bench, bearer: str, card: str) -> None:
    """The card asked for its issuer and the network is gone: a reversal or nothing, never a silent approval."""
    sale = bench.sale(6_11, card, cut("wifi").at(Moment.BEFORE_REQUEST))
    assert not sale.approved


@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_answer_lost_behind_the_cryptogram(bench: Bench, bearer: str) -> None:
    """The host has booked the cryptogram when the network goes: the terminal reverses."""
    sale = bench.sale(6_12, "mastercard-credit", cut("wifi").at(Moment.REQUEST_RECEIVED))
    assert not sale.approved


@pytest.mark.needs("power control")
@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_power_lost_while_an_approval_of_the_card_is_printed(bench: Bench, bearer: str) -> None:
    """The card has approved and the cash register has half a receipt: undone, and the host never hears of it."""
    sale = bench.sale(6_15, "visa-offline", cut_power().at(Moment.PRINT_LINE), interface=Interface.CONTACTLESS)
    assert not sale.approved


@pytest.mark.needs("cash-register link")
@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_cash_register_lost_while_an_approval_of_the_card_is_printed(bench: Bench, bearer: str) -> None:
    """The card has approved and nobody acknowledges it: undone, and the host never hears of it."""
    sale = bench.sale(6_16, "visa-offline", cut_ecr().at(Moment.PRINT_LINE), interface=Interface.CONTACTLESS)
    assert not sale.approved


@pytest.mark.requires(Verdict.COMPLETED)
def test_approval_of_the_card_voided_and_settled(bench: Bench, bearer: str) -> None:
    """The host is told of the sale before it is voided, and the day's totals agree."""
    sale = bench.sale(6_17, "visa-offline", interface=Interface.CONTACTLESS)
    assert sale.approved
    assert bench.void(sale).approved
    assert bench.end_of_day().approved
