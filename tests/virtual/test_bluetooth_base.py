"""The simulated Bluetooth base: its model by the clock, and the real process between a box, a board and a link."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.rpc import RpcServer
from rig.virtual.air_link import DEAD
from rig.virtual.bluetooth_base_model import BaseModel, BaseSettings
from tests.virtual.links import Links

AIR = "air-bluetooth"
SETTINGS = BaseSettings(hold_ms=250)


def base(attenuation_db: float = 0.0) -> BaseModel:
    """Up and connected, at the time 10."""
    made = BaseModel(SETTINGS, 0.0)
    made.attenuate(attenuation_db, 0.0)
    made.tick(10.0)
    return made


def connected(made: BaseModel) -> bool:
    return made.connected


def test_it_boots_then_is_found() -> None:
    made = BaseModel(SETTINGS, 0.0)
    assert (made.state()["up"], connected(made)) == (False, False)
    made.attenuate(0, 0.0)
    made.tick(0.29)
    assert not made.state()["up"]
    made.tick(0.3)
    assert made.state()["up"]
    assert not connected(made)
    assert made.due == pytest.approx(0.6)
    made.tick(0.6)
    assert connected(made)
    assert made.due is None


def test_out_of_range_is_silence_first_and_a_lost_connection_then() -> None:
    made = base()
    made.attenuate(60, 10.0)
    assert connected(made)
    assert made.shape == DEAD
    made.tick(10.3)
    assert not connected(made)


def test_back_in_time_nothing_was_lost() -> None:
    made = base()
    made.attenuate(60, 10.0)
    made.attenuate(0, 10.2)
    made.tick(20.0)
    assert connected(made)
    assert made.due is None


def test_range_has_hysteresis() -> None:
    made = base()
    made.attenuate(44, 10.0)
    assert made.state()["in_range"], "-89 dBm is enough to hold a connection"
    made.attenuate(46, 11.0)
    made.tick(12.0)
    made.attenuate(44, 12.0)
    assert not made.state()["in_range"], "and not enough to find the base again"
    made.attenuate(38, 13.0)
    made.tick(13.29)
    assert not connected(made)
    made.tick(13.3)
    assert connected(made)


@given(st.lists(st.floats(0, 95), min_size=2, max_size=20).map(sorted))
def test_more_attenuation_is_never_a_better_link(steps: list[float]) -> None:
    made = base()
    shapes = []
    for step in steps:
        made.attenuate(step, 10.0)
        shapes.append(made.shape["up"])
    rates = [0.0 if shape.get("cut") else shape["rate_kbit"] for shape in shapes]
    delays = [1e9 if shape.get("cut") else shape["delay_ms"] for shape in shapes]
    assert rates == sorted(rates, reverse=True)
    assert delays == sorted(delays)


def test_held_key_forgets_and_a_short_press_lets_it_pair_again() -> None:
    made = base()
    made.press(True, 10.0)
    made.tick(10.25)
    assert (made.paired, connected(made)) == (False, False), "told at once, without the supervision timeout"
    made.press(False, 10.5)
    made.tick(100.0)
    assert not connected(made), "nothing brings it back but pairing"
    made.press(True, 100.0)
    made.press(False, 100.1)
    made.tick(100.2)
    assert made.paired
    assert not connected(made)
    made.tick(100.5)
    assert connected(made)


def test_a_short_press_of_a_paired_base_changes_nothing() -> None:
    made = base()
    made.press(True, 10.0)
    made.press(False, 10.1)
    made.tick(20.0)
    assert made.paired
    assert connected(made)
    assert made.due is None


def test_nobody_pairs_out_of_range_or_after_the_window() -> None:
    made = base()
    made.press(True, 10.0)
    made.tick(10.3)
    made.press(False, 10.3)
    made.attenuate(90, 11.0)
    made.press(True, 11.0)
    made.press(False, 11.1)
    made.tick(16.1)
    made.attenuate(0, 17.0)
    made.tick(30.0)
    assert not made.paired


def test_without_supply_no_key_works_and_pairings_are_kept() -> None:
    made = base()
    made.power(False, 10.0)
    made.press(True, 10.0)
    made.tick(12.0)
    assert (made.paired, connected(made)) == (True, False)
    made.press(False, 12.0)
    made.power(True, 12.0)
    made.tick(12.7)
    assert connected(made)


# The process.


class Neighbour:
    """Stands for the side door of a box or a board: a state, and what is pushed."""

    def __init__(self, path: Path, state: dict[str, Any]) -> None:
        self.state = state
        self.server = RpcServer(path, {"state": lambda: self.state})

    def attenuate(self, db: float) -> None:
        self.state = {"channels": [0.0, db]}
        self.server.push("attenuation", channel=2, db=db)

    def switch(self, channel: int, on: bool) -> None:
        self.state["relays"][channel] = on
        self.server.push("relay", channel=channel, on=on)


@pytest.fixture
def box(runtime: Path) -> Iterator[Neighbour]:
    made = Neighbour(runtime / "short.sock", {"channels": [0.0, 0.0]})
    yield made
    made.server.close()


@pytest.fixture
def board(runtime: Path) -> Iterator[Neighbour]:
    made = Neighbour(runtime / "relay-board.sock", {"relays": [True] * 4})
    yield made
    made.server.close()


@pytest.fixture
def links(runtime: Path) -> Iterator[Links]:
    made = Links()
    with made.served(runtime / "link.sock"):
        yield made


@pytest.fixture
def process(start_device: Callable[..., Any], box: Neighbour, board: Neighbour, links: Links) -> Any:
    made = start_device(
        "bluetooth_base", segment=AIR, attenuator="short", channel=2, power_relay=1, pairing_relay=2,
        boot_ms=20, reconnect_ms=20, supervision_ms=20, hold_ms=30,
    )  # fmt: skip
    links.wait_for_carrier(AIR, True)
    return made


def test_the_link_follows_the_attenuator(process: Any, box: Neighbour, links: Links) -> None:
    assert links.shapes[AIR]["up"]["rate_kbit"] == 1400
    box.attenuate(30)
    links.wait(AIR, lambda carrier, shape: bool(carrier) and shape["up"].get("rate_kbit", 1400) < 1400, "slower")
    box.attenuate(60)
    links.wait_for_carrier(AIR, False)
    box.attenuate(0)
    links.wait_for_carrier(AIR, True)


def test_the_link_follows_the_relays(process: Any, board: Neighbour, links: Links) -> None:
    board.switch(1, False)
    links.wait_for_carrier(AIR, False)
    board.switch(1, True)
    links.wait_for_carrier(AIR, True)
    board.switch(2, False)
    links.wait_for_carrier(AIR, False)
    board.switch(2, True)
    board.switch(2, False)
    board.switch(2, True)
    links.wait_for_carrier(AIR, True)
