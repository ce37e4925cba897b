"""The contactless entry point: which application, which kernel, or another interface."""

from __future__ import annotations

import pytest

from rig.virtual.terminal.emv.card import CardLost, CardRefused
from rig.virtual.terminal.emv.entry import candidates, read_card
from rig.virtual.terminal.emv.facts import Facts, Limits
from rig.virtual.terminal.emv.schemes import NAMES
from rig.wire.tlv import encode
from tests.virtual.terminal.card_in_field import PAN, UNIONPAY_AID, PlainCard
from tests.virtual.terminal.emv_cards import (
    MASTERCARD,
    OFFLINE,
    OK,
    PDOL,
    PPSE_COMMAND,
    UNIONPAY,
    VISA,
    VISA_ELECTRON,
    Notes,
    Scripted,
    control,
    directory,
    entry,
    options,
    plain_card,
    purchase,
    selecting,
)

FACTS = dict.fromkeys(NAMES, Facts())


def buy(card: Scripted, amount: int = 1_000, facts: dict[str, Facts] = FACTS) -> str:
    """The receipt's name of the card that was taken."""
    return read_card(card, purchase(amount), facts, Notes()).label


def test_the_dialogue_byte_for_byte() -> None:
    card = PlainCard()
    read = read_card(card.process, purchase(1234), FACTS, Notes())
    select_ppse, select_aid, gpo = card.commands
    assert select_ppse == bytes.fromhex("00A404000E") + b"2PAY.SYS.DDF01\0"
    assert select_aid == bytes.fromhex("00A4040007A000000003101000")
    assert gpo[:7] == bytes.fromhex("80A80000238321")
    told = ["36804080", "000000001234", "000000000000", "0276", "0000000000", "0978", "260302", "00"]
    assert gpo[7:].startswith(bytes.fromhex("".join(told)))
    assert gpo[-1:] == b"\0"
    assert (read.pan, read.expiry, read.sequence, read.label) == (PAN, "3112", 1, "VISA")
    assert read.chip[0x9F37] == gpo[-5:-1]


def test_the_unpredictable_number_is_another_each_time() -> None:
    first, second = (read_card(PlainCard().process, purchase(), FACTS, Notes()).chip[0x9F37] for _ in range(2))
    assert first != second


def test_nothing_of_the_card_shows_in_a_repr() -> None:
    assert PAN not in repr(read_card(PlainCard(UNIONPAY_AID).process, purchase(), FACTS, Notes()))


@pytest.mark.parametrize(
    ("entries", "chosen"),
    [
        ([entry(VISA, 2), entry(UNIONPAY, 1)], [UNIONPAY, VISA]),
        ([entry(VISA, 0), entry(UNIONPAY, 15)], [UNIONPAY, VISA]),
        ([entry(VISA, None), entry(UNIONPAY, None)], [VISA, UNIONPAY]),
        ([entry(VISA, 0x81), entry(UNIONPAY, 1)], [VISA, UNIONPAY]),
        ([entry(VISA, 1, "03"), entry(UNIONPAY, 2, "00")], [VISA, UNIONPAY]),
        ([entry(VISA, 1, "02"), entry(UNIONPAY, 2, "07")], [UNIONPAY]),
        ([entry(VISA, 1, "830978")], []),
        ([entry(bytes.fromhex("A0000001523010"))], []),
        ([entry(VISA + b"\x01")], [VISA + b"\x01"]),
        ([encode(0x61, encode(0x50, b"NO NAME"))], []),
        ([], []),
    ],
    ids=["priority", "0 is last", "no priority", "confirmation", "kernels", "foreign kernel", "domestic kernel",
         "another scheme", "longer name", "no name", "empty"],
)  # fmt: skip
def test_candidates(entries: list[bytes], chosen: list[bytes]) -> None:
    assert [candidate.aid for candidate in candidates(directory(*entries)[:-2])] == chosen


def card_with(*aids: bytes, **answers: bytes) -> Scripted:
    """A card whose applications come in this order; ``answers`` by the name of a command replace some."""
    found = {PPSE_COMMAND: directory(*(entry(aid, at) for at, aid in enumerate(aids, 1))), "80A8": options()}
    return Scripted(found | {selecting(aid): control(aid) for aid in aids} | answers)


