"""What begins a cut, and what a cut can be: in range, or refused before anything is touched."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.bearers.wire_cut import Cut, Effect
from rig.bearers.wire_trigger import Payload, TlsRecord
from rig.errors import CallerMistake

SALE = Payload(7, b"0200")


@pytest.mark.parametrize("options", [{"port": 0}, {"port": 65536}, {"heals_after_s": 0}, {"heals_after_s": 1e9}])
def test_out_of_range(options: dict[str, float]) -> None:
    with pytest.raises(CallerMistake):
        Cut(Effect.ANSWER_LOST, SALE, **options)  # type: ignore[arg-type]
    with pytest.raises(CallerMistake):
        Cut(Effect.ANSWER_RESET, SALE, heals_after_s=1.0)
    assert Cut(Effect.ANSWER_LOST, TlsRecord(2), 5000).describe() == {
        "effect": "answer lost",
        "trigger": {"kind": "TLS record", "at_least_bytes": 150, "number": 2},
        "port": 5000,
        "heals_after_s": None,
        "standing_line": False,
    }


@given(st.integers(-10, 300), st.binary(max_size=80), st.integers(-1, 20))
def test_a_payload_is_in_reach_or_refused(offset: int, content: bytes, number: int) -> None:
    fine = 1 <= len(content) <= 64 and offset >= 0 and offset + len(content) <= 256 and 1 <= number <= 16
    if not fine:
        with pytest.raises(CallerMistake):
            Payload(offset, content, number)
        return
    parts = Payload(offset, content, number).match.split()
    assert bytes.fromhex("".join(value.removeprefix("0x") for value in parts[1::2])) == content
    places = [tuple(map(int, place.split(",")[1:])) for place in parts[0::2]]
    assert places[0][0] == 8 * offset
    assert all(begin + length == follows for (begin, length), (follows, _) in itertools.pairwise(places))
    assert content.hex() not in str(Payload(offset, content, number).describe()) or len(content) < 4


@pytest.mark.parametrize(("number", "size"), [(0, 150), (17, 150), (1, 0), (1, 20000)])
def test_a_record_that_cannot_be(number: int, size: int) -> None:
    with pytest.raises(CallerMistake):
        TlsRecord(number, size)
