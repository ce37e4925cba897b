"""The terminal's reader in the simulated field: the bench's own cards on PN532 chips, with faults of the protocol."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rig.cards.faults import At, BadBlocks, BlockFault, CardFault, Late, Tear, WaitStorm
from rig.cards.pn532 import Pn532Presenter
from rig.cards.profile import CardProfile, load_card
from rig.virtual.terminal.emv.card import CardData, CardRefused, Transceive
from rig.virtual.terminal.emv.entry import read_card
from rig.virtual.terminal.reader import Cancelled, NoCard, Pn532Reader
from rig.virtual.terminal.reader_chip import window_for
from tests.virtual.terminal.emv_cards import CARDS, Issuer, Notes, purchase
from tests.virtual.terminal.terminal_process import base_settings, spawn, write_redaction

CHIPS = ("bench", "other", "terminal")


@dataclass
class Field:
    """Two presenters and a reader around one field; ``happened`` is what the reader logged."""

    issuer: Issuer
    presenters: dict[str, Pn532Presenter]
    port: Path
    happened: Notes
    asked_again: threading.Event

    def present(self, name: str | CardProfile, *faults: CardFault, chip: str = "bench") -> None:
        """Put a card in the field."""
        profile = load_card(name, CARDS) if isinstance(name, str) else name
        hurried = profile.behaviour.model_copy(update={"frame_waiting_integer": 7})  # 39 ms: soon found out
        profile = profile.model_copy(update={"behaviour": hurried})
        self.presenters[chip].arm(profile, faults)

    def reader(self, tries: int = 3, answer_s: float = 5.0) -> Pn532Reader:
        """The terminal's reader."""
        return Pn532Reader(self.port, self.happened, tries, answer_s)

    def read(self, reader: Pn532Reader, timeout_s: float = 8.0) -> CardData:
        """One purchase."""

        def use(transceive: Transceive) -> CardData:
            return read_card(transceive, purchase(), self.issuer.facts(), self.happened)

        return reader.read(use, timeout_s, threading.Event(), self.asked_again.set)


