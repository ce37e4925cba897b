"""The exact dialogues with boxes of JFW, Weinschel, Keysight and Adaura, and what each does wrong."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.errors import BenchTrouble, CallerMistake, DeviceGone, DeviceMute, DeviceNonsense
from rig.instruments import adaura, jfw, keysight11713, weinschel
from rig.instruments.attenuator import Attenuator, PlaysRamps, Ramp, dialects, open_attenuator
from rig.units import Decibel

TcpPeers = Callable[..., Any]
Turns = list[tuple[bytes, bytes | None]]


@dataclass(frozen=True)
class Dialect:
    """A box as it greets and names itself, and how 30 dB on channel 2 are set and read back."""

    name: str
    greeting: bytes
    hello: Turns
    sets: Turns
    reads: Turns
    lies: Turns
    identity: str
    shape: tuple[int, float, float]
    settings: dict[str, Any] = field(default_factory=dict)


BANKS = {"bank1": {"x": 8494, "y": 8496}, "bank2": {"x": [1, 2, 4, 4], "y": [10, 20, 40, 40]}}
CRLF = b"\r\n"
DIALECTS = [
    Dialect(
        "jfw",
        b"\r\nJFW>>",
        [
            (b"IDN\r\n", b"JFW Industries 50PA-1174-04\r\nSerial Number 7\r\nJFW>>"),
            (b"RAA\r\n", b"Checksum = 0x6c49\r\nAtten #1 = 127dB\r\nAtten #2 = 127dB\r\nJFW>>"),
        ],
        [(b"SA 2 30\r\n", b"JFW>>")],
        [(b"RA 2\r\n", b"Atten #2 = 30dB\r\nJFW>>")],
        [(b"RA 2\r\n", b"Atten #2 = 3dB\r\nJFW>>")],
        "JFW Industries 50PA-1174-04 Serial Number 7",
        (2, 127.0, 1.0),
    ),
    Dialect(
        "weinschel",
        b"\r\n>",
        [
            (b"*CLS\r\n", b">"),
            (b"RFCONFIG? CHAN\r\n", b"2\r\n>"),
            (b"RFCONFIG? ATTN 1\r\n", b"8320-2, 95, 0.5, 0, 0, 8\r\n>"),
            (b"RFCONFIG? ATTN 2\r\n", b"8320-2, 95, 0.5, 0, 0, 8\r\n>"),
        ],
        [(b"ATTN 2 30\r\n", b">")],
        [(b"ATTN? 2\r\n", b"30.0\r\n>")],
        [(b"ATTN? 2\r\n", b"3.0\r\n>")],
        "8320-2 × 2",
        (2, 95.0, 0.5),
    ),
    Dialect(
        "keysight-11713",
        b"",
        [
            (b"*IDN?\n", b"Agilent Technologies,11713C,MY1,A.01.06\n"),
            (b"CONF:BANK1:X?\n", b"AG8494g\n"),
            (b"CONF:BANK1:Y?\n", b"AG8496g\n"),
        ],
        [
            (b"ATT:BANK2:Y 30\n", b""),
            (b"ATT:BANK2:X 0\n", b""),
            (b"*OPC?\n", b"1\n"),
            (b"SYST:ERR?\n", b'+0,"No error"\n'),
        ],
        [(b"ATT:BANK2:X?\n", b"0\n"), (b"ATT:BANK2:Y?\n", b"30\n")],
        [(b"ATT:BANK2:X?\n", b"0\n"), (b"ATT:BANK2:Y?\n", b"10\n")],
        "Agilent Technologies,11713C,MY1,A.01.06",
        (2, 121.0, 1.0),
        BANKS,
    ),
    Dialect(
        "adaura",
        b"",
        [(b"info\r\n", b"Adaura Technologies\r\nModel: AD-USB2AR36G95\r\nSN: R1\r\nFW Ver: 1.21\r\n\r\n")],
        [(b"SET 2 30\r\n", b"Channel 2 successfully set to 30.0\r\n\r\n")],
        [(b"STATUS\r\n", b"Channel 1: 95.0\r\nChannel 2: 30.0\r\n\r\n")],
        [(b"STATUS\r\n", b"Channel 1: 95.0\r\nChannel 2: 95.0\r\n\r\n")],
        "AD-USB2AR36G95 R1",
        (2, 95.0, 0.25),
    ),
]
each_dialect = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)


def connect(tcp_peer: TcpPeers, folder: Path, dialect: Dialect, *turns: tuple[bytes, bytes | None]) -> Attenuator:
    address = tcp_peer([*dialect.hello, *turns], greeting=dialect.greeting).address
    return open_attenuator(
        dialect.name, address, name="att", lock_folder=folder, timeout_s=0.5, settings=dialect.settings
    )


@each_dialect
def test_a_value_is_set_and_read_back(tcp_peer: TcpPeers, tmp_path: Path, dialect: Dialect) -> None:
    box = connect(tcp_peer, tmp_path, dialect, *dialect.sets, *dialect.reads)
    assert isinstance(box, Attenuator)
    assert box.identity == dialect.identity
    assert (box.channels, box.maximum, box.step) == dialect.shape
    assert box.set(2, Decibel(30)) == Decibel(30)
    box.close()


@each_dialect
def test_another_value_than_was_set_is_a_lie(tcp_peer: TcpPeers, tmp_path: Path, dialect: Dialect) -> None:
    box = connect(tcp_peer, tmp_path, dialect, *dialect.sets, *dialect.lies)
    with pytest.raises(DeviceNonsense, match="lies") as caught:
        box.set(2, Decibel(30))
    assert caught.value.device == "att"
    assert caught.value.cure
    box.close()


@each_dialect
@pytest.mark.parametrize(
    ("channel", "db", "says"),
    [(3, 10.0, "no channel 3"), (0, 10.0, "no channel 0"), (1, -1.0, "outside 0 to"), (1, 128.0, "outside 0 to")],
)
def test_what_it_cannot_do_is_never_said(
    tcp_peer: TcpPeers, tmp_path: Path, dialect: Dialect, channel: int, db: float, says: str
) -> None:
    box = connect(tcp_peer, tmp_path, dialect)
    with pytest.raises(CallerMistake, match=says):
        box.set(channel, Decibel(db))
    with pytest.raises(CallerMistake, match=r"not a multiple .* \(use 10 dB\)"):
        box.set(1, Decibel(10.1))
    box.close()


@each_dialect
def test_a_box_that_says_nothing_or_goes_is_told(tcp_peer: TcpPeers, tmp_path: Path, dialect: Dialect) -> None:
    question, _ = dialect.reads[0]
    mute = connect(tcp_peer, tmp_path, dialect, (question, b""))
    with pytest.raises(DeviceMute, match="att: no answer"):
        mute.get(2)
    mute.close()
    gone = connect(tcp_peer, tmp_path, dialect, (question, None))
    with pytest.raises(DeviceGone, match="att: "):
        gone.get(2)
    gone.close()


@each_dialect
def test_a_wrong_box_behind_the_address_is_refused(tcp_peer: TcpPeers, tmp_path: Path, dialect: Dialect) -> None:
    question, answer = next(turn for turn in dialect.hello if turn[1] != b">")
    assert answer is not None
    before = dialect.hello[: dialect.hello.index((question, answer))]
    end = b"\n" if dialect.name == "keysight-11713" else CRLF
    wrong = b"XYZ-1 of another maker" + end * 2 + dialect.greeting.strip()
    address = tcp_peer([*before, (question, wrong)], greeting=dialect.greeting).address
    with pytest.raises(DeviceNonsense, match="is it a") as caught:
        open_attenuator(
            dialect.name, address, name="att", lock_folder=tmp_path, timeout_s=0.5, settings=dialect.settings
        )
    assert "XYZ-1" in str(caught.value) or dialect.name == "adaura"


def test_keysight_grows_before_it_shrinks(tcp_peer: TcpPeers, tmp_path: Path) -> None:
    """On the way from 30 to 11 dB there is never less than 11."""
    box = next(each for each in DIALECTS if each.name == "keysight-11713")
    way: Turns = [(b"ATT:BANK2:X 1\n", b""), (b"ATT:BANK2:Y 10\n", b""), (b"*OPC?\n", b"1\n")]
    settled: Turns = [(b"SYST:ERR?\n", b'+0,"No error"\n'), (b"ATT:BANK2:X?\n", b"1\n"), (b"ATT:BANK2:Y?\n", b"10\n")]
    opened = connect(tcp_peer, tmp_path, box, *box.sets, *box.reads, *way, *settled)
    opened.set(2, Decibel(30))
    assert opened.set(2, Decibel(11)) == Decibel(11)
    opened.close()


def test_keysight_tells_what_the_box_refused(tcp_peer: TcpPeers, tmp_path: Path) -> None:
    box = next(each for each in DIALECTS if each.name == "keysight-11713")
    refused: Turns = [*box.sets[:-1], (b"SYST:ERR?\n", b'-222,"Data out of range"\n')]
    opened = connect(tcp_peer, tmp_path, box, *refused)
    with pytest.raises(BenchTrouble, match=r"refuses 30 dB on channel 2: -222"):
        opened.set(2, Decibel(30))
    opened.close()


def test_jfw_plays_a_fade_by_itself(tcp_peer: TcpPeers, tmp_path: Path) -> None:
    box = DIALECTS[0]
    turns: Turns = [
        (b"FA 2 127 1 1S STEP 2\r\n", b"Fade Started\r\nJFW>>"),
        (b"RA 2\r\n", b"Atten #2 = 125dB\r\nJFW>>"),
        (b"RA 2\r\n", b"Fade Finished\r\nAtten #2 = 1dB\r\nJFW>>"),
    ]
    opened = connect(tcp_peer, tmp_path, box, *turns)
    assert isinstance(opened, PlaysRamps)
    ramp = Ramp(Decibel(127), Decibel(1), Decibel(2), 1000)
    assert opened.takes(ramp)
    assert not opened.takes(Ramp(Decibel(127), Decibel(1), Decibel(2), 500))
    assert not opened.takes(Ramp(Decibel(127), Decibel(0), Decibel(2), 1000))
    opened.fade(2, ramp)
    assert opened.fading(2)
    assert not opened.fading(2)
    opened.close()


@pytest.mark.parametrize(
    ("dialect", "settings", "says"),
    [
        ("jfw", {"maxmum": 95}, "maxmum"),
        ("jfw", {"maximum": 0}, "maximum: 0 is no number above 0"),
        ("weinschel", {"step": 1}, "step"),
        ("keysight-11713", {}, "name no bank"),
        ("keysight-11713", {"bank1": {"x": [3, 5]}}, "no grid"),
        ("keysight-11713", {"bank1": {"z": [1]}}, "is no bank"),
        ("keysight-11713", {"bank1": {"x": 9999}}, "no attenuator"),
        ("adaura", {"step": "fine"}, "step: 'fine'"),
    ],
)
def test_settings_are_checked_before_anything_is_opened(dialect: str, settings: dict[str, Any], says: str) -> None:
    with pytest.raises(CallerMistake, match=says) as caught:
        dialects()[dialect].load().check(settings)
    assert caught.value.cure


@given(st.text(max_size=60))
def test_whatever_a_box_says_is_a_value_or_an_error_of_ours(said: str) -> None:
    for parse in (
        lambda: jfw.read_levels([said]),
        lambda: weinschel.read_channel(said),
        lambda: keysight11713.read_level(said),
    ):
        try:
            parse()
        except ValueError:
            continue
    assert all(math.isfinite(db) for db in adaura.read_status([said]).values())
    adaura.read_info([said])


@given(st.dictionaries(st.integers(1, 8), st.integers(0, 127), min_size=1))
def test_levels_are_read_as_they_were_written(levels: dict[int, int]) -> None:
    assert jfw.read_levels([f"Atten #{channel} = {db}dB" for channel, db in levels.items()]) == levels
    assert adaura.read_status([f"Channel {channel}: {db}.0" for channel, db in levels.items()]) == levels
