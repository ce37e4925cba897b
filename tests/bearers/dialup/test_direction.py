"""One way of a call, with the time told from outside."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.bearers.dialup.direction import Direction
from rig.bearers.impairment import CUT, Impairment


def test_octets_leave_as_they_come_where_nobody_knows_a_rate() -> None:
    way = Direction(1)
    way.take(b"hello", 10.0)
    assert (way.due(10.0), way.next_due(), way.passed) == (b"hello", None, 5)


@pytest.mark.parametrize("rate", [1200, 2400, 33600])
def test_octets_leave_at_the_rate_of_the_call(rate: int) -> None:
    way = Direction(1)
    way.rate_bit = rate
    way.take(b"x" * 10_000, 0.0)
    assert len(way.due(1.0)) == rate // 10
    assert len(way.due(2.0)) == rate // 10


def test_a_slower_impairment_rules() -> None:
    way = Direction(1)
    way.rate_bit = 33600
    way.set(Impairment(rate_kbit=1.2))
    way.take(b"x" * 1000, 0.0)
    assert len(way.due(1.0)) == 120


def test_delay_comes_before_the_first_octet() -> None:
    way = Direction(1)
    way.set(Impairment(delay_ms=500))
    way.take(b"hello", 1.0)
    assert (way.due(1.4), way.next_due(), way.due(1.5)) == (b"", 1.5, b"hello")


def test_a_cut_loses_what_waits_and_what_comes() -> None:
    way = Direction(1)
    way.rate_bit = 1200
    way.take(b"hello", 0.0)
    way.set(CUT)
    way.take(b"world", 0.0)
    assert (way.due(9.0), way.dropped, way.waiting) == (b"", 10, 0)


def test_as_many_octets_as_are_wanted_at_most() -> None:
    way = Direction(1)
    way.take(b"hello", 0.0)
    assert (way.due(0.0, 2), way.due(0.0, 0), way.due(0.0)) == (b"he", b"", b"llo")


@given(st.binary(min_size=1, max_size=300), st.floats(0.1, 100))
def test_noise_turns_at_most_one_bit_of_an_octet_and_counts(data: bytes, percent: float) -> None:
    way = Direction(1)
    way.noise_percent = percent
    way.take(data, 0.0)
    out = way.due(0.0)
    turned = [(one ^ other).bit_count() for one, other in zip(data, out, strict=True)]
    assert max(turned) <= 1
    assert sum(turned) == way.damaged


@given(st.lists(st.binary(max_size=40), max_size=5), st.sampled_from([1200, 2400, 33600]))
def test_nothing_is_lost_or_put_out_of_order(pieces: list[bytes], rate: int) -> None:
    way = Direction(1)
    way.rate_bit = rate
    now, out = 0.0, b""
    for piece in pieces:
        way.take(piece, now)
    while (due := way.next_due()) is not None:
        now = max(now, due)
        out += way.due(now)
    assert out == b"".join(pieces)