@pytest.mark.parametrize(
    "refusal",
    [b"\x6a\x82", b"\x62\x83", encode(0x6F, encode(0x84, UNIONPAY)) + OK, b"\x6f\x05\x00" + OK, encode(0x70) + OK],
    ids=["6A82", "6283 blocked", "another's name", "malformed", "no 6F"],
)
def test_a_refused_candidate_is_passed_over(refusal: bytes) -> None:
    card = card_with(VISA, UNIONPAY, **{selecting(VISA): refusal})
    assert buy(card) == "UNIONPAY"
    assert [command[:4] for command in card.sent] == ["00A4", "00A4", "00A4", "80A8"]


def test_a_kernel_may_ask_for_the_next_application() -> None:
    without_qualifiers = control(VISA_ELECTRON, bytes.fromhex("9F0206"))
    assert buy(card_with(VISA_ELECTRON, VISA, **{selecting(VISA_ELECTRON): without_qualifiers})) == "VISA"


def test_where_every_application_refuses_another_interface_may_do() -> None:
    notes = Notes()
    with pytest.raises(CardRefused, match="6985") as refused:
        read_card(card_with(VISA, UNIONPAY, **{"80A8": b"\x69\x85"}), purchase(), FACTS, notes)
    assert refused.value.other_interface
    assert len(notes.of("terminal_application_refused")) == 2


@pytest.mark.parametrize(
    "directory_answer",
    [b"\x6a\x82", b"\x6d\x00", directory(), directory(entry(bytes.fromhex("A0000001523010")))],
    ids=["no PPSE", "not known", "empty", "unsupported"],
)
def test_a_card_without_a_common_application_is_sent_elsewhere(directory_answer: bytes) -> None:
    with pytest.raises(CardRefused) as refused:
        buy(Scripted({PPSE_COMMAND: directory_answer}))
    assert refused.value.other_interface


@pytest.mark.parametrize(
    "directory_answer",
    [b"\x6f\x05\x84" + OK, encode(0x77) + OK, directory(entry(VISA) + entry(VISA)[:-1]), b"\x6f\x83" + OK],
    ids=["cut", "another template", "cut inside", "cut length"],
)
def test_a_malformed_directory_ends_it(directory_answer: bytes) -> None:
    card = Scripted({PPSE_COMMAND: directory_answer})
    with pytest.raises(CardRefused):
        buy(card)
    assert len(card.sent) == 1


def test_half_a_status_word_is_a_lost_card() -> None:
    for answer in (b"", b"\x90"):
        with pytest.raises(CardLost):
            buy(Scripted({PPSE_COMMAND: answer}))


def test_an_answer_without_end_is_none() -> None:
    nested = b"\x61\x82\x7f\xff" * 10_000
    for answer in (nested + OK, encode(0x6F, nested[:60_000]) + OK):
        with pytest.raises(CardRefused, match="the card answered with"):
            buy(Scripted({PPSE_COMMAND: answer}))


def test_limits_of_each_kernel() -> None:
    low = {**FACTS, "visa": Facts(limits=Limits(transaction=500))}
    assert buy(card_with(VISA, UNIONPAY), 499, low) == "VISA"
    assert buy(card_with(VISA, UNIONPAY), 500, low) == "UNIONPAY"
    card = plain_card()
    with pytest.raises(CardRefused, match="contactless limit") as refused:
        buy(card, 500, low)
    assert refused.value.other_interface
    assert len(card.sent) == 1


def test_mastercard_has_its_own_kernel() -> None:
    notes = Notes()
    with pytest.raises(CardRefused, match="82, 94"):
        read_card(
            plain_card(MASTERCARD, PDOL, encode(0x77) + OK),
            purchase(),
            dict.fromkeys(NAMES, Facts(limits=OFFLINE)),
            notes,
        )
    assert notes.of("terminal_application") == [{"aid": MASTERCARD.hex().upper(), "scheme": "mastercard", "kernel": 2}]
