"""The block protocol of a simulated card that leaves its commands to somebody else."""

from __future__ import annotations

import pytest

from rig.virtual.picc import SelfDrivenCard
from rig.wire.isodep import Ats

RATS, ASKS_FOR_TIME = bytes.fromhex("E080"), bytes.fromhex("F201")
COMMAND, ANSWER = bytes.fromhex("0200A4"), bytes.fromhex("029000")


class Talk:
    """A card whose time stands still until it is told to pass, activated, and asked its first command."""

    def __init__(self) -> None:
        self.now = 0.0
        self.said: list[bytes] = []
        self.asked: list[bytes] = []
        self.card = SelfDrivenCard(Ats(), self.said.append, self.asked.append, lambda: None, lambda: self.now)
        self.card.heard(RATS)
        self.card.heard(COMMAND)
        self.said.clear()

    def waits_too_long(self) -> None:
        assert self.card.deadline is not None
        self.now = self.card.deadline
        self.card.tick()


@pytest.fixture
def talk() -> Talk:
    return Talk()


def test_a_quick_answer_needs_no_time(talk: Talk) -> None:
    talk.card.answer(b"\x90\x00")
    assert talk.said == [ANSWER]


def test_an_answer_after_the_grant_follows_at_once(talk: Talk) -> None:
    talk.waits_too_long()
    talk.card.heard(ASKS_FOR_TIME)
    talk.card.answer(b"\x90\x00")
    assert talk.said == [ASKS_FOR_TIME, ANSWER]


def test_an_answer_waits_for_the_grant_that_was_asked_for(talk: Talk) -> None:
    talk.waits_too_long()
    talk.card.answer(b"\x90\x00")
    assert talk.said == [ASKS_FOR_TIME]
    assert talk.card.sending
    talk.card.heard(ASKS_FOR_TIME)
    assert talk.said == [ASKS_FOR_TIME, ANSWER]
    assert not talk.card.sending


def test_what_waited_for_a_grant_is_not_the_answer_of_the_next_activation(talk: Talk) -> None:
    talk.waits_too_long()
    talk.card.answer(b"\x90\x00")
    talk.card.reset()
    talk.said.clear()
    for block in (RATS, COMMAND):
        talk.card.heard(block)
    talk.card.answer(b"\x6a\x83")
    assert talk.said[1:] == [bytes.fromhex("026A83")]
