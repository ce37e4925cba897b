"""The framing of adb."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.wire import adb
from rig.wire.errors import WireError


def test_a_request() -> None:
    assert adb.request("host:transport-any") == b"0012host:transport-any"
    assert adb.request("") == b"0000"


def test_a_request_that_is_too_long_is_refused() -> None:
    with pytest.raises(WireError, match="65536 bytes"):
        adb.request("x" * 65536)


@given(st.text(max_size=100))
def test_a_request_tells_its_own_length(service: str) -> None:
    data = adb.request(service)
    assert adb.parse_length(data[:4]) == len(data) - 4


def test_a_status() -> None:
    assert adb.parse_status(b"OKAY")
    assert not adb.parse_status(b"FAIL")


@given(st.binary(max_size=6))
def test_any_bytes_are_parsed_or_refused(data: bytes) -> None:
    with contextlib.suppress(WireError):
        adb.parse_status(data)
    with contextlib.suppress(WireError):
        assert 0 <= adb.parse_length(data) <= 0xFFFF
