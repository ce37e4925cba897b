"""The card's blocks are late, wrong or unusual: bounded patience, bounded tries, never half a transaction."""

from __future__ import annotations

import pytest

from rig.bench import Bench
from rig.cards.faults import BlockFault
from rig.faults import answer_late, bad_blocks, extend_waiting, put_second_card
from rig.faults.moments import Moment
from rig.verdict import Verdict

pytestmark = [pytest.mark.needs("card: protocol-faults"), pytest.mark.parametrize("bearer", ["wifi"], indirect=True)]
BAD_CHECKSUM = pytest.param("bad-crc", marks=pytest.mark.needs("card: wrong-checksums"))


@pytest.mark.requires(Verdict.COMPLETED)
def test_a_few_extensions_are_waited_for(bench: Bench, bearer: str) -> None:
    """The card asks three times for more time: the terminal grants it, and the sale completes."""
    sale = bench.sale(2_20, "visa-credit", extend_waiting("GPO", 3))
    assert sale.approved


@pytest.mark.requires(Verdict.COMPLETED)
def test_a_storm_of_extensions_ends(bench: Bench, bearer: str) -> None:
    """The card asks for more time without end: the terminal lets go, asks for it again, and books its second tap."""
    sale = bench.sale(2_21, "visa-credit", extend_waiting("GPO", 100_000))
    assert sale.approved


@pytest.mark.requires(Verdict.COMPLETED, Verdict.FAILED_SAFELY)
def test_an_answer_after_its_time(bench: Bench, bearer: str) -> None:
    """The answer comes after the frame waiting time: the terminal has asked again or let go, and books at most once."""
    bench.sale(2_22, "visa-credit", answer_late("GPO", 0.05))


@pytest.mark.requires(Verdict.COMPLETED)
@pytest.mark.parametrize("kind", ["lost", "wrong-number", BAD_CHECKSUM])
def test_one_bad_block_is_mended(bench: Bench, bearer: str, kind: BlockFault) -> None:
    """One block is lost or wrong: the terminal asks for it again, and the sale completes."""
    sale = bench.sale(2_23, "visa-credit", bad_blocks("GPO", kind))
    assert sale.approved


@pytest.mark.requires(Verdict.COMPLETED)
@pytest.mark.parametrize("kind", ["lost", "bad-pcb", BAD_CHECKSUM, "nak-storm", "overlong"])
def test_bad_blocks_without_end(bench: Bench, bearer: str, kind: BlockFault) -> None:
    """No good block comes any more: the terminal lets go after bounded tries, and books the second tap alone."""
    sale = bench.sale(2_24, "visa-credit", bad_blocks("GPO", kind, 10_000))
    assert sale.approved


@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_every_tap_is_bad(bench: Bench, bearer: str) -> None:
    """Every tap ends in bad blocks: the terminal gives up, and nothing is charged."""
    faults = [bad_blocks("GPO", "bad-pcb", 10_000, number=tap) for tap in (1, 2, 3)]
    sale = bench.sale(2_27, "visa-credit", *faults)
    assert not sale.approved


@pytest.mark.needs("second card")
@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_two_cards_in_the_field(bench: Bench, bearer: str) -> None:
    """Two cards lie in the field: the terminal asks for one alone, and charges neither."""
    sale = bench.sale(2_25, "visa-credit", put_second_card("mastercard-credit").at(Moment.BETWEEN_SALES))
    assert not sale.approved


@pytest.mark.requires(Verdict.COMPLETED)
@pytest.mark.parametrize("card", ["small-frames", "slow", "odd-lengths"])
def test_unusual_but_right(bench: Bench, bearer: str, card: str) -> None:
    """Frames of 16 bytes, a slow card, data objects of their greatest lengths: all allowed, and the sale completes."""
    sale = bench.sale(2_26, card)
    assert sale.approved
