"""What a failure may use of a bench, bearer by bearer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rig.bearers.failures import Site
from rig.bench.description import BenchFile, load_bench
from rig.bench.devices import Devices
from rig.bench.means import host_port, with_means
from rig.bench.signals import Signals

BEARERS = Path(__file__).parents[2] / "fixtures/benches/virtual-bearers.yaml"


class Contact:
    """A relay."""

    def on(self) -> None: ...

    def off(self) -> None: ...

    def read(self) -> bool:
        return True

    def close(self) -> None: ...


class Modem:
    """One whose APN can be set."""

    def apn(self, context: int = 1) -> str | None:
        return "internet"

    def set_apn(self, apn: str, context: int = 1) -> None: ...

    def attach(self, attached: bool) -> None: ...

    def active_contexts(self) -> list[int]:
        return [1]


@pytest.fixture
def bench() -> BenchFile:
    return load_bench(BEARERS)


def site(bench: BenchFile, bearer: str, modem: Any = None) -> Site:
    readers: dict[str, Any] = dict.fromkeys(bench.modems, modem or Modem())
    devices = Devices(relays=dict.fromkeys(bench.relays, Contact()), modems=readers)
    signals = Signals(bench, devices, lambda *_: None)
    return with_means(Site(bearer, bearer, (), bench.acquirer.port), bench, devices, signals)


def test_a_bearer_without_tls_has_the_hosts_other_door(bench: BenchFile) -> None:
    assert [host_port(bench, name) for name in ("wifi", "private")] == [5000, 5001]
    assert site(bench, "private").port == 5001


def test_a_base_has_its_relays_and_times(bench: BenchFile) -> None:
    base = site(bench, "bluetooth").bluetooth()
    assert base.power is not None
    assert base.pairing is not None
    assert (base.forget_s, base.pair_s, base.boot_s) == (0.8, 0.1, 0.4)


def test_a_bearer_has_what_the_bench_file_gives_it(bench: BenchFile) -> None:
    wifi, private = site(bench, "wifi"), site(bench, "private")
    assert (wifi.plug, wifi.base, wifi.path, wifi.modem) == (None, None, None, None)
    assert private.path is not None
    assert private.modem is not None


def test_the_apn_of_a_sentinel_or_of_another_reader_is_not_the_terminals(bench: BenchFile) -> None:
    assert site(bench, "private", modem=object()).modem is None
    raw = bench.model_dump()
    raw["modems"]["private"]["sentinel"] = True
    assert site(BenchFile.model_validate(raw), "private").modem is None
