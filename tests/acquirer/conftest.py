"""Hosts for the tests: one a module that is restored after each test, or one of the test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acquirer.till import HostProcess


@pytest.fixture(scope="module")
def shared_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostProcess]:
    host = HostProcess(tmp_path_factory.mktemp("host"))
    yield host
    assert host.end() == 0


@pytest.fixture
def host(shared_host: HostProcess) -> Iterator[HostProcess]:
    yield shared_host
    assert shared_host.control.clear().restored


@pytest.fixture
def start_host(tmp_path: Path) -> Iterator[Callable[..., HostProcess]]:
    started: list[HostProcess] = []

    def start(**settings: Any) -> HostProcess:
        started.append(HostProcess(tmp_path / f"host{len(started)}", **settings))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.end()
