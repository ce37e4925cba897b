"""Bench files, state directories and modules of the tests' own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rig.bench.description import BenchFile, load_bench
from rig.bench.places import StateDirectory
from rig.bench.plan import Places

VIRTUAL = Path(__file__).parents[2] / "fixtures/benches/virtual.yaml"

REAL = """\
name: lab-3
test_pans: [{prefix: "476173"}]
terminal:
  serial: {port: /dev/serial/by-id/terminal}
  terminal_id: "52000001"
  merchant_id: "POSRIG000000001"
bearers:
  wifi: {kind: wifi, interface: wlan-bench, path: wifi-main}
attenuators:
  rf: {resource: "TCPIP::192.0.2.1::23::SOCKET", safe_db: 10}
paths:
  wifi-main: {attenuator: rf, channel: 2}
modems: {monitor: {port: /dev/serial/by-id/modem}}
acquirer: {listen: [192.0.2.10]}
"""
"""A small bench with real hardware, as its owner would write it."""


@pytest.fixture
def write_bench(tmp_path: Path) -> Callable[[str], Path]:
    """Put a bench file somewhere."""

    def write(text: str) -> Path:
        path = tmp_path / "bench.yaml"
        path.write_text(text)
        return path

    return write


@pytest.fixture
def virtual() -> BenchFile:
    return load_bench(VIRTUAL)


@pytest.fixture
def real(write_bench: Callable[[str], Path]) -> BenchFile:
    return load_bench(write_bench(REAL))


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StateDirectory:
    """A state directory of the test's own."""
    monkeypatch.setenv("RIG_STATE", str(tmp_path / "state"))
    return StateDirectory.of("virtual")


@pytest.fixture
def places(tmp_path: Path, state: StateDirectory) -> Places:
    """The folders of a run."""
    places = Places(VIRTUAL, state, tmp_path / "run", tmp_path / "runtime")
    places.make()
    return places
