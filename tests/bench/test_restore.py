"""Every device is brought to its safe state and read back, whatever befalls the others."""

from __future__ import annotations

from typing import Any

import pytest

from rig.bearers.impairment import CLEAN
from rig.bearers.link import ReadBack
from rig.bench import restore
from rig.bench.description import BenchFile
from rig.bench.plan import Places
from rig.bench.restore import restore_bench
from rig.errors import DeviceGone

ALL = ("acquirer", "attenuator", "radio", "field", "relay")
"""Every process of the virtual bench that a device to be restored may be."""


class Relay:
    """A relay of the terminal's supply."""

    def __init__(self, obeys: bool) -> None:
        self.is_on = False
        self._obeys = obeys

    def on(self) -> None:
        self.is_on = self._obeys

    def read(self) -> bool:
        return self.is_on

    def close(self) -> None:
        pass


class Presenter:
    def remove(self) -> dict[str, Any]:
        return {"target": "released"}

    def close(self) -> None:
        pass


class Opener:
    """Devices that fail, each in its own way, before those that do not."""

    tries = 0
    relay = Relay(obeys=True)

    def __init__(self, *_: object) -> None:
        pass

    def acquirer(self) -> None:
        raise DeviceGone("acquirer", "nobody serves its socket", "was its process started?")

    def link(self, name: str, interface: str) -> None:
        raise OSError(f"no {interface}")

    def attenuator(self, name: str) -> None:
        raise ZeroDivisionError("a bug of its driver")

    def presenter(self, _: str) -> Presenter:
        Opener.tries += 1
        if Opener.tries < 3:
            raise DeviceGone("presenter", "no answer", "")
        return Presenter()

    def power(self) -> Relay:
        return Opener.relay


@pytest.fixture
def results(
    monkeypatch: pytest.MonkeyPatch, virtual: BenchFile, places: Places, request: pytest.FixtureRequest
) -> dict[str, dict[str, Any]]:
    monkeypatch.setattr(restore, "DeviceOpener", Opener)
    monkeypatch.setattr(Opener, "tries", 0)
    monkeypatch.setattr(Opener, "relay", Relay(obeys=getattr(request, "param", True)))
    told: dict[str, dict[str, Any]] = {}

    def note(kind: str, data: dict[str, Any]) -> None:
        assert kind == "restored"
        told[data["device"]] = data

    restored = restore_bench(virtual, places, "netem", ALL, note)
    assert {each.device: each.clean for each in restored} == {name: data["clean"] for name, data in told.items()}
    return told


def test_each_device_that_cannot_be_restored_is_named_with_its_reason(results: dict[str, dict[str, Any]]) -> None:
    assert {name: data["why"] for name, data in results.items() if not data["clean"]} == {
        "acquirer": "acquirer: nobody serves its socket (was its process started?)",
        "link wifi": "OSError: no wifi",
        "link cellular": "OSError: no cellular",
        "link ecr": "OSError: no ecr",
        "attenuator rf": "ZeroDivisionError: a bug of its driver",
    }


def test_a_device_that_fails_does_not_keep_the_others(results: dict[str, dict[str, Any]]) -> None:
    assert results["power"] == {"device": "power", "clean": True, "read_back": {"on": True}}


def test_a_device_that_answers_at_last_is_restored(results: dict[str, dict[str, Any]], virtual: BenchFile) -> None:
    assert results["presenter contactless"]["read_back"] == {"target": "released"}
    assert Opener.tries == 2 + len(virtual.presenters), "the first presenter fails twice, those behind it do not"


@pytest.mark.parametrize("results", [False], indirect=True)
def test_a_device_that_reads_back_otherwise_is_not_clean(results: dict[str, dict[str, Any]]) -> None:
    assert not results["power"]["clean"]
    assert "reads off after it was switched on" in results["power"]["why"]


class DownLink:
    """A link whose interface does not come up again."""

    def clear(self) -> None:
        pass

    def read(self) -> ReadBack:
        return ReadBack(CLEAN, CLEAN, carrier=False)

    def close(self) -> None:
        pass


def test_a_link_without_a_carrier_is_not_clean(
    monkeypatch: pytest.MonkeyPatch, virtual: BenchFile, places: Places
) -> None:
    monkeypatch.setattr(restore, "DeviceOpener", Opener)
    monkeypatch.setattr(Opener, "link", lambda *_: DownLink())
    restored = {each.device: each for each in restore_bench(virtual, places, "netem", ALL, lambda *_: None)}
    assert not restored["link wifi"].clean
    assert "no carrier" in restored["link wifi"].detail["why"]


def test_a_process_that_was_never_started_has_nothing_to_restore(
    monkeypatch: pytest.MonkeyPatch, real: BenchFile, places: Places
) -> None:
    """Else a guard that was killed before it started the host would leave a bench that nobody can mend."""
    monkeypatch.setattr(restore, "DeviceOpener", Opener)
    restored = {each.device: each for each in restore_bench(real, places, "netem", (), lambda *_: None)}
    assert restored["acquirer"].clean
    assert not restored["link wifi"].clean  # hardware has no process whose end would clear it
