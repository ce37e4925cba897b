"""Fixtures of the system tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.bearers.netspace import can_isolate
from tests.system.rigs import Rig


@pytest.fixture(scope="session", autouse=True)
def _private_network() -> None:
    isolation = can_isolate()
    if not isolation:
        pytest.skip(f"no private network for a virtual bench: {isolation.reason}")


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig.make(tmp_path)
