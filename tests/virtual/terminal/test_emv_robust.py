"""Whatever a card answers: it is lost, it is refused, or its data are complete."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rig.virtual.terminal.emv.card import CardData, CardLost, CardRefused, Decision
from rig.virtual.terminal.emv.entry import read_card
from rig.wire.tlv import encode
from tests.virtual.terminal.emv_cards import (
    MASTERCARD,
    OK,
    UNIONPAY,
    VISA,
    Issuer,
    Notes,
    control,
    directory,
    entry,
    purchase,
)

FOR_THE_HOST = {0x9F26, 0x9F27, 0x9F36, 0x9F10, 0x82, 0x95, 0x9A, 0x9C, 0x9F02, 0x9F37, 0x5F2A, 0x9F1A, 0x84}
CARDS = [
    "visa-credit",
    "visa-offline",
    "unionpay-stored-value",
    "mastercard-credit",
    "approves-by-itself",
    "wallet-visa",
]
TAGS = [0x82, 0x57, 0x5A, 0x9F26, 0x9F27, 0x9F36, 0x9F10, 0x94, 0x9F6C, 0x9F4B, 0x8C, 0x8E, 0x5F24, 0x9F38, 0x84, 0x4F]


def run(card: Answers, issuer: Issuer, amount: int = 1_000) -> CardData | None:
    """A purchase; nothing where the card was lost or refused."""
    try:
        read = read_card(card, purchase(amount), issuer.facts(), Notes())
    except (CardLost, CardRefused):
        return None
    assert read.chip.keys() >= FOR_THE_HOST
    assert all(read.chip[tag] for tag in FOR_THE_HOST)
    assert (len(read.chip[0x9F26]), len(read.chip[0x9F36])) == (8, 2)
    assert read.pan.isdigit()
    assert read.track2.startswith(f"{read.pan}={read.expiry}")
    assert read.chip[0x9F02].hex() == f"{amount:012d}"
    return read


class Answers:
    """These responses, one after the other, then silence."""

    def __init__(self, answers: list[bytes]) -> None:
        self._answers: Iterator[bytes] = iter(answers)

    def __call__(self, command: bytes) -> bytes:
        answer = next(self._answers, None)
        if answer is None:
            raise CardLost("it left")
        return answer


objects = st.tuples(st.sampled_from(TAGS), st.binary(max_size=40)).map(lambda each: encode(*each))
templates = st.tuples(st.sampled_from([0x77, 0x70, 0x6F, 0x80]), st.lists(objects, max_size=8)).map(
    lambda each: encode(each[0], *each[1]) + OK
)
answers = st.one_of(templates, st.binary(max_size=60), st.binary(max_size=60).map(lambda data: data + OK))


@given(st.sampled_from([VISA, UNIONPAY, MASTERCARD]), st.lists(answers, max_size=6))
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_answers_after_a_sound_selection(issuer: Issuer, aid: bytes, rest: list[bytes]) -> None:
    run(Answers([directory(entry(aid)), control(aid), *rest]), issuer)


@given(st.lists(answers, max_size=6))
@settings(max_examples=200, deadline=None)
def test_any_answers_at_all(issuer: Issuer, everything: list[bytes]) -> None:
    assert run(Answers(everything), issuer) is None


@st.composite
def changes(draw: st.DrawFn) -> tuple[int, str, int, int]:
    """Which answer, what is done to it, where (in thousandths of it), with what."""
    kind = draw(st.sampled_from(["flip", "cut", "insert", "drop", "double"]))
    return draw(st.integers(0, 9)), kind, draw(st.integers(0, 999)), draw(st.integers(1, 255))


@pytest.mark.parametrize("name", CARDS)
@given(change=changes())
@settings(max_examples=20, deadline=None)
def test_one_wrong_byte_anywhere(issuer: Issuer, name: str, change: tuple[int, str, int, int]) -> None:
    sound = issuer.card(name).buy(issuer.facts()).decision
    card = issuer.card(name)
    which, kind, where, what = change

    def changed(command: bytes) -> bytes:
        count = len(card.names)
        response = card(command)
        if count != which:
            return response
        at = where * len(response) // 1000
        return {
            "flip": response[:at] + bytes([response[at] ^ what]) + response[at + 1 :],
            "cut": response[:at],
            "insert": response[:at] + bytes([what]) + response[at:],
            "drop": response[:at] + response[at + 1 :],
            "double": response[:at] + response,
        }[kind]

    try:
        read = read_card(changed, purchase(), issuer.facts(), Notes())
    except (CardLost, CardRefused):
        return
    assert read.chip.keys() >= FOR_THE_HOST
    if read.decision is Decision.OFFLINE_APPROVED:
        assert sound is Decision.OFFLINE_APPROVED
        assert read.pan == card.card.profile.pan
