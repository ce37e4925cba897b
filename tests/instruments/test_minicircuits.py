"""The exact dialogue with a Mini-Circuits attenuator."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rig.errors import BenchTrouble, CallerMistake, DeviceClamped, DeviceNonsense
from rig.instruments.attenuator import Attenuator, PlaysRamps, Ramp, open_attenuator
from rig.units import Decibel

TcpPeers = Callable[..., Any]
Turns = list[tuple[bytes, bytes | None]]

FOUR: Turns = [(b":MN?\r\n", b"MN=RC4DAT-6G-95\r\n"), (b":SN?\r\n", b"SN=12208010025\r\n")]
ONE: Turns = [
    (b":MN?\r\n", b"MN=RCDAT-6000-110\r\n"),
    (b":SN?\r\n", b"SN=11302120000\r\n"),
    (b":HOP:MODE:OFF\r\n", b"1\r\n"),  # what a killed run left on
]


def connect(tcp_peer: TcpPeers, folder: Path, turns: Turns) -> Attenuator:
    address = tcp_peer(turns).address
    return open_attenuator("mini-circuits", address, name="att", lock_folder=folder, timeout_s=0.5)


def test_it_says_what_it_is(tcp_peer: TcpPeers, tmp_path: Path) -> None:
    box = connect(tcp_peer, tmp_path, FOUR)
    assert isinstance(box, Attenuator)
    assert (box.channels, box.maximum, box.step) == (4, 95.0, 0.25)
    assert box.identity == "RC4DAT-6G-95 SN=12208010025"
    box.close()


def test_a_value_is_set_and_read_back(tcp_peer: TcpPeers, tmp_path: Path) -> None:
    turns = [*FOUR, (b":CHAN:2:SETATT:30.25\r\n", b"1\r\n"), (b":CHAN:2:ATT?\r\n", b"30.25\r\n")]
    box = connect(tcp_peer, tmp_path, turns)
    assert box.set(2, Decibel(30.25)) == Decibel(30.25)
    box.close()


def test_a_single_channel_box_has_its_own_words(tcp_peer: TcpPeers, tmp_path: Path) -> None:
    turns = [*ONE, (b":SETATT=110\r\n", b"1\r\n"), (b":ATT?\r\n", b"110.00\r\n")]
    box = connect(tcp_peer, tmp_path, turns)
    assert box.set(1, Decibel(110)) == Decibel(110)
    box.close()


@pytest.mark.parametrize(
    ("dialogue", "error", "says"),
    [
        ([(b":CHAN:1:SETATT:90\r\n", b"2\r\n")], DeviceClamped, "took its maximum"),
        ([(b":CHAN:1:SETATT:90\r\n", b"0\r\n")], BenchTrouble, "refuses 90 dB"),
        ([(b":CHAN:1:SETATT:90\r\n", b"1\r\n"), (b":CHAN:1:ATT?\r\n", b"89.75\r\n")], DeviceNonsense, "lies"),
        ([(b":CHAN:1:SETATT:90\r\n", b"1\r\n"), (b":CHAN:1:ATT?\r\n", b"hello\r\n")], DeviceNonsense, "'hello'"),
        ([(b":CHAN:1:SETATT:90\r\n", b"1\r\n"), (b":CHAN:1:ATT?\r\n", b"nan\r\n")], DeviceNonsense, "'nan'"),
        ([(b":CHAN:1:SETATT:90\r\n", b"1\r\n"), (b":CHAN:1:ATT?\r\n", b"96\r\n")], DeviceNonsense, "'96'"),
    ],
)
def test_what_it_does_wrong_is_told(
    tcp_peer: TcpPeers, tmp_path: Path, dialogue: Turns, error: type[BenchTrouble], says: str
) -> None:
    box = connect(tcp_peer, tmp_path, [*FOUR, *dialogue])
    with pytest.raises(error, match=says) as caught:
        box.set(1, Decibel(90))
    assert caught.value.device == "att"
    assert caught.value.cure
    box.close()


@pytest.mark.parametrize(
    ("channel", "db", "says"),
    [
        (0, 10.0, "no channel 0"),
        (5, 10.0, "no channel 5"),
        (1, -0.25, "outside 0 to 95 dB"),
        (1, 95.25, "outside 0 to 95 dB"),
        (1, float("nan"), "outside 0 to 95 dB"),
        (1, 10.1, "not a multiple of 0.25 dB"),
    ],
)
def test_what_it_cannot_take_exactly_is_not_sent(
    tcp_peer: TcpPeers, tmp_path: Path, channel: int, db: float, says: str
) -> None:
    box = connect(tcp_peer, tmp_path, FOUR)
    with pytest.raises(CallerMistake, match=says):
        box.set(channel, Decibel(db))
    box.close()


def test_another_box_is_refused_and_let_go(tcp_peer: TcpPeers, tmp_path: Path) -> None:
    address = tcp_peer([(b":MN?\r\n", b"JFW 50PA\r\n")], FOUR).address
    with pytest.raises(DeviceNonsense, match="'JFW 50PA'"):
        open_attenuator("mini-circuits", address, name="att", lock_folder=tmp_path)
    open_attenuator("mini-circuits", address, name="att", lock_folder=tmp_path).close()


def test_an_unknown_dialect_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(CallerMistake, match=r"unknown dialect 'jwf' .*mini-circuits"):
        open_attenuator("jwf", "TCPIP::127.0.0.1::1::SOCKET", name="att", lock_folder=tmp_path)


HOP: Turns = [
    (f":HOP:{command}\r\n".encode(), b"1\r\n")
    for command in (
        "POINTS:3", "DIRECTION:0",
        "POINT:1", "ATT:0", "DWELL_UNIT:M", "DWELL:1",
        "POINT:2", "ATT:0.25", "DWELL_UNIT:M", "DWELL:1",
        "POINT:3", "ATT:0.5", "DWELL_UNIT:S", "DWELL:600",
        "MODE:ON", "MODE:OFF",
    )
]  # fmt: skip
SHORT = Ramp(Decibel(0), Decibel(0.5), Decibel(0.25), 1)


def test_a_box_of_one_channel_plays_a_ramp_by_itself(tcp_peer: TcpPeers, tmp_path: Path) -> None:
    box = connect(tcp_peer, tmp_path, [*ONE, *HOP, (b":ATT?\r\n", b"0.50\r\n")])
    assert isinstance(box, PlaysRamps)
    assert box.takes(SHORT)
    box.fade(1, SHORT)
    with pytest.raises(CallerMistake, match="no channel 2"):
        box.fading(2)
    while box.fading(1):
        pass
    assert box.get(1) == Decibel(0.5)
    box.close()


def test_what_the_hop_mode_cannot_do_is_left_to_us(tcp_peer: TcpPeers, tmp_path: Path) -> None:
    one = connect(tcp_peer, tmp_path, [*ONE, (b":HOP:POINTS:3\r\n", b"0\r\n")])
    assert isinstance(one, PlaysRamps)
    assert not one.takes(Ramp(Decibel(0), Decibel(26), Decibel(0.25), 20))  # 105 points
    assert not one.takes(Ramp(Decibel(0), Decibel(1), Decibel(0.25), 1.5))
    assert not one.takes(Ramp(Decibel(0), Decibel(111), Decibel(111), 20))
    with pytest.raises(BenchTrouble, match="refuses ':HOP:POINTS:3'"):
        one.fade(1, SHORT)
    one.close()
    four = connect(tcp_peer, tmp_path, FOUR)
    assert isinstance(four, PlaysRamps)
    assert not four.takes(SHORT)
    with pytest.raises(CallerMistake, match="cannot play"):
        four.fade(1, SHORT)
    four.close()
