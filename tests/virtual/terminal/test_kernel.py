"""The kernel against a card as a function: no reader, no process."""

from __future__ import annotations

from datetime import datetime

import pytest

from rig.virtual.terminal.kernel import CardLost, CardRefused, Purchase, read_card
from rig.wire.tlv import encode
from tests.virtual.terminal.card_in_field import OK, PAN, UNIONPAY_AID, PlainCard

PURCHASE = Purchase(1234, "978", datetime(2024, 2, 29, 23, 59, 58))


def test_the_dialogue_byte_for_byte() -> None:
    card = PlainCard()
    read = read_card(card.process, PURCHASE)
    select_ppse, select_aid, options = card.commands
    assert select_ppse == bytes.fromhex("00A404000E") + b"2PAY.SYS.DDF01\0"
    assert select_aid == bytes.fromhex("00A4040007A000000003101000")
    assert options[:7] == bytes.fromhex("80A80000238321")
    told = ["36804000", "000000001234", "000000000000", "0276", "0000000000", "0978", "240229", "00"]
    assert options[7:].startswith(bytes.fromhex("".join(told)))
    assert options[-1:] == b"\0"
    assert (read.pan, read.expiry, read.sequence, read.label) == (PAN, "3112", 1, "VISA")
    assert read.chip[0x9F37] == options[-5:-1]


def test_the_unpredictable_number_is_another_each_time() -> None:
    assert (
        read_card(PlainCard().process, PURCHASE).chip[0x9F37] != read_card(PlainCard().process, PURCHASE).chip[0x9F37]
    )


def test_nothing_of_the_card_shows_in_a_repr() -> None:
    assert PAN not in repr(read_card(PlainCard(UNIONPAY_AID).process, PURCHASE))


def test_records_are_read_where_the_card_points_at_them() -> None:
    card = PlainCard()
    whole = card.process(bytes.fromhex("80A8000000"))
    card.answers[0xA8] = encode(0x77, whole[2:-2], encode(0x94, bytes.fromhex("10010200"))) + OK
    card.answers[0xB2] = encode(0x70, encode(0x9F07, b"\xff\x00")) + OK
    read_card(card.process, PURCHASE)
    assert [c.hex() for c in card.commands if c[1] == 0xB2] == ["00b2011400", "00b2021400"]


def changed(instruction: int, response: str) -> PlainCard:
    card = PlainCard()
    card.answers[instruction] = bytes.fromhex(response)
    return card


@pytest.mark.parametrize(
    "card",
    [
        changed(0xA8, ""),
        changed(0xA8, "6985"),
        changed(0xA8, "77039000"),
        changed(0xA8, "77009000"),
        changed(0xA4, "6F"),
    ],
    ids=["nothing", "not satisfied", "cut TLV", "no data", "half a status"],
)
def test_incomplete_data_mean_present_again(card: PlainCard) -> None:
    with pytest.raises(CardLost):
        read_card(card.process, PURCHASE)


@pytest.mark.parametrize(
    "card",
    [PlainCard(cid=0x00), PlainCard(cid=0x40), PlainCard(bytes.fromhex("A0000000041010")), changed(0xA4, "6A82")],
    ids=["AAC", "TC", "another scheme", "no PPSE"],
)
def test_a_card_without_a_way_is_refused(card: PlainCard) -> None:
    with pytest.raises(CardRefused):
        read_card(card.process, PURCHASE)


def test_malformed_track_2_is_not_used() -> None:
    card = PlainCard()
    whole = card.process(bytes.fromhex("80A8000000"))
    card.answers[0xA8] = whole.replace(bytes.fromhex("4761739001010010D3"), bytes.fromhex("4761739001010010A3"))
    with pytest.raises(CardLost, match="track 2"):
        read_card(card.process, PURCHASE)
