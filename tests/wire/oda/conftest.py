"""RSA keys for the whole run: making one takes tens of milliseconds."""

from __future__ import annotations

import pytest

from tests.wire.oda.issuing import Keys


@pytest.fixture(scope="session")
def keys() -> Keys:
    return Keys.generate()
