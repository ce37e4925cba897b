"""The helper that makes PANs, against the rig's own check and the example of the standard."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rig.history.redaction import luhn_valid
from tests.pans import check_digit, make_pan


def test_the_example_of_the_standard() -> None:
    # ISO/IEC 7812-1, annex B: the check digit of 7992739871 is 3.
    assert check_digit("7992739871") == "3"
    assert luhn_valid("7992739871" + "3")


@given(st.text("0123456789", min_size=1, max_size=20))
def test_exactly_one_check_digit_is_right(body: str) -> None:
    right = [digit for digit in "0123456789" if luhn_valid(body + digit)]
    assert right == [check_digit(body)]


@given(st.integers(13, 19), st.integers(0, 999_999))
def test_a_pan_is_as_long_as_asked_for(length: int, serial: int) -> None:
    pan = make_pan("476173", length, serial)
    assert len(pan) == length
    assert luhn_valid(pan)
