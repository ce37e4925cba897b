"""Golden bytes, what is refused, and properties of the ISO 8583 codec."""

from __future__ import annotations

import contextlib
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.wire.errors import WireError
from rig.wire.iso8583 import (
    ASCII87,
    BINARY,
    NUMERIC,
    Message,
    Original,
    Totals,
    de90,
    is_repeat,
    is_response,
    message_name,
    mti_class,
    parse_de90,
    response_mti,
)

# Written by hand after ISO 8583:1987: type, bitmap of bits 3, 4, 7, 11, 39, 41, then the elements in order.
GOLDEN_SALE_ANSWER = (
    b"0210" + b"3220000002800000" + b"000000" + b"000000001234" + b"0131235959" + b"000042" + b"00" + b"TERM0001"
)
SALE_ANSWER = Message("0210", {3: "000000", 4: "000000001234", 7: "0131235959", 11: "000042", 39: "00", 41: "TERM0001"})
# Bits 1, 11, 55 and 90: a secondary bitmap, a variable binary element, DE90.
GOLDEN_REVERSAL = (
    b"0400" + b"8020000000000200" + b"0000004000000000" + b"000043" + b"010" + b"9F36020007" + b"0200" + b"000042"
    + b"0131235959" + b"0" * 22
)  # fmt: skip
REVERSAL = Message("0400", {11: "000043", 55: bytes.fromhex("9F36020007"), 90: de90("0200", "000042", "0131235959")})


def test_golden_sale_answer_both_ways() -> None:
    assert ASCII87.encode(SALE_ANSWER) == GOLDEN_SALE_ANSWER
    assert ASCII87.decode(GOLDEN_SALE_ANSWER) == SALE_ANSWER


def test_golden_reversal_with_secondary_bitmap_both_ways() -> None:
    assert ASCII87.encode(REVERSAL) == GOLDEN_REVERSAL
    assert ASCII87.decode(GOLDEN_REVERSAL) == REVERSAL


def test_an_empty_secondary_bitmap_is_taken() -> None:
    """npm's iso_8583 always sets bit 1."""
    assert ASCII87.decode(b"0800" + b"8020000000000000" + b"0" * 16 + b"000001") == Message("0800", {11: "000001"})


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "field t"),
        (b"02", "field t"),
        (b"02x0" + b"0" * 16, "four digits"),
        (b"0200" + b"zz" * 8, "non-hex"),
        (b"0200" + b"0020000000000000" + b"00004", "field 11"),
        (b"0200" + b"0020000000000000" + b"0000 4", "DE11 is not of digits"),
        (b"0200" + b"0020000000000000" + b"000042!", "Extra data"),
        (b"0200" + b"4000000000000000" + b"+31234", "DE2|field 2"),
        (b"0200" + b"4000000000000000" + b"20" + b"1" * 20, "larger than maximum"),
        (b"0200" + b"0000000000800000" + b"TERM\x0001", "field 41"),
        (b"0200" + b"0000000000800000" + b"TERM\x00001", "print"),
        (b"0200" + b"0000000000000200" + b"0049F3 ", "hexadecimal"),
        (b"0200" + b"0000000000000200" + b"0039F3", "hexadecimal"),
        (b"0200" + b"8000000000000000" + b"8000000000000000" + b"0" * 16, "third bitmap"),
        (b"\xff" * 40, "field t"),
    ],
)
def test_malformed_bytes_are_refused_by_name(data: bytes, why: str) -> None:
    with pytest.raises(WireError, match=why):
        ASCII87.decode(data)


@pytest.mark.parametrize(
    "message",
    [
        Message("200"),
        Message("02é0"),
        Message("0200", {1: "0" * 16}),
        Message("0200", {65: "0" * 16}),
        Message("0200", {129: "x"}),
        Message("0200", {0: "x"}),
        Message("0200", {4: "12"}),
        Message("0200", {4: "00000000012e"}),
        Message("0200", {4: b"000000001234"}),
        Message("0200", {55: "9F3602"}),
        Message("0200", {52: b"short"}),
        Message("0200", {41: "TERM\t001"}),
        Message("0200", {43: "é" * 40}),
        Message("0200", {55: bytes(256)}),
    ],
)
def test_what_the_dialect_cannot_say_is_refused(message: Message) -> None:
    with pytest.raises(WireError):
        ASCII87.encode(message)


