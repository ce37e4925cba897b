"""What a telephone modem says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.wire.at_dial import CARRIER_LOST, CarrierWatch, Code, Lines, Result, parse_result


@pytest.mark.parametrize(
    ("line", "result"),
    [
        ("OK", Result(Code.OK)),
        ("CONNECT", Result(Code.CONNECT)),
        ("CONNECT 1200", Result(Code.CONNECT, 1200)),
        ("CONNECT 33600/ARQ/V34/LAPM", Result(Code.CONNECT, 33600)),
        ("no carrier", Result(Code.NO_CARRIER)),
        ("NO DIAL TONE", Result(Code.NO_DIALTONE)),
        ("NO DIALTONE", Result(Code.NO_DIALTONE)),
        ("BUSY", Result(Code.BUSY)),
        ("NO ANSWER", Result(Code.NO_ANSWER)),
        ("RING", Result(Code.RING)),
    ],
)
def test_result_codes(line: str, result: Result) -> None:
    assert parse_result(line) == result


@pytest.mark.parametrize("line", ["", "ATDT0800", "CONNECTED", "CONNECT fast", "BUSY NOW", "+MS: V34,1"])
def test_other_lines_are_no_result(line: str) -> None:
    assert parse_result(line) is None


def test_what_follows_connect_is_data() -> None:
    lines = Lines()
    lines.feed(b"\r\nRING\r\n\r\nCONNECT 2400\r\n~data")
    assert [lines.next(), lines.next()] == ["RING", "CONNECT 2400"]
    assert lines.rest() == b"~data"
    assert lines.next() is None


@given(st.binary(max_size=60), st.integers(1, 9))
def test_data_passes_whole_until_the_carrier_is_lost(data: bytes, size: int) -> None:
    if CARRIER_LOST in data:
        return
    watch = CarrierWatch()
    stream = data + CARRIER_LOST + b"OK"
    out = b"".join(watch.feed(stream[at : at + size]) for at in range(0, len(stream), size))
    assert out == data
    assert watch.lost


def test_what_only_looks_like_the_end_is_data_after_all() -> None:
    watch = CarrierWatch()
    assert watch.feed(b"text\r\nNO CAR") == b"text"
    assert watch.holds
    assert watch.quiet() == b"\r\nNO CAR"
    assert not watch.lost
