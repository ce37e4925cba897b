"""What the card says cannot be: the application ends, and nothing goes to the host on it."""

from __future__ import annotations

import pytest

from rig.bench import Bench
from rig.cards.spoil import CutShort, Instead, Scrambled, Spoiling, Status, Twice, Without
from rig.faults import spoil_card
from rig.verdict import Verdict

pytestmark = [
    pytest.mark.needs("card: responses"),
    pytest.mark.parametrize("bearer", ["wifi"], indirect=True),
    pytest.mark.requires(Verdict.FAILED_SAFELY),
]

VISA = [
    ("SELECT PPSE", Status(0x6A82)),
    ("SELECT PPSE", Scrambled()),
    ("SELECT PPSE", Without(0x61)),
    ("SELECT AID", Status(0x6283)),
    ("SELECT AID", CutShort()),
    ("GPO", Status(0x6985)),
    ("GPO", Status(0x6700)),
    ("GPO", Scrambled()),
    ("GPO", CutShort()),
    ("GPO", Without(0x57)),
    ("GPO", Without(0x9F26)),
    ("GPO", Without(0x9F36)),
    ("GPO", Without(0x82)),
    ("GPO", Twice(0x57)),
    ("GPO", Instead(0x57, b"\x47\x61\x73")),
]
MASTERCARD = [
    ("GPO", Without(0x94)),
    ("GPO", Instead(0x94, bytes.fromhex("080501"))),
    ("GPO", Instead(0x94, bytes.fromhex("F8010100"))),
    ("READ RECORD", Status(0x6A83)),
    ("READ RECORD", Scrambled()),
    ("GENERATE AC", Status(0x6985)),
    ("GENERATE AC", Without(0x9F27)),
    ("GENERATE AC", Twice(0x9F36)),
]


def _refused(bench: Bench, card: str, command: str, how: Spoiling) -> None:
    sale = bench.sale(2_30, card, spoil_card(command, how))
    assert not sale.approved


@pytest.mark.parametrize(("command", "how"), VISA, ids=lambda value: getattr(value, "name", value))
def test_spoiled_visa(bench: Bench, bearer: str, command: str, how: Spoiling) -> None:
    """An answer of a Visa card is spoiled: nothing is charged."""
    _refused(bench, "visa-credit", command, how)


@pytest.mark.parametrize(("command", "how"), MASTERCARD, ids=lambda value: getattr(value, "name", value))
def test_spoiled_mastercard(bench: Bench, bearer: str, command: str, how: Spoiling) -> None:
    """An answer of a Mastercard card is spoiled: nothing is charged."""
    _refused(bench, "mastercard-credit", command, how)


def test_two_numbers(bench: Bench, bearer: str) -> None:
    """The card's number in track 2 is another than in its record: nothing is charged to either."""
    other = Instead(0x5A, bytes.fromhex("5413339000001596"))
    sale = bench.sale(2_31, "mastercard-credit", spoil_card("READ RECORD", other, number=2))
    assert not sale.approved
