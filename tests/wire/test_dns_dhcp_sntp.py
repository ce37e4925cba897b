"""DNS, DHCP and SNTP: what is written is read again, foreign decoders agree, nonsense is a WireError."""

from __future__ import annotations

import contextlib
import ipaddress
from typing import Any

import dpkt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.wire.dhcp import Dhcp, MessageType, Option, decode_dhcp, encode_dhcp, packed
from rig.wire.dns import Answer, Question, decode_answer, decode_question, encode_answer, encode_question
from rig.wire.errors import WireError
from rig.wire.sntp import (
    TimeAnswer,
    decode_time_answer,
    decode_time_question,
    encode_time_answer,
    encode_time_question,
    seconds_of,
    timestamp,
)

_DNS: Any = dpkt.dns.DNS  # dpkt is untyped
_DHCP: Any = dpkt.dhcp.DHCP
label = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=20)
name = st.lists(label, min_size=1, max_size=5).map(".".join)
address = st.ip_addresses(v=4).map(str)
questions = st.builds(Question, st.integers(0, 0xFFFF), name, st.sampled_from([1, 28, 15]), st.booleans())
answers = st.builds(
    Answer, questions, st.integers(0, 5), st.lists(address, max_size=5).map(tuple), st.just(60)
).map(lambda each: each if each.addresses else Answer(each.question, each.rcode))  # fmt: skip
messages = st.builds(
    Dhcp,
    st.sampled_from(MessageType),
    st.integers(0, 0xFFFF_FFFF),
    st.binary(min_size=6, max_size=6),
    address,
    address,
    st.booleans(),
    st.dictionaries(st.integers(60, 250), st.binary(max_size=100), max_size=6),
)


@given(questions)
def test_a_question_is_read_again(question: Question) -> None:
    data = encode_question(question)
    assert decode_question(data) == question
    foreign: Any = _DNS(data)
    assert (foreign.id, foreign.qd[0].name, foreign.qd[0].type) == (question.number, question.name, question.kind)


@given(answers)
def test_an_answer_is_read_again(answer: Answer) -> None:
    data = encode_answer(answer)
    assert decode_answer(data) == answer
    foreign: Any = _DNS(data)
    assert foreign.rcode == answer.rcode
    assert [str(ipaddress.IPv4Address(record.ip)) for record in foreign.an] == list(answer.addresses)


@given(messages)
def test_a_dhcp_message_is_read_again(message: Dhcp) -> None:
    data = encode_dhcp(message)
    assert len(data) >= 300
    assert decode_dhcp(data) == message
    foreign: Any = _DHCP(data)
    assert (foreign.xid, foreign.chaddr) == (message.transaction, message.mac)
    assert foreign.yiaddr == int(ipaddress.IPv4Address(message.yours))
    assert (int(Option.MESSAGE_TYPE), bytes([message.kind])) in foreign.opts


@given(st.binary(max_size=600))
def test_nonsense_is_refused_and_nothing_else(data: bytes) -> None:
    for decode in (decode_question, decode_answer, decode_dhcp, decode_time_question, decode_time_answer):
        with contextlib.suppress(WireError):
            decode(data)


@given(messages, st.integers(0, 400), st.integers(0, 255))
def test_a_damaged_message_is_refused_or_another(message: Dhcp, place: int, value: int) -> None:
    data = bytearray(encode_dhcp(message))
    data[place % len(data)] = value
    with contextlib.suppress(WireError):
        decode_dhcp(bytes(data))


@given(st.floats(-1_000_000_000, 4_200_000_000), st.integers(1, 2**64 - 1))
def test_the_time_is_read_again(seconds: float, number: int) -> None:
    version, transmit = decode_time_question(encode_time_question(number))
    assert (version, transmit) == (4, number)
    if seconds > -61_505_152:  # 1968, where the era that a timestamp belongs to is taken for the next one
        assert seconds_of(timestamp(seconds)) == pytest.approx(seconds, abs=1e-6)
        if timestamp(seconds):
            answer = decode_time_answer(encode_time_answer(TimeAnswer(number, seconds), seconds))
            assert answer.originate == number
            assert answer.transmit == pytest.approx(seconds, abs=1e-6)


def test_a_name_that_points_in_circles_or_forwards_is_refused() -> None:
    head = bytes.fromhex("0001 8000 0001 0000 0000 0000")
    for pointer in (b"\xc0\x0c", b"\xc0\x20", b"\x80\x00"):
        with pytest.raises(WireError):
            decode_answer(head + pointer + bytes.fromhex("0001 0001"))


@pytest.mark.parametrize("wrong", ["a..b", "x" * 64, ".".join(["abcdefgh"] * 40)])
def test_what_is_no_name_is_not_sent(wrong: str) -> None:
    with pytest.raises(WireError):
        encode_question(Question(1, wrong))


def test_what_cannot_be_written_is_refused() -> None:
    with pytest.raises(WireError):
        encode_answer(Answer(Question(1, "a"), 0, ("1.2.3",)))
    with pytest.raises(WireError):
        encode_dhcp(Dhcp(MessageType.DISCOVER, 1, b"short"))
    with pytest.raises(WireError):
        encode_dhcp(Dhcp(MessageType.DISCOVER, 1, bytes(6), options={43: bytes(256)}))


def test_an_option_in_two_parts_is_one() -> None:
    data = encode_dhcp(Dhcp(MessageType.ACK, 1, bytes(6), options={114: b"http://"})).rstrip(b"\0")[:-1]
    read = decode_dhcp(data + b"\x72\x01x\xff")
    assert read.options[114] == b"http://x"


def test_a_discover_byte_by_byte() -> None:
    data = encode_dhcp(Dhcp(MessageType.DISCOVER, 0x01020304, bytes.fromhex("020000000001"), broadcast=True))
    head = bytes.fromhex("01010600 01020304 0000 8000") + bytes(16) + bytes.fromhex("020000000001") + bytes(10 + 192)
    assert data == (head + bytes.fromhex("63825363 350101 ff")).ljust(300, b"\0")
    assert packed("10.64.1.1", "10.64.1.2") == bytes.fromhex("0a400101 0a400102")
