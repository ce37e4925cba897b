"""The list of authorities that a terminal is given."""

from __future__ import annotations

import datetime
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.wire.errors import WireError
from rig.wire.oda import AuthenticationFailed, AuthorityKey, find_authority, parse_authorities
from tests.wire.oda.issuing import TODAY, Keys

AID = bytes.fromhex("A0000000031010")


@pytest.fixture(scope="session")
def authority(keys: Keys) -> AuthorityKey:
    return AuthorityKey("visa", AID[:5], 0xBE, keys.authority.public, datetime.date(2031, 12, 31))


def as_text(authority: AuthorityKey, **changes: str) -> str:
    return json.dumps({"authorities": [authority.as_json() | changes]})


def test_a_key_comes_back_as_it_was_published(authority: AuthorityKey) -> None:
    assert parse_authorities(as_text(authority)) == (authority,)
    entry = authority.as_json()
    assert (entry["rid"], entry["index"], entry["exponent"]) == ("A000000003", "BE", "03")
    assert (entry["expiry"], entry["hash_algorithm"]) == ("311231", "01")
    assert len(entry["modulus"]) == 352
    assert len(entry["checksum"]) == 40


def test_a_key_is_found_by_scheme_and_index(authority: AuthorityKey, keys: Keys) -> None:
    assert find_authority([authority], AID, 0xBE, TODAY) == keys.authority.public
    with pytest.raises(AuthenticationFailed, match="no authority key BF of A000000003"):
        find_authority([authority], AID, 0xBF, TODAY)
    with pytest.raises(AuthenticationFailed, match="no authority key BE of A000000004"):
        find_authority([authority], bytes.fromhex("A0000000041010"), 0xBE, TODAY)


def test_a_key_counts_to_its_last_day(authority: AuthorityKey) -> None:
    find_authority([authority], AID, 0xBE, datetime.date(2031, 12, 31))
    with pytest.raises(AuthenticationFailed, match="expired"):
        find_authority([authority], AID, 0xBE, datetime.date(2032, 1, 1))


@pytest.mark.parametrize(
    "changes",
    [{"checksum": "00" * 20}, {"index": "BF"}, {"rid": "A0"}, {"exponent": "05"}, {"modulus": "XY"},
     {"expiry": "20311231x"}, {"modulus": ""}, {"index": ""}],
)  # fmt: skip
def test_a_list_that_is_none_is_refused(authority: AuthorityKey, changes: dict[str, str]) -> None:
    with pytest.raises(WireError):
        parse_authorities(as_text(authority, **changes))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["rid", "index", "modulus"]), inner),
)


@given(st.text(max_size=40) | json_values.map(lambda value: json.dumps({"authorities": value})))
def test_arbitrary_text_is_refused_or_empty(text: str) -> None:
    try:
        found = parse_authorities(text)
    except WireError:
        return
    assert found == ()
