"""A telephone line for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bearers.dialup.line_bench import LineBench, line_bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[LineBench]:
    with line_bench(tmp_path) as bench:
        yield bench