def test_an_error_never_repeats_what_a_field_held() -> None:
    with pytest.raises(WireError) as caught:
        ASCII87.decode(b"0200" + b"4000000000000000" + b"16" + b"400000000000000x")
    assert "4000000000" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


PRINTABLE = string.digits + string.ascii_letters + string.punctuation + " "


def _values(number: int) -> st.SearchStrategy[str | bytes]:
    rule = ASCII87.spec[str(number)]
    most = rule["max_len"]
    least = most if rule["len_type"] == 0 else int(number in NUMERIC)
    if number in BINARY:
        return st.binary(min_size=least // 2, max_size=most // 2)
    alphabet = string.digits if number in NUMERIC else PRINTABLE
    return st.text(alphabet, min_size=least, max_size=min(most, 60) if rule["len_type"] else most)


NUMBERS = [number for number in range(2, 129) if number != 65]


@st.composite
def messages(draw: st.DrawFn) -> Message:
    chosen = draw(st.lists(st.sampled_from(NUMBERS), unique=True, max_size=20))
    return Message(
        draw(st.text(string.digits, min_size=4, max_size=4)),
        {number: draw(_values(number)) for number in sorted(chosen)},
    )


@given(messages())
def test_what_is_encoded_is_decoded_again(message: Message) -> None:
    assert ASCII87.decode(ASCII87.encode(message)) == message


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_a_message_or_a_wire_error(data: bytes) -> None:
    with contextlib.suppress(WireError):
        ASCII87.decode(data)


@given(messages(), st.data())
def test_a_damaged_message_is_a_message_or_a_wire_error(message: Message, data: st.DataObject) -> None:
    encoded = bytearray(ASCII87.encode(message))
    place = data.draw(st.integers(0, len(encoded) - 1))
    encoded[place] = data.draw(st.integers(0, 255))
    try:
        decoded = ASCII87.decode(bytes(encoded))
    except WireError:
        return
    assert ASCII87.decode(ASCII87.encode(decoded)) == decoded


def test_message_types() -> None:
    assert [is_repeat(mti) for mti in ("0200", "0201", "0400", "0401", "0420", "0421")] == [False, True] * 3
    assert [is_response(mti) for mti in ("0200", "0210", "0420", "0430")] == [False, True] * 2
    answers = [response_mti(mti) for mti in ("0200", "0201", "0401", "0421", "0500", "0800")]
    assert answers == ["0210", "0210", "0410", "0430", "0510", "0810"]
    assert mti_class("0401") == mti_class("0400") == mti_class("0410") != mti_class("0200")
    with pytest.raises(WireError, match="no request"):
        response_mti("0210")


def test_names_that_people_use() -> None:
    assert Message("0200", {3: "000000"}).name == "sale request"
    assert Message("0210", {3: "200000"}).name == "void response"
    assert message_name("0401") == "reversal repeat"
    assert message_name("0430") == "reversal advice response"
    assert message_name("0800") == "network management request"
    assert message_name("0990").startswith("class 9")


def test_original_data_elements() -> None:
    text = de90("0200", "000042", "0131235959")
    assert text == "0200000042" + "0131235959" + "0" * 22
    assert parse_de90(text) == Original("0200", "000042", "0131235959")
    for bad in ("", "0" * 41, "x" * 42):
        with pytest.raises(WireError):
            parse_de90(bad)
    with pytest.raises(WireError):
        de90("0200", "42", "0131235959")


def test_settlement_totals() -> None:
    totals = Totals(sales=3, sales_sum=3702, voids=1, voids_sum=1234)
    assert totals.encode() == "0003" + "000000003702" + "0001" + "000000001234"
    assert Totals.decode(totals.encode()) == totals
    for bad in (Totals(sales=10000), Totals(sales_sum=-1), Totals(voids_sum=10**12)):
        with pytest.raises(WireError):
            bad.encode()
    with pytest.raises(WireError):
        Totals.decode("0003")
