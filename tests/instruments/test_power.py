"""The exact dialogue with a Numato relay board."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rig.errors import CallerMistake, DeviceMute, DeviceNonsense
from rig.instruments.power import NumatoBoard, NumatoRelay, PowerSwitch
from rig.virtual.pty import PtyPort

PtyPeers = Callable[[list[tuple[bytes, bytes | None]]], Any]


def connect(pty_peer: PtyPeers, *turns: tuple[bytes, bytes | None], channel: int = 0) -> NumatoRelay:
    return NumatoRelay.open(pty_peer(list(turns)).address, channel=channel, name="relay", timeout_s=0.2)


def turn(command: str, answer: str = "") -> tuple[bytes, bytes]:
    return f"{command}\r".encode(), f"{command}\n\r{answer}{'' if not answer else chr(10) + chr(13)}>".encode()


def test_power_is_switched_and_read_back(pty_peer: PtyPeers) -> None:
    relay = connect(
        pty_peer,
        turn("relay on 0"), turn("relay read 0", "on"),
        turn("relay off 0"), turn("relay read 0", "off"),
        turn("relay read 0", "off"),
    )  # fmt: skip
    assert isinstance(relay, PowerSwitch)
    relay.on()
    relay.off()
    assert relay.read() is False
    relay.close()


def test_relays_above_nine_have_letters(pty_peer: PtyPeers) -> None:
    relay = connect(pty_peer, turn("relay read B", "on"), channel=11)
    assert relay.read() is True
    relay.close()


def test_relays_of_one_board_share_its_line(pty_peer: PtyPeers) -> None:
    peer = pty_peer(
        [turn("relay off 1"), turn("relay read 1", "off"), turn("relay read 0", "on"), turn("relay read 1", "off")]
    )
    board = NumatoBoard.open(peer.address, name="board", timeout_s=0.2)
    power, base = board.relay(0, "power"), board.relay(1, "relay base")
    base.off()
    assert power.read() is True
    power.close()
    assert not board.closed
    assert base.read() is False
    base.close()
    assert board.closed


def test_a_relay_that_does_not_follow_is_told(pty_peer: PtyPeers) -> None:
    relay = connect(pty_peer, turn("relay off 0"), turn("relay read 0", "on"))
    with pytest.raises(DeviceNonsense, match="does not switch off"):
        relay.off()
    relay.close()


@pytest.mark.parametrize("answer", ["maybe", ""])
def test_another_board_is_told(pty_peer: PtyPeers, answer: str) -> None:
    relay = connect(pty_peer, turn("relay read 0", answer))
    with pytest.raises(DeviceNonsense, match="reads back"):
        relay.read()
    relay.close()


def test_an_error_text_is_no_switching(pty_peer: PtyPeers) -> None:
    relay = connect(pty_peer, turn("relay on 0", "Invalid Command"))
    with pytest.raises(DeviceNonsense, match="Invalid Command"):
        relay.on()
    relay.close()


def test_a_mute_board_is_told(tmp_path: Path) -> None:
    port = PtyPort(tmp_path / "relay.tty")
    relay = NumatoRelay.open(str(port.link), name="relay", timeout_s=0.1)
    with pytest.raises(DeviceMute, match=r"relay: no answer in 0\.1 s"):
        relay.read()
    relay.close()
    port.close()


def test_a_relay_that_no_board_has_is_the_callers_mistake(tmp_path: Path) -> None:
    port = PtyPort(tmp_path / "relay.tty")
    with pytest.raises(CallerMistake, match="no relay 32"):
        NumatoRelay.open(str(port.link), channel=32, name="relay")
    NumatoRelay.open(str(port.link), channel=31, name="relay").close()
    port.close()
