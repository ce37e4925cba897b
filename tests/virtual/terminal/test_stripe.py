"""The magnetic head, byte by byte."""

import os
import select
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.virtual.terminal.emv.card import Cvm, EntryMode
from rig.virtual.terminal.emv.facts import Facts, PinPad
from rig.virtual.terminal.stripe import StripeHead
from rig.virtual.terminal.swipe import card_of

TRACK = b";4761739001010010=311220100000?"


@pytest.fixture
def bell() -> threading.Event:
    return threading.Event()


@pytest.fixture
def head(tmp_path: Path, bell: threading.Event) -> StripeHead:
    return StripeHead(tmp_path / "stripe.tty", bell, lambda *_, **__: None)


@pytest.fixture
def line(tmp_path: Path, head: StripeHead) -> Iterator[int]:
    fd = os.open(tmp_path / "stripe.tty", os.O_RDWR | os.O_NOCTTY)
    yield fd
    os.close(fd)


def said(line: int, swipe: bytes) -> bytes:
    """What the head answers."""
    os.write(line, swipe)
    answer = b""
    while not answer.endswith(b"\r"):
        assert select.select([line], [], [], 5)[0], "the head says nothing"
        answer += os.read(line, 10)
    return answer


def test_a_swipe_is_kept_until_it_is_used(head: StripeHead, line: int, bell: threading.Event) -> None:
    assert head.take() is None
    assert said(line, TRACK + b"\r") == b"ok\r"
    assert bell.is_set()
    track = head.take()
    assert track is not None
    assert (track.pan, track.expiry, track.service_code) == ("4761739001010010", "3112", "201")
    assert track.text == "4761739001010010=311220100000"
    assert "4761739001010010" not in repr(track)
    assert head.take() is None


def test_the_last_swipe_counts(head: StripeHead, line: int) -> None:
    said(line, TRACK + b"\r")
    assert said(line, b";6212340000000003=2912101?\r") == b"ok\r"
    track = head.take()
    assert track is not None
    assert track.service_code == "101"


def test_an_empty_line_takes_a_swipe_back(head: StripeHead, line: int, bell: threading.Event) -> None:
    said(line, TRACK + b"\r")
    assert said(line, b"\r") == b"ok\r"
    assert head.take() is None
    bell.clear()
    assert said(line, b"\r") == b"ok\r"
    assert not bell.is_set()


@pytest.mark.parametrize(
    "swipe",
    [
        TRACK[:-1], TRACK[1:], b";4761739001010010=3113201?", b";47617390=3112201?", b";4761739001010010D3112201?",
        b";4761739001010010=31122x1?", b";4761739001010010=311220100000000000000000?", b"\x00", b"\xff" * 30,
    ],
)  # fmt: skip
def test_what_is_no_track_is_bad_and_forgotten(
    head: StripeHead, line: int, bell: threading.Event, swipe: bytes
) -> None:
    assert said(line, swipe + b"\r") == b"bad\r"
    assert head.take() is None
    assert not bell.is_set()
    assert said(line, TRACK + b"\r") == b"ok\r"


def test_a_line_without_an_end_does_not_fill_the_memory(head: StripeHead, line: int) -> None:
    os.write(line, b"9" * 3000)
    assert said(line, b"\r") == b"bad\r"
    assert said(line, TRACK + b"\r") == b"ok\r"


def test_two_swipes_in_one_write(head: StripeHead, line: int) -> None:
    os.write(line, b"x\r" + TRACK + b"\r")
    answer = b""
    while answer.count(b"\r") < 2:
        answer += os.read(line, 10)
    assert answer == b"bad\rok\r"


@pytest.mark.parametrize(
    ("service_code", "cvm"),
    [("101", Cvm.SIGNATURE), ("221", Cvm.SIGNATURE), ("120", Cvm.ONLINE_PIN), ("206", Cvm.ONLINE_PIN)],
)
def test_the_service_code_says_whether_a_pin_is_wanted(
    head: StripeHead, line: int, service_code: str, cvm: Cvm
) -> None:
    said(line, f";4761739001010010=3112{service_code}?\r".encode())
    track = head.take()
    assert track is not None
    card = card_of(track, EntryMode.STRIPE, Facts(pin_pad=PinPad(key=bytes(range(16)))))
    assert (card.cvm, card.pin_block is not None) == (cvm, cvm is Cvm.ONLINE_PIN)
    assert (card.label, card.track2, card.chip) == ("VISA", track.text, {})
    assert card_of(track, EntryMode.STRIPE, Facts()).cvm is Cvm.SIGNATURE  # no key for a PIN block
