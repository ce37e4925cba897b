"""What all tests share."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

# Two test workers, their benches and whatever else the machine does share its processors: how long an example took
# says nothing of the code.
settings.register_profile("rig", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("rig")


def pytest_addoption(parser: pytest.Parser) -> None:
    """What tests with a device need to be told."""
    parser.addoption(
        "--pn532", action="append", default=[], metavar="DEVICE",
        help="run tests/cards/test_pn532_with_device.py on the PN532 at this serial port; given twice, the second one "
        "is the reader that lies on the first",
    )  # fmt: skip
    parser.addoption("--record-golden", action="store_true", help="write tests/cards/golden anew, from the simulator")
