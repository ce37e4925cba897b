"""ZVT messages and fields, against bytes that foreign implementations and real terminals produced.

Golden bytes: the unit tests of Portalum.Zvt (MIT; captures of real terminals) and of ecrterm.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.wire.errors import WireError
from rig.wire.zvt import (
    POSITIVE,
    Apdu,
    ApduReader,
    Bmp,
    Command,
    FieldValue,
    PrintedLine,
    decode_fields,
    encode_fields,
    encode_print_block,
    encode_print_line,
    encode_with_password,
    intermediate_text,
    negative,
    printed_lines,
    result_text,
    split_password,
)

APPROVED = bytes.fromhex(
    "040F77 2700 04000000002040 0B000470 0C223953 0D1006 0E2512 170001 1970 22F0F8EEEEEEEEEEEE4771 2928004869"
    "2A313030343631373633202020202020 3B3631313830340000 3CF0F1F447454E2E4E522E3A363131383034 490978 870470"
    "88000470 8A2E 8BF1F74465626974204D61737465726361726400"
)
ABORTED_BY_CUSTOMER = bytes.fromhex("040F1E 276C 2928004869 3CF0F1F941626272756368206475726368204B756E6465")
WITH_TLV = bytes.fromhex(
    "040F65 2700 0C231355 0D1029 0E9999 22F0F8EEEEEEEEEEEE4771 A001 2900000006 870008 0B000000 8A06"
    "8BF1F14D41535445524341524400 062E 2F081F1201021F100100 601B4307A00000000410104410"
    "4465626974204D6173746572636172641F2B0410015008"
)
PAYMENT = bytes.fromhex("06010A 04000000011000 490978")


def test_a_real_terminals_approval_is_read_and_written_back_byte_for_byte() -> None:
    fields = decode_fields(Apdu.decode(APPROVED).data)
    assert fields == {
        Bmp.RESULT: 0,
        Bmp.AMOUNT: 2040,
        Bmp.TRACE: 470,
        Bmp.TIME: 223953,
        Bmp.DATE: 1006,
        Bmp.EXPIRY: 2512,
        Bmp.CARD_SEQUENCE: 1,
        Bmp.PAYMENT_TYPE: 0x70,
        Bmp.PAN: "EEEEEEEEEEEE4771",
        Bmp.TERMINAL_ID: 28004869,
        Bmp.VU_NUMBER: "100461763",
        Bmp.AUTHORISATION: b"611804\0\0",
        Bmp.TEXT: "GEN.NR.:611804",
        Bmp.CURRENCY: 978,
        Bmp.RECEIPT: 470,
        Bmp.TURNOVER: 470,
        Bmp.CARD_TYPE: 0x2E,
        Bmp.CARD_NAME: "Debit Mastercard",
    }
    assert Apdu(Command.STATUS_INFO, encode_fields(fields)).encode() == APPROVED


def test_a_real_terminals_abort_is_read() -> None:
    fields = decode_fields(Apdu.decode(ABORTED_BY_CUSTOMER).data)
    assert fields == {Bmp.RESULT: 0x6C, Bmp.TERMINAL_ID: 28004869, Bmp.TEXT: "Abbruch durch Kunde"}


def test_a_real_terminals_tlv_container_is_kept_as_it_came() -> None:
    fields = decode_fields(Apdu.decode(WITH_TLV).data)
    container = fields[Bmp.TLV]
    assert isinstance(container, bytes)
    assert len(container) == 0x2E
    assert container.startswith(bytes.fromhex("2F081F120102"))
    assert fields[Bmp.HOST_RESULT] == 1
    assert Apdu(Command.STATUS_INFO, encode_fields(fields)).encode() == WITH_TLV


def test_a_payment_command_is_the_one_that_ecrterm_sends() -> None:
    data = encode_fields({Bmp.AMOUNT: 11000, Bmp.CURRENCY: 978})
    assert Apdu(Command.AUTHORISATION, data).encode() == PAYMENT


@pytest.mark.parametrize(
    ("apdu", "data", "name"),
    [
        (POSITIVE, "800000", "acknowledged"),
        (negative(0), "840000", "acknowledged"),
        (negative(0x9C), "849C00", "refused 9C"),
        (Apdu(Command.DIAGNOSIS), "067000", "diagnosis"),
        (Apdu(Command.STATUS_ENQUIRY, encode_with_password("123456")), "050103123456", "status enquiry"),
        (Apdu(0x0693, bytes(3)), "069303000000", "command 06 93"),
    ],
)
def test_messages_have_their_bytes_and_a_name(apdu: Apdu, data: str, name: str) -> None:
    assert apdu.encode().hex().upper() == data
    assert apdu.name == name
    assert Apdu.decode(apdu.encode()) == apdu


def test_which_messages_answer_and_which_answers_are_positive() -> None:
    assert POSITIVE.answers
    assert POSITIVE.positive
    assert negative(0).positive
    assert negative(0x9C).answers
    assert not negative(0x9C).positive
    assert not Apdu(Command.COMPLETION).answers


@pytest.mark.parametrize(
    ("length", "header"),
    [(0, "06D300"), (0xFE, "06D3FE"), (0xFF, "06D3FFFF00"), (0x100, "06D3FF0001"), (0xFFFF, "06D3FFFFFF")],
)
def test_the_length_is_one_byte_or_ff_and_two_low_byte_first(length: int, header: str) -> None:
    apdu = Apdu(Command.PRINT_BLOCK, bytes(length))
    assert apdu.encode()[: len(header) // 2].hex().upper() == header
    assert Apdu.decode(apdu.encode()) == apdu


@pytest.mark.parametrize("broken", ["", "06", "0601", "060103 0000", "0601FF", "0601FF0100", "80000000"])
def test_a_part_or_more_than_one_message_is_no_message(broken: str) -> None:
    with pytest.raises(WireError, match="not one ZVT message"):
        Apdu.decode(bytes.fromhex(broken))


def test_messages_that_cannot_be_are_refused() -> None:
    with pytest.raises(WireError, match="no ZVT command"):
        Apdu(0x10000)
    with pytest.raises(WireError, match="do not fit"):
        Apdu(Command.PRINT_BLOCK, bytes(0x10000))
    with pytest.raises(WireError, match="no code"):
        negative(0x100)


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({0x77: b""}, "field 77: unknown"),
        ({Bmp.AMOUNT: 10**12}, "does not fit"),
        ({Bmp.AMOUNT: -1}, "does not fit"),
        ({Bmp.AMOUNT: "1"}, "str where int"),
        ({Bmp.AMOUNT: True}, "bool where int"),
        ({Bmp.RESULT: 256}, "no byte"),
        ({Bmp.AUTHORISATION: b"short"}, "5 bytes where 8"),
        ({Bmp.VU_NUMBER: "0123456789ABCDEF"}, "16 characters where 15"),
        ({Bmp.TEXT: "x" * 1000}, "length of 3 digits"),
        ({Bmp.TEXT: "漢"}, "cannot be written"),
        ({Bmp.CARD_NAME: "x" * 99}, "length of 2 digits"),
        ({Bmp.PAN: "47D1"}, "digits"),
        ({Bmp.TLV: bytes(0x10000)}, "TLV container"),
    ],
)
def test_fields_that_cannot_be_written_are_refused(fields: dict[int, FieldValue], complaint: str) -> None:
    with pytest.raises(WireError, match=complaint):
        encode_fields(fields)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        ("77", "field 77 at byte 0: unknown"),
        ("2700 04000000", "field 04 at byte 2: 6 bytes announced, 3 there"),
        ("0400000000204A", "not packed decimal"),
        ("27", "1 bytes announced"),
        ("22F0", "2 bytes announced"),
        ("2230 38", "no length digit"),
        ("2700 22F0F347D1FF", "field 22 at byte 2"),
        ("22F0F24F71", "digits"),
        ("3CF0F0F541", "5 bytes announced, 1 there"),
        ("0680", "no length of a ZVT TLV"),
        ("0683000001AA", "no length of a ZVT TLV"),
        ("068200", "2 bytes announced"),
    ],
)
def test_fields_that_cannot_be_read_are_refused(data: str, complaint: str) -> None:
    with pytest.raises(WireError, match=complaint):
        decode_fields(bytes.fromhex(data))


_text = st.text(alphabet=st.characters(codec="cp437", exclude_characters="\0"), max_size=60)
FIELDS: dict[int, st.SearchStrategy[FieldValue]] = {
    Bmp.SERVICE_BYTE: st.integers(0, 255),
    Bmp.AMOUNT: st.integers(0, 10**12 - 1),
    Bmp.TLV: st.binary(max_size=300),
    Bmp.TRACE: st.integers(0, 999999),
    Bmp.PAN: st.text(alphabet="0123456789E", max_size=19),
    Bmp.RESULT: st.integers(0, 255),
    Bmp.TERMINAL_ID: st.integers(0, 99999999),
    Bmp.VU_NUMBER: st.text(alphabet="0123456789 ABC", max_size=15).map(str.rstrip),
    Bmp.AUTHORISATION: st.binary(min_size=8, max_size=8),
    Bmp.TEXT: _text,
    Bmp.CURRENCY: st.integers(0, 9999),
    Bmp.RECEIPT: st.integers(0, 9999),
    Bmp.CARD_NAME: _text,
    Bmp.AID_PARAMETER: st.binary(min_size=5, max_size=5),
    0x60: st.binary(max_size=999),
}


@given(st.fixed_dictionaries({}, optional=FIELDS))
def test_fields_come_back_as_they_went(fields: dict[int, FieldValue]) -> None:
    assert decode_fields(encode_fields(fields)) == fields


@given(st.binary(max_size=200))
def test_arbitrary_fields_raise_nothing_but_wire_errors(data: bytes) -> None:
    try:
        fields = decode_fields(data)
    except WireError:
        return
    assert decode_fields(encode_fields(fields)) == fields


@given(st.lists(st.builds(Apdu, st.integers(0, 0xFFFF), st.binary(max_size=600)), max_size=5), st.data())
def test_a_stream_gives_the_same_messages_however_it_is_cut(apdus: list[Apdu], cuts: st.DataObject) -> None:
    stream = b"".join(apdu.encode() for apdu in apdus)
    places = sorted(cuts.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    reader, got = ApduReader(), []
    for begin, end in zip([0, *places], [*places, len(stream)], strict=True):
        got += reader.feed(stream[begin:end])
    assert got == apdus
    assert reader.pending == b""


@given(st.binary(max_size=700))
def test_an_arbitrary_stream_is_some_messages_and_a_rest(data: bytes) -> None:
    reader = ApduReader()
    apdus = reader.feed(data)
    assert len(reader.pending) <= len(data)
    assert ApduReader().feed(b"".join(apdu.encode() for apdu in apdus)) == apdus


@given(st.binary(max_size=300))
def test_an_arbitrary_message_is_itself_or_a_wire_error(data: bytes) -> None:
    try:
        apdu = Apdu.decode(data)
    except WireError:
        return
    assert apdu.encode()[:2] == data[:2]
    assert data.endswith(apdu.data)


def test_a_printed_line_is_the_one_that_ecrterm_sends() -> None:
    line = PrintedLine("Gesamt      0       0,00")
    golden = "06D11900476573616D742020202020203020202020202020302C3030"
    assert encode_print_line(line).encode().hex().upper() == golden
    assert printed_lines(Apdu.decode(bytes.fromhex(golden))) == [line]


@given(st.lists(st.builds(PrintedLine, _text, st.integers(0, 255)), max_size=30))
def test_a_block_of_printed_lines_comes_back_as_it_went(lines: list[PrintedLine]) -> None:
    assert printed_lines(encode_print_block(lines)) == lines


@given(st.sampled_from([Command.PRINT_LINE, Command.PRINT_BLOCK]), st.binary(max_size=100))
def test_arbitrary_print_data_raises_nothing_but_wire_errors(command: Command, data: bytes) -> None:
    try:
        lines = printed_lines(Apdu(command, data))
    except WireError:
        return
    assert all(isinstance(line, PrintedLine) for line in lines)


def test_only_print_messages_print() -> None:
    with pytest.raises(WireError, match="completion prints nothing"):
        printed_lines(Apdu(Command.COMPLETION))
    with pytest.raises(WireError, match="cannot be written"):
        encode_print_line(PrintedLine("漢"))


def test_passwords_are_six_digits() -> None:
    assert encode_with_password("001234", b"\x03\x01").hex() == "0012340301"
    assert split_password(bytes.fromhex("0012340301")) == ("001234", b"\x03\x01")
    for wrong in ("12345", "1234567", "12345a", "１２３４５６"):
        with pytest.raises(WireError, match="six digits"):
            encode_with_password(wrong)
    for broken in (b"\x12\x34", b"\x12\x34\x5a"):
        with pytest.raises(WireError, match="six digits"):
            split_password(broken)


def test_codes_have_a_meaning_or_are_named_by_their_number() -> None:
    assert result_text(0x6C) == "aborted by key or time-out"
    assert result_text(0x01) == "code 01"
    assert intermediate_text(0x05) == "sending an auto-reversal"
    assert intermediate_text(0xEE) == "status EE"
