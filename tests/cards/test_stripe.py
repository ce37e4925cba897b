"""The stripe presenter's exact dialogue, over a pseudo-terminal whose far end the test plays."""

import os
import threading
import tty
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import serial

from rig.cards import stripe
from rig.cards.bureau import CardBureau
from rig.cards.faults import At, Tear
from rig.cards.profile import CardProfile, Interface
from rig.cards.stripe import StripePresenter, track_of
from rig.errors import BenchBusy, CallerMistake, DeviceGone, DeviceMute, DeviceNonsense


def ignore(*_: object) -> None:
    return


class Head:
    """The far end of a port: hears lines, answers what the test says."""

    def __init__(self) -> None:
        self.far, self.near = os.openpty()
        tty.setraw(self.far)
        tty.setraw(self.near)
        self.port = Path(os.ttyname(self.near))
        self.heard: list[bytes] = []
        self.answer: Callable[[bytes], bytes] = lambda line: b"ok\r"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        line = b""
        while True:
            try:
                line += os.read(self.far, 100)
            except OSError:
                return
            while b"\r" in line:
                one, line = line.split(b"\r", 1)
                self.heard.append(one)
                os.write(self.far, self.answer(one))

    def close(self) -> None:
        os.close(self.near)
        os.close(self.far)


@pytest.fixture
def head() -> Iterator[Head]:
    head = Head()
    yield head
    head.close()


Events = list[tuple[str, Mapping[str, Any]]]


@pytest.fixture
def events() -> Events:
    return []


@pytest.fixture
def presenter(head: Head, bureau: CardBureau, events: Events) -> StripePresenter:
    return StripePresenter(head.port, bureau, lambda kind, fields: events.append((kind, fields)), ignore)


def test_a_swipe_and_its_removal_byte_by_byte(
    head: Head, presenter: StripePresenter, visa: CardProfile, events: Events
) -> None:
    presenter.arm(visa)
    assert head.heard == [f";{visa.pan}={visa.expiry}{visa.service_code}00000?".encode()]
    proof = presenter.remove()
    assert head.heard[1:] == [b""]
    assert proof == {"card": visa.name, "target": "released", "head": "ok"}
    assert [kind for kind, _ in events] == ["card_armed", "card_removed"]
    assert events[0][1]["interface"] == "stripe"
    assert visa.pan not in repr(events)


def test_a_second_removal_finds_nothing_and_tells_nothing(presenter: StripePresenter, events: Events) -> None:
    assert presenter.remove()["card"] is None
    presenter.close()
    assert events == []


def test_it_says_what_was_swiped(head: Head, presenter: StripePresenter, visa: CardProfile) -> None:
    assert presenter.identify() == {"device": "stripe", "port": str(head.port), "card": None}
    presenter.arm(visa)
    card = presenter.identify()["card"]
    assert (card["card"], card["masked"]) == (visa.name, f"{visa.pan[:6]}******{visa.pan[-4:]}")


def test_the_track_has_at_most_forty_characters(visa: CardProfile) -> None:
    longest = visa.model_copy(update={"pan": "4761730000000000000"})
    assert len(track_of(longest)) <= 40


def test_a_head_that_cannot_read_is_the_bench_s_trouble(
    head: Head, presenter: StripePresenter, visa: CardProfile, events: Events
) -> None:
    head.answer = lambda line: b"bad\r"
    with pytest.raises(DeviceNonsense, match="could not read"):
        presenter.arm(visa)
    head.answer = lambda line: b"AT+CSQ?\r"
    with pytest.raises(DeviceNonsense, match="no head"):
        presenter.arm(visa)
    with pytest.raises(DeviceNonsense, match="no head"):
        presenter.remove()
    assert events == []


def test_a_head_that_says_nothing_is_mute(
    head: Head, presenter: StripePresenter, visa: CardProfile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stripe, "ANSWER_S", 0.1)
    head.answer = lambda line: b""
    with pytest.raises(DeviceMute, match="power"):
        presenter.arm(visa)


def test_a_port_that_is_not_there(tmp_path: Path, bureau: CardBureau, visa: CardProfile) -> None:
    presenter = StripePresenter(tmp_path / "stripe.tty", bureau, ignore, ignore)
    with pytest.raises(DeviceGone, match=r"stripe.tty.*cable"):
        presenter.arm(visa)
    assert presenter.remove() == {"card": None, "target": "released", "head": "absent"}


def test_a_port_that_another_program_holds(head: Head, presenter: StripePresenter, visa: CardProfile) -> None:
    with serial.Serial(str(head.port), exclusive=True), pytest.raises(BenchBusy, match="another program"):
        presenter.arm(visa)


def test_what_it_cannot_do_is_refused_before_anything_is_sent(
    head: Head, presenter: StripePresenter, visa: CardProfile
) -> None:
    with pytest.raises(CallerMistake, match="cannot do"):
        presenter.arm(visa, [Tear(At("GPO"), "before")])
    with pytest.raises(CallerMistake, match="has no stripe"):
        presenter.arm(visa.model_copy(update={"interfaces": (Interface.CONTACT,)}))
    with pytest.raises(CallerMistake, match="no test PAN") as refusal:
        presenter.arm(visa.model_copy(update={"pan": "4111111111111111"}))
    assert "4111111111111111" not in str(refusal.value)
    assert head.heard == []
