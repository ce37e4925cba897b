"""The chip slot, byte by byte, with a scripted card."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rig.virtual.terminal import slot as slot_module
from rig.virtual.terminal.emv.card import CardLost
from rig.virtual.terminal.slot import Inserted, NoAnswerToReset, Slot
from tests.virtual.terminal.card_in_slot import ATR, CardInSlot

OFF, ON, ASK_ATR = b"\x00", b"\x01", b"\x04"


@pytest.fixture
def bell() -> threading.Event:
    return threading.Event()


@pytest.fixture
def log() -> list[tuple[str, dict[str, Any]]]:
    return []


@pytest.fixture
def slot(tmp_path: Path, bell: threading.Event, log: list[tuple[str, dict[str, Any]]]) -> Iterator[Slot]:
    slot = Slot(tmp_path / "slot.sock", bell, lambda kind, **data: log.append((kind, data)), answer_s=0.2)
    yield slot
    slot.close()


def inserted(slot: Slot, bell: threading.Event) -> Inserted:
    assert bell.wait(5)
    bell.clear()
    card = slot.card
    assert card is not None
    return card


def test_a_card_is_greeted_and_reset(tmp_path: Path, slot: Slot, bell: threading.Event) -> None:
    assert slot.card is None
    card = CardInSlot(tmp_path / "slot.sock", lambda command: b"\x01\x02\x90\x00")
    chip = inserted(slot, bell)
    assert [card.next(), card.next()] == [ON, ASK_ATR]
    assert chip.power_on() == ATR
    assert chip.transceive(bytes.fromhex("00B2010C00")) == b"\x01\x02\x90\x00"
    assert card.next() == bytes.fromhex("00B2010C00")
    assert chip.power_on() == ATR
    assert [card.next(), card.next(), card.next()] == [OFF, ON, ASK_ATR]
    chip.power_off()
    assert card.next() == OFF


def test_a_card_that_was_switched_off_unread_is_switched_on_again(
    tmp_path: Path, slot: Slot, bell: threading.Event
) -> None:
    card = CardInSlot(tmp_path / "slot.sock", lambda command: None)
    chip = inserted(slot, bell)
    chip.power_off()  # the sale took another card
    assert chip.power_on() == ATR
    assert [card.next() for _ in range(6)] == [ON, ASK_ATR, OFF, OFF, ON, ASK_ATR]


def test_lengths_are_two_bytes_the_high_one_first(tmp_path: Path, slot: Slot, bell: threading.Event) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.connect(str(tmp_path / "slot.sock"))
        chip = inserted(slot, bell)
        assert line.recv(6, socket.MSG_WAITALL) == bytes.fromhex("000101 000104")
        answer = bytes(258)
        line.sendall(b"\x00\x09" + ATR + b"\x01")
        assert chip.power_on() == ATR
        line.sendall(b"\x02" + answer)
        assert chip.transceive(b"\x00\xb0\x00\x00") == answer
        assert line.recv(6, socket.MSG_WAITALL) == bytes.fromhex("0004 00B00000")


def test_a_card_that_vanishes_is_lost(tmp_path: Path, slot: Slot, bell: threading.Event) -> None:
    CardInSlot(tmp_path / "slot.sock", lambda command: None)
    chip = inserted(slot, bell)
    chip.power_on()
    with pytest.raises(CardLost, match="pulled"):
        chip.transceive(bytes.fromhex("00B2010C00"))
    assert not chip.there
    assert slot.card is None
    with pytest.raises(CardLost):
        chip.power_on()
    chip.power_off()


def test_a_chip_that_falls_silent_is_lost_and_its_late_answer_answers_nothing(
    tmp_path: Path, slot: Slot, bell: threading.Event
) -> None:
    card = CardInSlot(tmp_path / "slot.sock", lambda command: b"\x90\x00")
    chip = inserted(slot, bell)
    chip.power_on()
    card._process = lambda command: b""  # an empty message, which is no answer yet
    assert chip.transceive(b"\x00\xa4\x04\x00") == b""
    silent = threading.Event()
    card._process = lambda command: (silent.wait(5), b"\x6a\x82")[1]
    with pytest.raises(CardLost, match="silent"):
        chip.transceive(b"\x00\xa4\x04\x00")
    silent.set()
    card.next(), card.next(), card.next(), card.next()
    assert chip.power_on() == ATR
    card._process = lambda command: b"\x90\x00"
    assert chip.transceive(b"\x00\xa4\x04\x00") == b"\x90\x00"


@pytest.mark.parametrize("atr", [None, b"", b"\x6f\x00"], ids=["nothing", "empty", "no ATR"])
def test_a_chip_without_an_answer_to_reset_is_a_technical_failure(
    tmp_path: Path, slot: Slot, bell: threading.Event, atr: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slot_module, "_ATR_S", 0.1)
    CardInSlot(tmp_path / "slot.sock", atr=atr)
    with pytest.raises(NoAnswerToReset):
        inserted(slot, bell).power_on()


def test_a_second_card_does_not_go_in_until_the_first_is_out(
    tmp_path: Path, slot: Slot, bell: threading.Event, log: list[tuple[str, dict[str, Any]]]
) -> None:
    first = CardInSlot(tmp_path / "slot.sock")
    chip = inserted(slot, bell)
    second = CardInSlot(tmp_path / "slot.sock")
    assert second.out.wait(5)
    assert slot.card is chip
    assert "terminal_slot_occupied" in [kind for kind, _ in log]
    first.pull()
    assert first.out.wait(5)
    CardInSlot(tmp_path / "slot.sock")
    assert inserted(slot, bell) is not chip


def test_a_card_that_comes_back_before_its_answer_is_waited_for_is_lost_as_any_other() -> None:
    class Replaced(Inserted):
        def _send(self, message: bytes) -> None:
            super()._send(message)
            self.eject()  # what the slot does when the next card connects, in its own thread

    near, far = socket.socketpair()
    with far, pytest.raises(CardLost):
        Replaced(near, lambda kind, **data: None, answer_s=0.2).transceive(bytes.fromhex("00B2010C00"))


def test_a_pin_and_what_the_card_says_stay_out_of_the_log(
    tmp_path: Path, slot: Slot, bell: threading.Event, log: list[tuple[str, dict[str, Any]]]
) -> None:
    CardInSlot(tmp_path / "slot.sock", lambda command: b"\x5a\x08\x47\x90\x00")
    chip = inserted(slot, bell)
    chip.power_on()
    chip.transceive(bytes.fromhex("0020008008241234FFFFFFFFFF"))
    told = log[-1][1]
    assert told == {
        "interface": "contact", "command": bytes.fromhex("0020008008"), "status": b"\x90\x00", "length": 5,
    }  # fmt: skip
