"""What the registry says of a presenter is what its class says of itself, and what the documents tell."""

from __future__ import annotations

from importlib import import_module
from inspect import Parameter, signature
from pathlib import Path

import pytest

from rig.cards.registry import DRIVERS, presenter_driver
from rig.errors import CallerMistake

DOCUMENT = Path(__file__).parents[2] / "docs/presenters.md"


@pytest.mark.parametrize("name", DRIVERS)
def test_a_driver_does_what_it_is_registered_for(name: str) -> None:
    driver = DRIVERS[name]
    presenter = getattr(import_module(driver.module), driver.factory)
    assert presenter.interface is driver.interface
    assert presenter.capabilities == driver.capabilities


@pytest.mark.parametrize("name", DRIVERS)
def test_a_driver_takes_the_settings_that_its_class_takes(name: str) -> None:
    driver = DRIVERS[name]
    presenter = getattr(import_module(driver.module), driver.factory)
    named = {each.name for each in signature(presenter).parameters.values() if each.kind is Parameter.KEYWORD_ONLY}
    actuator = {"cards", "interface", "reader", *getattr(presenter, "options", ())} if driver.slot else set()
    assert set(driver.settings) == named | actuator


def test_an_unknown_driver_is_told_which_there_are() -> None:
    with pytest.raises(CallerMistake, match=r"use one of pn532, .*vpcd"):
        presenter_driver("pn533")


def test_every_driver_is_told() -> None:
    told = DOCUMENT.read_text()
    assert [name for name in DRIVERS if f"`{name}`" not in told] == []
