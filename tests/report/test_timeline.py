from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from itertools import count, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.bearers.impairment import Impairment, Overhead
from rig.history import Event
from rig.report.timeline import LARGEST, description_html, timeline_svg
from rig.report.timeline.labels import Wish, place, width
from rig.report.timeline.lanes import draw
from rig.report.timeline.marks import Lane, Mark, Shape, Tone, Weight
from rig.report.timeline.scale import scale
from rig.report.timeline.words import answer, apdu, impairment, request

SVG = "{http://www.w3.org/2000/svg}"


def history(*happened: tuple[float, str, dict[str, Any]]) -> list[Event]:
    """Events at milliseconds."""
    numbers: Iterator[int] = count(1)
    return [Event("boot", int(ms * 1e6), "rig", 1, next(numbers), kind, data) for ms, kind, data in happened]


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


CUT_WHILE_HELD = history(
    (0, "intent", {"intent": "i1", "operation": "sale", "amount": 1234, "currency": "EUR"}),
    (1, "card_armed", {"card": "visa-credit"}),
    (3, "ecr_tx", {"name": "AUTHORISATION", "data": "0601"}),
    (4, "ecr_rx", {"name": "POSITIVE", "data": "800000"}),
    (60, "card_apdu", {"name": "SELECT PPSE", "response": "6F009000"}),
    (90, "request_received", {"key": "T/1", "mti": "0200", "amount": 1234, "currency": "978", "processing": "000000"}),
    (91, "answer_held", {"key": "T/1", "mti": "0200"}),
    (95, "impairment", {"link": "wifi", "up": {"cut": True}, "down": {"cut": True}}),
    (96, "fault_proof", {"fault": "cut wifi (request received)", "proven": True}),
    (97, "answer_sent", {"key": "T/1", "mti": "0200", "rc": "00"}),
    (4200, "outcome", {"intent": "i1", "outcome": "failed"}),
    (4300, "impairment", {"link": "wifi", "up": {}, "down": {}}),
    (4500, "request_received", {"key": "T/2", "mti": "0400", "amount": 1234, "currency": "978"}),
    (4900, "ledger_row", {"key": "T/1", "state": "reversed", "amount": 1234, "currency": "978"}),
)


def test_a_case_is_told_in_words() -> None:
    said = texts(timeline_svg(CUT_WHILE_HELD, title="cut while held", verdict="failed safely"))
    for words in (
        "cut while held", "failed safely", "sale 12.34 EUR", "visa-credit in the field", "authorisation",
        "SELECT PPSE", "0200 sale 12.34 EUR", "answer held", "wifi: cut", "cut wifi (request received)", "0210 rc 00",
        "register: failed", "0400 reversal", "ledger: reversed 12.34 EUR", "0.000 s", "4.900 s",
    ):  # fmt: skip
        assert words in said
    assert "positive" not in said, "an acknowledgement is drawn and not named"


def test_only_lanes_with_something_in_them_are_there() -> None:
    said = texts(timeline_svg(CUT_WHILE_HELD))
    assert [word for word in said if word in set(Lane)] == [lane for lane in Lane if lane is not Lane.SIGNAL]


def test_what_comes_from_outside_is_escaped() -> None:
    nasty = '<script>&"x'
    svg = timeline_svg(history((0, "bench_fault", {"device": nasty, "what": nasty})), title=nasty, verdict=nasty)
    assert "<script" not in svg
    assert f"bench fault: {nasty}: {nasty}" in texts(svg)


def test_a_case_without_events_is_a_picture_too() -> None:
    assert "nothing happened" in texts(timeline_svg([], title="never ran"))


def test_events_that_nobody_draws_are_passed_over() -> None:
    assert timeline_svg(history((0, "device_rx", {"line": "x"}))) == timeline_svg([])


def test_a_flood_of_events_stays_small_and_keeps_what_matters() -> None:
    flood = [(n * 0.7, "ecr_rx", {"name": f"message {n}", "data": "04FF"}) for n in range(5000)]
    levels = [(n * 0.9, "attenuation", {"path": "lte", "read_back": n % 95}) for n in range(3000)]
    fault = (1000.0, "fault_proof", {"fault": "pull card (card selected)", "proven": True})
    svg = timeline_svg(history(*flood, *levels, fault), title="flood")
    assert len(svg.encode()) <= LARGEST
    assert "pull card (card selected)" in texts(svg)


def test_the_description_is_an_image_with_its_data_inside() -> None:
    svg = timeline_svg(CUT_WHILE_HELD)
    found = re.fullmatch(r'<img [^>]*src="data:image/svg\+xml;base64,([^"]+)">', description_html(svg))
    assert found
    assert base64.b64decode(found[1]).decode() == svg


words = st.text(alphabet="aZ09 <&>\"'é中🏧\u202e\0\n\ud800", max_size=60)
json_values = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | words
kinds = st.sampled_from([event.kind for event in CUT_WHILE_HELD] + ["signal", "attenuation", "power", "settled"])
names = st.sampled_from(["link", "up", "down", "key", "mti", "rc", "amount", "currency", "name", "data", "on", "rsrp"])


