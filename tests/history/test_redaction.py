"""No PAN of a test range leaves a process, whatever stands around it and however it is written."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.errors import CallerMistake
from rig.history import Redactor, TestRange
from tests.pans import PREFIX, make_pan, redactor

pans = st.builds(make_pan, st.just(PREFIX), st.integers(13, 19), st.integers(0, 999_999))
digits = st.text("0123456789", max_size=24)
hex_digits = st.text("0123456789ABCDEF", max_size=24)
words = st.text(st.characters(codec="utf-8"), max_size=24)


def hidden(pan: str) -> str:
    """The digits of a PAN that must be seen nowhere."""
    return pan[6:-4]


def assert_masked(before: str, after: str, pan: str, place: int) -> None:
    """The same length, and of the PAN at ``place`` none of the hidden digits."""
    assert len(after) == len(before)
    middle = after[place + 6 : place + len(pan) - 4]
    assert not re.search("[0-9]", middle), f"{middle!r} holds digits"


@given(words, pans, words)
def test_in_text_among_anything(before: str, pan: str, behind: str) -> None:
    text = before + pan + behind
    assert_masked(text, redactor().text(text), pan, len(before))


@given(digits, pans, digits)
def test_in_text_among_digits(before: str, pan: str, behind: str) -> None:
    text = before + pan + behind
    assert_masked(text, redactor().text(text), pan, len(before))


@given(pans, pans, st.integers(1, 18))
def test_behind_a_pan_that_overlaps_it(other: str, pan: str, overlap: int) -> None:
    """Digits that look like a PAN by chance must not hide the true one that begins inside them."""
    text = other[: max(6, len(other) - overlap)] + pan
    assert_masked(text, redactor().text(text), pan, len(text) - len(pan))


@given(hex_digits, pans, hex_digits)
def test_in_hexadecimal_text_at_both_nibbles(before: str, pan: str, behind: str) -> None:
    for text in (before + pan + behind, (before + pan + behind).lower()):
        assert_masked(text, redactor().text(text), pan, len(before))


@given(st.binary(max_size=20), pans, st.binary(max_size=20))
def test_in_bytes_as_ascii(before: bytes, pan: str, behind: bytes) -> None:
    data = before + pan.encode() + behind
    assert_masked(data.decode("latin-1"), redactor().data(data).decode("latin-1"), pan, len(before))


@given(st.binary(max_size=12), pans, st.binary(max_size=12), st.sampled_from(["", "0", "9", "C"]))
def test_in_bytes_as_packed_digits_at_both_nibbles(before: bytes, pan: str, behind: bytes, nibble: str) -> None:
    packed = nibble + pan
    packed += "F" * (len(packed) % 2)
    data = before + bytes.fromhex(packed) + behind
    clean = redactor().data(data)
    assert len(clean) == len(data)
    assert_masked(data.hex(), clean.hex(), pan, 2 * len(before) + len(nibble))


@given(pans, st.sampled_from("=Dd"), st.text("0123456789", min_size=4, max_size=24), st.sampled_from(["", "?", " "]))
def test_track_2_loses_all_that_follows_the_separator(pan: str, separator: str, rest: str, end: str) -> None:
    track = pan + separator + rest + end
    assert redactor().text(track) == pan[:6] + "*" * (len(pan) - 10) + pan[-4:] + separator + "*" * len(rest) + end


@given(pans, st.text("0123456789", min_size=4, max_size=23), st.booleans())
def test_packed_track_2_loses_all_that_follows_the_separator(pan: str, rest: str, shifted: bool) -> None:
    nibbles = "0" * shifted + pan + "D" + rest
    nibbles += "F" * (len(nibbles) % 2)
    clean = redactor().data(bytes.fromhex(nibbles)).hex().upper()
    start = int(shifted) + len(pan) + 1
    assert clean[start : start + len(rest)] == "E" * len(rest)
    assert clean[start + len(rest) :] == nibbles[start + len(rest) :]
    assert_masked(nibbles, clean, pan, int(shifted))


@given(st.binary(max_size=200))
def test_the_length_of_bytes_never_changes_and_masking_twice_changes_nothing(data: bytes) -> None:
    clean = redactor().data(data)
    assert len(clean) == len(data)
    assert redactor().data(clean) == clean


@given(st.text(max_size=200))
def test_the_length_of_text_never_changes_and_masking_twice_changes_nothing(text: str) -> None:
    clean = redactor().text(text)
    assert len(clean) == len(text)
    assert redactor().text(clean) == clean


@given(st.binary(max_size=100))
def test_bytes_without_a_test_prefix_are_left_alone(data: bytes) -> None:
    if PREFIX not in data.hex() and PREFIX.encode() not in data:
        assert redactor().data(data) == data


def test_a_number_of_a_range_that_fails_luhn_is_no_pan() -> None:
    bench = Redactor(bytes(32), [TestRange(PREFIX, (16,))])
    wrong = make_pan()[:-1] + str((int(make_pan()[-1]) + 1) % 10)
    assert bench.text(wrong) == wrong
    assert bench.data(bytes.fromhex(wrong)).hex() == wrong


@given(st.integers(13, 19), st.sampled_from([("", ""), ("card ", " sold"), ("[", "]"), (";", "="), ("a=", ",")]))
def test_a_foreign_pan_that_stands_alone_is_masked_in_text(length: int, around: tuple[str, str]) -> None:
    pan = make_pan("55", length, 123_456)
    before, behind = around
    assert redactor().text(before + pan + behind) == before + pan[:6] + "*" * (length - 10) + pan[-4:] + behind


@given(st.integers(13, 19), st.sampled_from("=Dd"), st.sampled_from(["", "F"]))
def test_the_track_2_of_a_foreign_pan_is_masked_whole(length: int, separator: str, pad: str) -> None:
    pan = make_pan("55", length, 123_456)
    clean = redactor().text(f";{pan}{separator}25122010000012345{pad}?")
    assert clean.startswith(f";{pan[:6]}***")
    assert not re.search("[0-9]", clean.partition(separator)[2])


@pytest.mark.parametrize("text", ["0123456789012345x", "1.4000000000000002", "4000000000002 0", "REQ400000000000002"])
def test_a_number_inside_another_word_is_not_taken_for_a_foreign_pan(text: str) -> None:
    assert redactor().text(text) == text


def test_without_ranges_a_pan_that_stands_alone_is_still_masked() -> None:
    pan = make_pan()
    assert hidden(pan) not in Redactor(bytes(32), []).text(f"card {pan} sold")


@given(pans)
def test_a_mask_shows_the_first_six_and_the_last_four(pan: str) -> None:
    assert redactor().mask(pan) == pan[:6] + "*" * (len(pan) - 10) + pan[-4:]


@given(st.text("0123456789", max_size=12))
def test_the_mask_of_what_is_too_short_for_a_pan_shows_nothing(text: str) -> None:
    assert redactor().mask(text) == "*" * len(text)


@given(pans, pans)
def test_a_token_is_stable_keyed_and_tells_cards_apart(one: str, other: str) -> None:
    token = redactor().token(one)
    assert token == redactor("9999").token(one), "ranges do not matter"
    assert (token == redactor().token(other)) == (one == other)
    assert token != redactor(key=b"\x01" * 32).token(one)
    assert re.fullmatch("[0-9a-f]{16}", token)


def test_a_token_holds_no_pan() -> None:
    for serial in range(200):
        pan = make_pan(serial=serial)
        assert pan[:6] not in redactor().token(pan) or hidden(pan) not in redactor().token(pan)


def test_which_pans_a_bench_allows() -> None:
    bench = Redactor(bytes(32), [TestRange("476173", (16,)), TestRange("6212")])
    assert bench.allows(make_pan("476173", 16))
    assert bench.allows(make_pan("6212", 13))
    assert bench.allows(make_pan("6212", 19))
    refused = {
        "a length that its range has not": make_pan("476173", 19),
        "a foreign range": make_pan("55", 16),
        "a wrong check digit": make_pan()[:-1] + str((int(make_pan()[-1]) + 1) % 10),
        "nothing": "",
        "blanks": make_pan()[:8] + " " + make_pan()[8:],
        "digits of another script": make_pan().translate({ord("0"): "٠"}),
    }
    for why, pan in refused.items():
        assert not bench.allows(pan), why


def test_other_ranges_under_the_same_key_keep_the_tokens() -> None:
    bench = redactor(key=b"k" * 32)
    wider = bench.with_ranges([TestRange("55")])
    assert wider.allows(make_pan("55"))
    assert wider.token(make_pan()) == bench.token(make_pan())


def test_a_new_key_is_nobody_elses() -> None:
    pan = make_pan()
    assert Redactor.with_new_key([]).token(pan) != Redactor.with_new_key([]).token(pan)


def test_saved_and_loaded_it_is_the_same_and_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "redaction.json"
    bench = Redactor.with_new_key([TestRange("476173", (16, 19)), TestRange("6212")])
    bench.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["redaction.json"]
    again = Redactor.load(path)
    assert again.ranges == bench.ranges
    assert again.token(make_pan()) == bench.token(make_pan())


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"key":"zz","ranges":[]}', '{"key":"00","ranges":[{}]}'])
def test_a_redaction_file_that_is_none_is_named(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "redaction.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(CallerMistake, match=r"redaction\.json: no redaction key: .*the bench writes it"):
        Redactor.load(path)
