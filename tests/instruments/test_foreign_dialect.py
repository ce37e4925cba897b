"""A dialect of somebody else's: a package beside the rig that names it by an entry point, and is found by its name."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from rig.errors import CallerMistake
from rig.instruments.attenuator import Attenuator, dialects, open_attenuator
from rig.units import Decibel

_MODULE = """
from rig.instruments.attenuator import check_channel, check_setting, known_settings


class Homemade:
    channels, maximum, step = 1, 63.5, 0.5

    def __init__(self, address, name):
        self.identity, self._name, self._db = f"homemade at {address}", name, 0.0

    @staticmethod
    def check(settings):
        known_settings(settings, {"colour"})

    @classmethod
    def open(cls, address, *, name, lock_folder, timeout_s, observe, settings):
        return cls(address, name)

    def set(self, channel, attenuation):
        check_setting(self, self._name, channel, attenuation)
        self._db = attenuation
        return self.get(channel)

    def get(self, channel):
        check_channel(self, self._name, channel)
        return self._db

    def close(self):
        pass
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "homemade_attenuator.py").write_text(_MODULE)
    about = tmp_path / "homemade_attenuator-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: homemade-attenuator\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[rig.attenuators]\nhomemade = homemade_attenuator:Homemade\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "homemade_attenuator", raising=False)


@pytest.mark.usefixtures("package")
def test_it_is_found_by_its_name(tmp_path: Path) -> None:
    assert "homemade" in dialects()
    box = open_attenuator("homemade", "shelf 3", name="rf", lock_folder=tmp_path, settings={"colour": "red"})
    assert isinstance(box, Attenuator)
    assert box.set(1, Decibel(12.5)) == Decibel(12.5)
    with pytest.raises(CallerMistake, match="outside 0 to"):
        box.set(1, Decibel(64))
    with pytest.raises(CallerMistake, match="size"):
        open_attenuator("homemade", "shelf 3", name="rf", lock_folder=tmp_path, settings={"size": 1})


def test_an_unknown_one_is_told_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(CallerMistake, match=r"unknown dialect 'homemade' .*mini-circuits.*weinschel"):
        open_attenuator("homemade", "shelf 3", name="rf", lock_folder=tmp_path)