@given(st.lists(st.tuples(st.integers(0, 10**7), kinds, st.dictionaries(names, json_values)), max_size=30))
def test_no_history_breaks_the_picture(happened: list[tuple[int, str, dict[str, Any]]]) -> None:
    svg = timeline_svg(history(*sorted(happened, key=lambda each: each[0])))
    assert ElementTree.fromstring(svg).tag == f"{SVG}svg"
    assert len(svg.encode()) <= LARGEST


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=40))
def test_the_axis_keeps_the_order_of_events_and_stays_inside(times: list[int]) -> None:
    axis = scale(times, 100, 1000)
    places = [axis.x(t) for t in sorted(times)]
    assert places == sorted(places)
    assert min(places) >= 100
    assert max(places) <= 1000.001


def test_long_waits_are_shortened_and_named() -> None:
    second = 1_000_000_000
    axis = scale([0, second // 100, 10 * second], 0, 100)
    assert axis.waits(second) == [(second // 100, 10 * second)]
    assert axis.x(second // 100) > 5, "ten milliseconds of ten seconds can still be seen"


labels = st.text(alphabet="abcXYZ 019", min_size=1, max_size=30)


@given(st.lists(st.tuples(st.floats(0, 900), labels, st.sampled_from(Weight)), max_size=40), st.integers(1, 7))
def test_labels_do_not_lie_on_one_another(wanted: list[tuple[float, str, Weight]], rows: int) -> None:
    wishes = [Wish(Mark(Lane.ECR, 0, Shape.TICK, Tone.ECR, text, weight), at) for at, text, weight in wanted]
    placed = place(wishes, 1000, rows)
    for row in range(rows):
        inside = sorted((label for label in placed if label.row == row), key=lambda label: label.x)
        for left, right in pairwise(inside):
            assert left.x + width(left.text) <= right.x
    assert all(label.x + width(label.text) <= 1000 for label in placed)


def test_equal_labels_side_by_side_are_said_once() -> None:
    wishes = [Wish(Mark(Lane.ECR, 0, Shape.TICK, Tone.ECR, "print line"), at) for at in (10, 20, 30, 500)]
    assert [label.text for label in place(wishes, 1000, 3)] == ["print line", "print line ×3"]


def test_an_important_label_is_not_left_out_for_a_lesser_one() -> None:
    minor = [Wish(Mark(Lane.HOST, 0, Shape.TICK, Tone.HOST, f"connected {n}"), 100 + n) for n in range(9)]
    major = Wish(Mark(Lane.HOST, 0, Shape.CROSS, Tone.HOST, "0400 reversal", Weight.HIGH), 99)
    assert "0400 reversal" in [label.text for label in place([*minor, major], 1000, 2)]


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (
            {"link": "wifi", "up": {"delay_ms": 200, "loss_percent": 5.0, "cut": False}},
            "wifi: up delay 200 ms, loss 5 %",
        ),
        ({"link": "wifi", "up": {"cut": True}, "down": {"cut": True}}, "wifi: cut"),
        ({"link": "lte", "up": {}, "down": {"rate_kbit": 64}}, "lte: down rate 64 kbit/s"),
        ({"link": "lte", "up": {}, "down": None}, ""),
    ],
)
def test_impairments_in_words(said: dict[str, Any], meant: str) -> None:
    assert impairment(said) == meant


def test_messages_in_words() -> None:
    assert request({"mti": "0200", "processing": "200000", "amount": 500, "currency": "978"}) == "0200 void 5.00 EUR"
    assert request({"mti": "0401", "amount": 500, "currency": "978"}) == "0401 reversal"
    assert request({"mti": "0200", "amount": 500, "currency": "999"}) == "0200 sale 500 (999)"
    assert answer({"mti": "0401", "rc": "00", "late": True}) == "0410 rc 00 late"
    assert apdu({"name": "GPO", "response": "6985"}) == "GPO → 6985"


def test_cards_are_told_by_where_they_are_and_what_they_do_wrong() -> None:
    events = history(
        (0, "card_armed", {"card": "visa-credit", "interface": "contactless"}),
        (1, "card_armed", {"card": "mastercard-credit", "interface": "contact"}),
        (20, "card_fault", {"fault": "no 57 in GPO", "command": "GPO", "what": "spoiled"}),
        (30, "card_removed", {"why": "asked", "proof": {"card": "visa-credit"}}),
        (50, "outcome", {"intent": "i1", "outcome": "declined"}),
    )
    said = texts(timeline_svg(events, title="two", verdict="failed safely"))
    for words in ("visa-credit in the field", "mastercard-credit in the slot", "no 57 in GPO", "removed: asked"):
        assert words in said
    bars = {mark.label: mark.until for mark in draw(events).marks if mark.shape is Shape.BAR}
    assert bars == {"visa-credit in the field": 30_000_000, "mastercard-credit in the slot": 50_000_000}


def test_a_link_that_suffers_nothing_is_told_as_nothing() -> None:
    clean = Impairment().to_dict()
    assert impairment({"link": "wifi", "up": clean, "down": clean}) == ""
    slow = Impairment(rate_kbit=1000, overhead=Overhead(packet_bytes=8)).to_dict()
    assert impairment({"link": "wifi", "up": slow, "down": slow}).startswith(
        "wifi: rate 1000 kbit/s, overhead (packet by"
    )
