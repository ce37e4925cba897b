"""Issuer and card after the host's answer: only a contact card can still say no, and then the money goes back."""

from __future__ import annotations

import pytest

from rig.bench import Bench
from rig.cards.faults import Place
from rig.cards.profile import Interface
from rig.cards.spoil import Status
from rig.faults import (
    Moment,
    cut,
    cut_ecr,
    cut_power,
    no_response_cryptogram,
    spoil_card,
    tear_card,
    wrong_response_cryptogram,
)
from rig.verdict import Verdict

pytestmark = [pytest.mark.needs("contact card"), pytest.mark.parametrize("bearer", ["wifi"], indirect=True)]


@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_wrong_response_cryptogram(bench: Bench, bearer: str) -> None:
    """The issuer's proof is wrong: the card says no to an approved sale, which is reversed."""
    sale = bench.sale(5_10, "mastercard-credit", wrong_response_cryptogram(), interface=Interface.CONTACT)
    assert not sale.approved


@pytest.mark.requires(Verdict.COMPLETED, Verdict.FAILED_SAFELY)
def test_no_response_cryptogram(bench: Bench, bearer: str) -> None:
    """The issuer sends no proof: the card decides, and the money follows it."""
    bench.sale(5_11, "mastercard-credit", no_response_cryptogram(), interface=Interface.CONTACT)


@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_second_cryptogram_declines(bench: Bench, bearer: str) -> None:
    """The host approves and the card declines: the sale is reversed."""
    sale = bench.sale(5_12, "second-declines", interface=Interface.CONTACT)
    assert not sale.approved


@pytest.mark.needs("contact card: tear")
@pytest.mark.requires(Verdict.FAILED_SAFELY)
@pytest.mark.parametrize("place", ["before", "after"])
def test_pulled_before_the_end(bench: Bench, bearer: str, place: Place) -> None:
    """The card leaves the slot before its first cryptogram, or before its answer counts: no money moves."""
    sale = bench.sale(5_13, "mastercard-credit", tear_card("GPO", place), interface=Interface.CONTACT)
    assert not sale.approved


@pytest.mark.needs("contact card: tear")
@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_pulled_before_the_second_cryptogram(bench: Bench, bearer: str) -> None:
    """The host has approved when the card leaves the slot: the sale is reversed."""
    tear = tear_card("GENERATE AC", number=2)
    sale = bench.sale(5_14, "mastercard-credit", tear, interface=Interface.CONTACT)
    assert not sale.approved


@pytest.mark.needs("contact card: responses")
@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_first_cryptogram_refused(bench: Bench, bearer: str) -> None:
    """The chip refuses its cryptogram: nothing is charged."""
    refused = spoil_card("GENERATE AC", Status(0x6985))
    sale = bench.sale(5_15, "mastercard-credit", refused, interface=Interface.CONTACT)
    assert not sale.approved


@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_answer_lost_while_the_card_waits(bench: Bench, bearer: str) -> None:
    """The host has booked the sale and its answer is lost: the card is told to decline, and the sale is reversed."""
    sale = bench.sale(5_16, "mastercard-credit", cut("wifi").at(Moment.REQUEST_RECEIVED), interface=Interface.CONTACT)
    assert not sale.approved


@pytest.mark.needs("power control")
@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_power_lost_behind_the_second_cryptogram(bench: Bench, bearer: str) -> None:
    """The card turned an approved sale down and the power goes: the reversal goes out after the reboot."""
    power = cut_power().at(Moment.STATUS_INFORMATION)
    sale = bench.sale(5_17, "second-declines", power, interface=Interface.CONTACT)
    assert not sale.approved


@pytest.mark.needs("cash-register link")
@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_cash_register_lost_while_the_card_waits(bench: Bench, bearer: str) -> None:
    """Host and card approve, and nobody acknowledges it: the sale is reversed."""
    sale = bench.sale(5_18, "mastercard-credit", cut_ecr().at(Moment.REQUEST_RECEIVED), interface=Interface.CONTACT)
    assert not sale.approved
