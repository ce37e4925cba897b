"""Failures of a Bluetooth base, by relays; and of a path, by its attenuators."""

from __future__ import annotations

from typing import Any

import pytest

from rig.bearers.failures import Site, make_failure
from rig.bearers.failures.base import BaseKeys, press
from rig.errors import BenchTrouble, CallerMistake, DeviceGone


class Contact:
    """A relay that follows, and remembers."""

    def __init__(self) -> None:
        self.closed = True
        self.story: list[bool] = []

    def on(self) -> None:
        self.closed = True
        self.story.append(True)

    def off(self) -> None:
        self.closed = False
        self.story.append(False)

    def read(self) -> bool:
        return self.closed

    def close(self) -> None:
        pass


class Path:
    """Attenuators of a path."""

    maximum_db = 95.0
    db = 0.0

    def attenuate(self, db: float) -> float:
        self.db = db
        return db

    def read(self) -> float:
        return self.db

    def make_safe(self) -> object:
        return self.attenuate(0.0)


def site(**means: Any) -> Site:
    return Site("bluetooth", "bluetooth", ("10.64.0.10",), 5000, **means)


def test_the_key_is_held_and_pressed_to_pair_again() -> None:
    key = Contact()
    failure = make_failure("pairing-lost", {})
    evidence = failure.start(site(base=BaseKeys(pairing=key, forget_s=0.01, pair_s=0.01)))
    assert evidence == {"held_s": 0.01, "relay_read_open": True, "relay_closed": True}
    assert (failure.hits().count, key.story) == (1, [False, True])
    failure.stop()
    failure.stop()
    assert key.story == [False, True] * 2
    assert failure.hits().count == 0


def test_a_base_that_lost_its_supply_too_has_it_before_its_key_is_pressed() -> None:
    power, key = Contact(), Contact()
    base = BaseKeys(power, key, forget_s=0.01, pair_s=0.01, boot_s=0.01)
    failure = make_failure("pairing-lost", {})
    failure.start(site(base=base))
    power.off()
    failure.stop()
    assert power.closed
    assert key.story == [False, True] * 2


def test_a_key_is_released_whatever_happens() -> None:
    class Broken(Contact):
        def read(self) -> bool:
            raise DeviceGone("relay unpair", "is gone", "its cable?")

    key = Broken()
    with pytest.raises(DeviceGone):
        press(key, 0)
    assert key.story == [False, True]


def test_a_base_without_power() -> None:
    power = Contact()
    failure = make_failure("base-off", {})
    assert failure.start(site(base=BaseKeys(power=power, boot_s=0.01))) == {"relay_closed": False}
    assert failure.hits().count == 1
    failure.stop()
    assert power.closed
    assert failure.hits().count == 0


@pytest.mark.parametrize(("options", "db"), [({}, 95.0), ({"db": 60}, 60)])
def test_out_of_range(options: dict[str, Any], db: float) -> None:
    path = Path()
    failure = make_failure("out-of-range", options)
    assert failure.start(site(path=path)) == {"asked_db": db, "read_back_db": db}
    assert failure.hits().count == 1
    path.attenuate(10)
    assert failure.hits().count == 0, "somebody has brought it back"
    failure.stop()
    assert path.db == 0


@pytest.mark.parametrize(
    ("name", "means", "why"),
    [
        ("pairing-lost", {}, "has no Bluetooth base"),
        ("pairing-lost", {"base": BaseKeys()}, "no relay presses its base's key"),
        ("base-off", {"base": BaseKeys()}, "no relay is in its base's supply"),
        ("out-of-range", {}, "nothing attenuates it"),
        ("wrong-apn", {}, "no modem of the terminal's own"),
    ],
)
def test_what_the_bench_lacks_is_told(name: str, means: dict[str, Any], why: str) -> None:
    failure = make_failure(name, {})
    with pytest.raises(BenchTrouble, match=why):
        failure.start(site(**means))
    failure.stop()


@pytest.mark.parametrize("db", [0, -3, 201, True])
def test_no_such_range(db: float) -> None:
    with pytest.raises(CallerMistake, match="out-of-range"):
        make_failure("out-of-range", {"db": db})
