"""Every dialect: written and read again, the short way and the library agree, and arbitrary bytes are refused."""

from __future__ import annotations

import os
import random
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.errors import CallerMistake
from rig.wire.errors import WireError
from rig.wire.iso8583 import NUMERIC, Dialect, Message, Tpdu, sealing
from rig.wire.iso8583.registry import dialect_names, find_dialect
from rig.wire.keys.mac import key_lengths

NAMES = dialect_names()
ARBITRARY = int(os.environ.get("RIG_ARBITRARY_STRINGS", "20000"))
"""How many arbitrary byte strings each dialect meets here; a campaign asks for more."""

_PRINTABLE = [character for character in string.printable if character.isprintable()]


def _values(dialect: Dialect, number: int) -> st.SearchStrategy[str | bytes]:
    spec = dialect.spec[str(number)]
    packed = spec.get("len_count") == "nibbles"
    most = min(spec["max_len"], 60)
    hexadecimal = dialect.is_binary(number) and spec["data_enc"] != "b"
    if dialect.is_binary(number):
        most = most // 2 if hexadecimal else most
        least = most if not spec["len_type"] else 1
        return st.binary(min_size=least, max_size=most)
    least = spec["max_len"] if not spec["len_type"] else 1
    most = spec["max_len"] if not spec["len_type"] else most
    if number in (35, 36) and packed:
        return st.text("0123456789=", min_size=least, max_size=most)
    if number in NUMERIC or number in dialect.digits:
        return st.text(string.digits, min_size=least, max_size=most)
    return st.text(_PRINTABLE, min_size=least, max_size=most)


@st.composite
def messages(draw: st.DrawFn, dialect: Dialect) -> Message:
    """A message that a dialect can say."""
    elements = [number for number in range(2, 129) if number != 65]
    numbers = sorted(draw(st.sets(st.sampled_from(elements), max_size=20)))
    mti = draw(st.text(string.digits, min_size=4, max_size=4))
    return Message(mti, {number: draw(_values(dialect, number)) for number in numbers})


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_what_is_written_is_read_again_and_the_library_agrees(name: str, data: st.DataObject) -> None:
    dialect = find_dialect(name)
    message = data.draw(messages(dialect))
    written = dialect.encode(message)
    assert dialect.decode(written) == message
    assert written == dialect.encode_by_library(message)
    assert dialect.decode_by_library(written) == message


def _outcome(decode: object, data: bytes) -> Message | str:
    try:
        return decode(data)  # type: ignore[operator, no-any-return]
    except WireError as refusal:
        return str(refusal)


@pytest.mark.parametrize("name", NAMES)
def test_arbitrary_bytes_end_in_a_refusal_and_the_library_says_the_same(name: str) -> None:
    """Random bytes, and true messages with bytes changed, dropped or added."""
    dialect = find_dialect(name)
    chance = random.Random(name)
    true = dialect.encode(_sale(dialect))
    for number in range(ARBITRARY):
        data = chance.randbytes(chance.randrange(120)) if number % 2 else _damaged(true, chance)
        outcome = _outcome(dialect.decode, data)
        assert isinstance(outcome, Message | str)
        if number < 2000:
            assert outcome == _outcome(dialect.decode_by_library, data)


def _damaged(true: bytes, chance: random.Random) -> bytes:
    data = bytearray(true)
    for _ in range(chance.randint(1, 3)):
        place = chance.randrange(len(data))
        match chance.randrange(3):
            case 0:
                data[place] = chance.randrange(256)
            case 1:
                del data[place : place + chance.randint(1, 4)]
            case _:
                data[place:place] = chance.randbytes(chance.randint(1, 4))
        data = data or bytearray(b"\0")
    return bytes(data)


def _sale(dialect: Dialect) -> Message:
    fields: dict[int, str | bytes] = {
        2: "4761730000000000012", 3: "000000", 4: "000000000100", 7: "0131235959", 11: "000042", 14: "3912",
        22: "051", 23: "001", 25: "00", 35: "4761730000000000012=39122010000", 41: "52000001", 42: "POSRIG000000001",
        49: "978", 52: b"\x12" * 8, 55: bytes.fromhex("9F36020007"), 60: "22000001001", 64: b"\xff" * 8,
    }  # fmt: skip
    assert dialect.encode(Message("0200", fields))
    return Message("0200", fields)


def test_an_unknown_dialect_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(CallerMistake, match="unionpay-pos"):
        find_dialect("esperanto")


@pytest.mark.parametrize("name", [name for name in NAMES if find_dialect(name).mac])
def test_a_code_covers_every_bit_of_a_message(name: str) -> None:
    dialect = find_dialect(name)
    assert dialect.mac is not None
    key = bytes(range(1, key_lengths(dialect.mac)[-1] + 1))
    sealed = sealing.seal(dialect, _sale(dialect), key)
    message = dialect.decode(sealed)
    assert sealing.is_sealed(message)
    assert sealing.verify(dialect, sealed, message, key)
    assert not sealing.verify(dialect, sealed, message, key[::-1])
    for place in range(len(sealed)):
        changed = sealed[:place] + bytes([sealed[place] ^ 0x01]) + sealed[place + 1 :]
        try:
            read = dialect.decode(changed)
        except WireError:
            continue
        same = read == message  # a hexadecimal digit in the other case, the pad of an odd number
        assert same or not sealing.verify(dialect, changed, read, key)


def test_frames_have_a_tpdu_or_none() -> None:
    for name in NAMES:
        framing = find_dialect(name).framing
        tpdu = Tpdu(3, 5) if framing.tpdu else Tpdu(0, 0)
        stream = framing.frame(tpdu, b"0800") * 2
        reader = framing.reader()
        assert reader.feed(stream[:7]) + reader.feed(stream[7:]) == [(tpdu, b"0800")] * 2


@pytest.mark.parametrize(
    ("name", "golden"),
    [
        # MTI, bitmap of 2, 3, 4, 11, 22, 25, 35, 41: packed as shipped UnionPay terminals do; pads 0 and F.
        (
            "unionpay-pos",
            "0200 7020048020800000 19 47617300000000000120 000000 000000000100 000042 0210 00"
            " 31 4761730000000000012D391220100000" + b"52000001".hex(),
        ),
        (
            "unionpay-pos-pad-f",
            "0200 7020048020800000 19 47617300000000000120 000000 000000000100 000042 0210 00"
            " 31 4761730000000000012D39122010000F" + b"52000001".hex(),
        ),
    ],
)
def test_golden_bytes_of_packed_digits(name: str, golden: str) -> None:
    fields = {
        2: "4761730000000000012", 3: "000000", 4: "000000000100", 11: "000042", 22: "021", 25: "00",
        35: "4761730000000000012=39122010000", 41: "52000001",
    }  # fmt: skip
    dialect, message = find_dialect(name), Message("0200", fields)
    assert dialect.encode(message).hex().upper() == golden.replace(" ", "").upper()
    assert dialect.decode(bytes.fromhex(golden)) == message
