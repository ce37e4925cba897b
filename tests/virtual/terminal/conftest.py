"""Fixtures: one field and one authority for all tests here, a bench of its own for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.virtual.terminal.emv_cards import Issuer
from tests.virtual.terminal.scripted_host import Authority, make_authority, serving
from tests.virtual.terminal.slot_bench import SlotBench
from tests.virtual.terminal.terminal_process import Bench, Field, running_field


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    with running_field(tmp_path_factory.mktemp("field")) as running:
        yield running


@pytest.fixture
def bench(tmp_path: Path, authority: Authority, field: Field) -> Iterator[Bench]:
    with serving(authority) as host:
        bench = Bench(tmp_path, host, authority, field)
        try:
            yield bench
        finally:
            bench.close()


@pytest.fixture
def slots(bench: Bench) -> Iterator[SlotBench]:
    slots = SlotBench(bench)
    yield slots
    slots.close()


@pytest.fixture(scope="session")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    return Issuer(tmp_path_factory.mktemp("issuer"))
