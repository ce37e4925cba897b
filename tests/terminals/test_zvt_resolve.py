"""Settling an unknown sale: what the terminal stored may be this sale, the previous one, or nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.terminals.base import LastReceipt, Outcome
from rig.terminals.zvt import ZvtTerminal
from rig.units import Money
from tests.terminals.conftest import Witness
from tests.terminals.peer import NOTHING_STORED, PAY, REGISTER, UP, Script, TcpPeer, stored

AMOUNT = Money(1234)
BEFORE = LastReceipt(7, 42)


@pytest.mark.parametrize(
    ("query", "outcome", "why"),
    [
        (stored(8, 43, 1234), Outcome.APPROVED, "this sale, 00 no error"),
        (stored(8, 43, 1234, result=0x6C), Outcome.DECLINED, "this sale, 6C"),
        (stored(0, 43, 1234), Outcome.APPROVED, "trace 43"),
        (stored(8, 0, 1234), Outcome.APPROVED, "receipt 8"),
        (stored(1, 43, 1234), Outcome.APPROVED, "receipt 1"),  # receipt numbers began again after an end of day
        (stored(7, 42, 1234), Outcome.DECLINED, "not this sale"),
        (stored(7, 42, 5000), Outcome.DECLINED, "not this sale"),
        (stored(6, 41, 1234), Outcome.DECLINED, "not this sale"),
        (NOTHING_STORED, Outcome.DECLINED, "not this sale"),
        (stored(8, 43, 1200), Outcome.UNKNOWN, "not the amount 1234"),
        ([*NOTHING_STORED[:2], "< 040F 0B 04000000001234 0B000043", "> 800000", "< 060F00", "> 800000"],
         Outcome.UNKNOWN, "without a result code"),
    ],
)  # fmt: skip
def test_what_is_stored_settles_a_sale_only_if_it_is_newer_and_of_its_amount(
    tcp_peer: TcpPeer, tcp_terminal: ZvtTerminal, query: Script, outcome: Outcome, why: str
) -> None:
    tcp_peer.plays(REGISTER + query)
    resolution = tcp_terminal.resolve(BEFORE, AMOUNT)
    assert resolution.outcome is outcome
    assert why in resolution.why
    assert resolution.by == "repeat receipt"


def test_a_sale_whose_end_was_lost_is_settled_and_never_sent_again(
    tcp_peer: TcpPeer, tcp_terminal: ZvtTerminal, witness: Witness
) -> None:
    lost = ["< 040F 02 2700", "> 800000", "reset"]
    tcp_peer.plays(REGISTER + stored(7, 42, 1234) + PAY + lost, REGISTER + stored(8, 43, 1234))
    result = tcp_terminal.sale(AMOUNT)
    assert (result.outcome, result.before) == (Outcome.UNKNOWN, BEFORE)
    assert tcp_terminal.last_receipt is None
    resolution = tcp_terminal.resolve(result.before, AMOUNT)
    assert resolution.outcome is Outcome.APPROVED
    assert (resolution.receipt, resolution.trace, resolution.amount) == (8, 43, 1234)
    assert witness.names("ecr_tx").count("authorisation") == 1
    assert tcp_terminal.last_receipt == LastReceipt(8, 43)


def test_the_first_sale_of_a_terminal_is_newer_than_nothing(tcp_peer: TcpPeer, tcp_terminal: ZvtTerminal) -> None:
    tcp_peer.plays(UP + PAY + ["close"], REGISTER + stored(1, 1, 1234))
    before = tcp_terminal.sale(AMOUNT).before
    assert before == LastReceipt()
    assert tcp_terminal.resolve(before, AMOUNT).outcome is Outcome.APPROVED


def test_without_an_answer_the_sale_stays_unknown(tcp_peer: TcpPeer, tcp_terminal: ZvtTerminal) -> None:
    tcp_peer.plays([REGISTER[0], "end"], [*REGISTER, NOTHING_STORED[0], "end"])
    resolution = tcp_terminal.resolve(BEFORE, AMOUNT)
    assert resolution.outcome is Outcome.UNKNOWN
    assert "cannot be asked" in resolution.why


def test_with_nobody_there_the_sale_stays_unknown(tcp_peer: TcpPeer, tcp_terminal: ZvtTerminal) -> None:
    tcp_peer.close()
    resolution = tcp_terminal.resolve(BEFORE, AMOUNT)
    assert resolution.outcome is Outcome.UNKNOWN
    assert "no connection" in resolution.why


def test_a_busy_terminal_is_asked_again(tcp_peer: TcpPeer, tcp_terminal: ZvtTerminal) -> None:
    busy = [REGISTER[0], "< 849C00"]
    not_yet = [*REGISTER, NOTHING_STORED[0], "< 849C00"]
    tcp_peer.plays(busy, not_yet, REGISTER + stored(8, 43, 1234))
    assert tcp_terminal.resolve(BEFORE, AMOUNT).outcome is Outcome.APPROVED


def test_a_terminal_that_never_says_what_it_stored_settles_nothing(
    tcp_peer: TcpPeer, tcp_terminal: ZvtTerminal
) -> None:
    aborted = [*REGISTER, *NOTHING_STORED[:2], "< 061E 01 6C", "> 800000"]
    tcp_peer.plays(*[aborted] * 9)
    resolution = tcp_terminal.resolve(BEFORE, AMOUNT)
    tcp_peer.forget()
    assert resolution.outcome is Outcome.UNKNOWN
    assert "does not say" in resolution.why


def test_without_knowing_what_was_stored_before_nothing_is_settled(tcp_terminal: ZvtTerminal) -> None:
    resolution = tcp_terminal.resolve(None, AMOUNT)
    assert resolution.outcome is Outcome.UNKNOWN
    assert "before" in resolution.why


@given(st.integers(1, 999_999), st.integers(1, 400_000))
def test_trace_numbers_go_on_over_their_highest(before: int, step: int) -> None:
    after = (before + step - 1) % 999_999 + 1
    assert LastReceipt(trace=after).newer_than(LastReceipt(trace=before))
    assert not LastReceipt(trace=before).newer_than(LastReceipt(trace=after))


def test_receipt_numbers_go_on_over_their_highest() -> None:
    assert LastReceipt(receipt=1).newer_than(LastReceipt(receipt=9999))
    assert not LastReceipt(receipt=9999).newer_than(LastReceipt(receipt=1))
    assert not LastReceipt(7, 42).newer_than(LastReceipt(7, 42))
    assert not LastReceipt().newer_than(LastReceipt(7, 42))
    assert not LastReceipt().newer_than(LastReceipt())
    assert LastReceipt(1, None).newer_than(LastReceipt())
    assert LastReceipt(8, 40).advanced_to(LastReceipt(None, 41)) == LastReceipt(8, 41)
