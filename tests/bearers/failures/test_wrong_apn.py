"""The wrong APN, at a simulated modem behind a real serial line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rig.bearers.failures import Site, make_failure
from rig.errors import BenchTrouble, CallerMistake
from rig.instruments.modem import Modem
from tests.virtual.conftest import runtime, start_device  # noqa: F401 - fixtures


@pytest.fixture
def modem(start_device: Any, runtime: Path) -> Iterator[Modem]:  # noqa: F811
    start_device("attenuator", port=0, start_db=0)
    device = start_device("radio", link=None, haste=10)
    opened = Modem.open(device.ready["port"], name="modem private")
    opened.wait_until(lambda signal: signal.registered, 10)
    yield opened
    opened.close()


def site(modem: Any) -> Site:
    return Site("private", "private", ("10.64.0.10",), 5000, modem=modem)


def test_service_and_no_data_and_data_again(modem: Modem) -> None:
    before = modem.apn()
    failure = make_failure("wrong-apn", {"apn": "somebody.else"})
    assert failure.start(site(modem)) == {"apn": "somebody.else", "active_contexts": []}
    modem.wait_until(lambda signal: signal.registered, 10)
    assert failure.hits().count == 1
    failure.stop()
    assert (modem.apn(), modem.active_contexts()) == (before, [1])
    assert failure.hits().count == 0
    failure.stop()


class Overruling:
    """A modem on a network that takes no notice of names."""

    name = "internet"

    def apn(self, context: int = 1) -> str | None:
        return self.name

    def set_apn(self, apn: str, context: int = 1) -> None:
        self.name = apn

    def attach(self, attached: bool) -> None:
        pass

    def active_contexts(self) -> list[int]:
        return [1]


def test_a_network_that_overrules_names_is_told_and_the_name_is_put_back() -> None:
    modem = Overruling()
    failure = make_failure("wrong-apn", {})
    with pytest.raises(BenchTrouble, match=r"has data by APN 'wrong\.invalid'"):
        failure.start(site(modem))
    failure.stop()
    assert modem.name == "internet"


@pytest.mark.parametrize("apn", ["", "a b", 'x"', "x\r\nAT"])
def test_no_such_name(apn: str) -> None:
    with pytest.raises(CallerMistake, match="wrong-apn"):
        make_failure("wrong-apn", {"apn": apn})
