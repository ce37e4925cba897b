"""The stage undoes what it may have done, also where the device failed in between."""

from __future__ import annotations

from typing import Any

import pytest

from rig.bench.carding import Carding
from rig.bench.description import BenchFile
from rig.bench.devices import Devices
from rig.bench.plan import Places
from rig.bench.stage import BenchStage
from rig.errors import BenchTrouble, DeviceMute


class Relay:
    """Switches off, and has then nothing to say for once."""

    is_on = True
    mute = False

    def on(self) -> None:
        self.is_on = True

    def off(self) -> None:
        self.is_on = False
        self.mute = True

    def read(self) -> bool:
        if self.mute:
            self.mute = False
            raise DeviceMute("power", "no answer to 'relay read 0'")
        return self.is_on

    def close(self) -> None:
        pass


class DownLink:
    """A bearer without a carrier."""

    def restore(self) -> dict[str, Any]:
        return {"read_back": {"carrier": False}}


def stage(bench: BenchFile, places: Places, devices: Devices) -> BenchStage:
    without_paths = bench.model_copy(update={"paths": {}})
    return BenchStage(without_paths, devices, Carding(places.run, lambda _: True, devices), places.run, lambda *_: None)


def test_power_that_may_be_off_is_switched_on_again(virtual: BenchFile, places: Places) -> None:
    relay = Relay()
    on_stage = stage(virtual, places, Devices(power=relay))
    with pytest.raises(DeviceMute):
        on_stage.cut_power()
    assert not relay.is_on
    on_stage.restore()
    assert relay.is_on


def test_a_link_that_stays_without_a_carrier_is_trouble_of_the_bench(virtual: BenchFile, places: Places) -> None:
    devices: Any = Devices(bearers={"wifi": DownLink()})  # type: ignore[dict-item]
    with pytest.raises(BenchTrouble, match="link wifi: has no carrier"):
        stage(virtual, places, devices).restore()