@pytest.fixture(scope="module")
def air(tmp_path_factory: pytest.TempPathFactory, issuer: Issuer) -> Iterator[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("air")
    write_redaction(folder)
    config = folder / "field.json"
    config.write_text(json.dumps(base_settings("field", folder) | {"chips": {chip: f"{chip}.tty" for chip in CHIPS}}))
    process, _ = spawn("rig.virtual.field", config)
    presenters = {
        chip: Pn532Presenter(folder / f"{chip}.tty", issuer.bureau, lambda *_: None, lambda *_: None)
        for chip in ("bench", "other")
    }
    yield {"presenters": presenters, "port": folder / "terminal.tty"}
    for presenter in presenters.values():
        presenter.close()
    process.terminate()
    process.wait(5)


@pytest.fixture
def field(air: dict[str, Any], issuer: Issuer) -> Iterator[Field]:
    yield Field(issuer, happened=Notes(), asked_again=threading.Event(), **air)
    for presenter in air["presenters"].values():
        presenter.remove()


@pytest.fixture(scope="module")
def opened(air: dict[str, Any]) -> Callable[[Field], Pn532Reader]:
    """One reader for all: its port is opened once."""
    kept: list[Pn532Reader] = []

    def reader(field: Field) -> Pn532Reader:
        if not kept:
            kept.append(field.reader())
        kept[0]._log = field.happened
        return kept[0]

    return reader


Open = Callable[[Field], Pn532Reader]


@pytest.mark.parametrize("name", ["visa-credit", "mastercard-credit", "small-frames", "visa-offline"])
def test_cards_are_read(field: Field, opened: Open, name: str) -> None:
    field.present(name)
    read = field.read(opened(field))
    assert read.pan == load_card(name, CARDS).pan
    assert not field.asked_again.is_set()
    told = field.happened.of("terminal_apdu")
    assert told[0]["command"].startswith(b"\x00\xa4\x04\x00\x0e")
    assert {event["status"] for event in told} == {b"\x90\x00"}
    assert all(set(event) == {"command", "status", "length"} for event in told)


@pytest.mark.parametrize("kind", ["bad-pcb", "wrong-number", "lost", "bad-crc"])
def test_bad_blocks_are_recovered_from(field: Field, opened: Open, kind: BlockFault) -> None:
    field.present("visa-credit", BadBlocks(At("GPO"), kind))
    assert field.read(opened(field)).label == "VISA"
    assert not field.asked_again.is_set()


def test_a_card_that_asks_for_time_gets_it(field: Field, opened: Open) -> None:
    field.present("visa-credit", WaitStorm(At("GPO"), 5))
    assert field.read(opened(field)).label == "VISA"
    assert not field.asked_again.is_set()


@pytest.mark.parametrize(
    "fault",
    [
        WaitStorm(At("GPO"), 100), BadBlocks(At("GPO"), "nak-storm", 10), BadBlocks(At("GPO"), "lost", 10),
        Late(At("SELECT AID"), 0.2), Tear(At("GPO"), "before", comes_back=True),
        Tear(At("GPO"), "inside", comes_back=True),
    ],
    ids=lambda fault: fault.name,
)  # fmt: skip
def test_what_cannot_be_recovered_is_presented_again(field: Field, opened: Open, fault: CardFault) -> None:
    field.present("visa-credit", fault)
    assert field.read(opened(field)).label == "VISA"
    if not isinstance(fault, Late):  # a late block may still answer the reader's R(NAK)
        assert field.asked_again.is_set()
        assert len(field.happened.of("terminal_card_lost")) == 1


def test_a_card_that_leaves_after_its_cryptogram_has_paid(field: Field, opened: Open) -> None:
    field.present("visa-credit", Tear(At("GPO"), "after"))
    assert field.read(opened(field)).label == "VISA"
    assert not field.happened.of("terminal_card_lost")


def test_tries_are_bounded(field: Field, opened: Open) -> None:
    tears = [Tear(At("GPO", number), "before", comes_back=True) for number in (1, 2, 3, 4)]
    field.present("visa-credit", *tears)
    with pytest.raises(NoCard) as failure:
        field.read(opened(field))
    assert failure.value.seen
    assert len(field.happened.of("terminal_card_lost")) == 3


def test_two_cards_are_none_until_one_is_gone(field: Field, opened: Open) -> None:
    field.present("visa-credit")
    field.present("mastercard-credit", chip="other")
    got: list[CardData] = []
    reading = threading.Thread(target=lambda: got.append(field.read(opened(field))))
    reading.start()
    assert field.asked_again.wait(5)
    assert [event["why"] for event in field.happened.of("terminal_collision")] == ["present one card only"]
    assert not field.happened.of("terminal_apdu")
    field.presenters["other"].remove()
    reading.join(8)
    assert [read.label for read in got] == ["VISA"]


def test_two_cards_that_stay_are_no_transaction(field: Field, opened: Open) -> None:
    field.present("visa-credit")
    field.present("visa-credit", chip="other")  # the same card number twice: chips with the same UID
    with pytest.raises(NoCard) as failure:
        field.read(opened(field), timeout_s=0.4)
    assert failure.value.seen
    assert len(field.happened.of("terminal_collision")) == 1
    assert not field.happened.of("terminal_apdu")


def test_a_refused_card_is_not_asked_for_again(field: Field, opened: Open) -> None:
    field.present("unsupported-aid")
    with pytest.raises(CardRefused):
        field.read(opened(field))
    assert not field.asked_again.is_set()


def test_a_card_may_take_so_long_and_no_longer(field: Field, opened: Open) -> None:
    slow = load_card("visa-credit", CARDS)
    slow = slow.model_copy(update={"behaviour": slow.behaviour.model_copy(update={"command_ms": 300})})
    reader = opened(field)
    field.present(slow)
    assert field.read(reader).label == "VISA"
    reader._answer_s, reader._tries = 0.15, 1
    try:
        with pytest.raises(NoCard):
            field.read(reader)
    finally:
        reader._answer_s, reader._tries = 5.0, 3
    assert "no answer within 0.15 s" in field.happened.of("terminal_card_lost")[0]["why"]


def test_an_empty_field_and_a_cancelled_wait(field: Field, opened: Open) -> None:
    with pytest.raises(NoCard) as failure:
        field.read(opened(field), timeout_s=0.1)
    assert not failure.value.seen
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(Cancelled):
        opened(field).read(lambda _: None, 1.0, cancelled, lambda: None)


@pytest.mark.parametrize(
    ("wanted", "code", "seconds"),
    [
        (0.0, 1, 100e-6),
        (0.0001, 1, 100e-6),
        (0.05, 10, 0.0512),
        (0.309, 13, 0.4096),
        (3.0, 16, 3.2768),
        (9.0, 16, 3.2768),
    ],
)
def test_the_chips_waiting_times(wanted: float, code: int, seconds: float) -> None:
    found, window = window_for(wanted)
    assert found == code
    assert window == pytest.approx(seconds)
