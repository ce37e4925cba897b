"""A telephone line, as if just started for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.bearers.dialup.line_bench import LineBench, line_bench


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LineBench]:
    with line_bench(tmp_path_factory.mktemp("line")) as bench:
        yield bench


@pytest.fixture
def bench(processes: LineBench) -> LineBench:
    processes.reset()
    return processes
