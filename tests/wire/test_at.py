"""Answers of modems as they come, and as nobody would send them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.units import Dbm, Decibel
from rig.wire import at
from rig.wire.errors import WireError

PARSERS: list[Callable[[str], object]] = [at.parse_cesq, at.parse_csq, at.parse_cereg, at.parse_cops, at.parse_cgact]


@pytest.mark.parametrize(
    ("line", "quality"),
    [
        ("+CESQ: 99,99,255,255,20,60", at.Quality(None, None, Decibel(-9.5), Dbm(-80))),
        ("+CESQ: 99,99,255,255,0,0", at.Quality(None, None, Decibel(-19.5), Dbm(-140))),
        ("+CESQ: 99,99,255,255,34,97", at.Quality(None, None, Decibel(-2.5), Dbm(-43))),
        ("+CESQ: 99,99,255,255,255,255", at.Quality(None, None, None, None)),
        ("+CESQ: 99,99,42,30,255,255", at.Quality(None, Dbm(-78), None, None)),
        ("+CESQ:30,0,255,255,255,255", at.Quality(Dbm(-80), None, None, None)),
    ],
)
def test_cesq(line: str, quality: at.Quality) -> None:
    assert at.parse_cesq(line) == quality


@pytest.mark.parametrize(("line", "dbm"), [("+CSQ: 0,99", -113), ("+CSQ: 31,0", -51), ("+CSQ: 99,99", None)])
def test_csq(line: str, dbm: float | None) -> None:
    assert at.parse_csq(line) == dbm


@pytest.mark.parametrize(
    ("line", "registration", "registered"),
    [
        ("+CEREG: 2,2", at.Registration(2), False),
        ("+CEREG: 0,1", at.Registration(1), True),
        ('+CEREG: 2,5,"1A2B","00C3D4E5",7', at.Registration(5, "1A2B", "00C3D4E5", "LTE"), True),
        ("+CEREG: 2,1,1A2B,00C3D4E5,9", at.Registration(1, "1A2B", "00C3D4E5", "NB-IoT"), True),
        ('+CEREG: 2,3,"",""', at.Registration(3), False),
    ],
)
def test_cereg(line: str, registration: at.Registration, registered: bool) -> None:
    assert at.is_cereg_answer(line)
    assert at.parse_cereg(line) == registration
    assert at.parse_cereg(line).registered is registered


@pytest.mark.parametrize("line", ["+CEREG: 2", '+CEREG: 1,"1A2B","00C3D4E5",7', "+CEREG: 5"])
def test_an_unsolicited_cereg_is_no_answer(line: str) -> None:
    assert not at.is_cereg_answer(line)


@pytest.mark.parametrize(
    ("line", "operator"),
    [
        ("+COPS: 0", (None, None)),
        ('+COPS: 0,0,"Telekom.de",7', ("Telekom.de", "LTE")),
        ('+COPS: 1,2,"26201",2', ("26201", "UTRAN")),
        ('+COPS: 0,0,"a, b",99', ("a, b", "AcT 99")),
    ],
)
def test_cops(line: str, operator: tuple[str | None, str | None]) -> None:
    assert at.parse_cops(line) == operator


@pytest.mark.parametrize(
    "line", ["+CESQ: 99,99,255,255,35,60", "+CESQ: 99,99", "+CESQ: a,b,c,d,e,f", "CESQ", "+CSQ: 1,1", '+CESQ: "1,2']
)
def test_a_wrong_cesq_is_refused(line: str) -> None:
    with pytest.raises(WireError):
        at.parse_cesq(line)


@pytest.mark.parametrize(
    ("answer", "final"),
    [
        (b"\r\nOK\r\n", b"OK"),
        (b"OK\n", b"OK"),
        (b"AT\r\r\n+X: OKAY\r\n\r\n+CME ERROR: 30\r\n", b"+CME ERROR: 30"),
        (b"\r\nNO CARRIER\r\n\r\nOKAY\r\n\r\nERROR\r\n", b"ERROR"),
    ],
)
def test_the_line_that_ends_an_answer(answer: bytes, final: bytes) -> None:
    match = at.FINAL.search(answer)
    assert match is not None
    assert match[1] == final


@pytest.mark.parametrize("answer", [b"\r\nOK", b"\r\nLOOK OK?\r\n", b"\r\n+CSQ: 1,1\r\n"])
def test_an_answer_that_goes_on(answer: bytes) -> None:
    assert at.FINAL.search(answer) is None


@given(
    st.sampled_from(PARSERS), st.sampled_from(["", "+CESQ: ", "+CSQ: ", "+CEREG: ", "+COPS: ", "+CGACT: "]), st.text()
)
def test_any_line_is_parsed_or_refused(parse: Callable[[str], object], prefix: str, rest: str) -> None:
    try:
        parse(prefix + rest)
    except WireError:
        return


@given(st.integers(0, 34), st.integers(0, 97))
def test_a_level_lies_at_the_upper_edge_of_its_interval(rsrq: int, rsrp: int) -> None:
    quality = at.parse_cesq(f"+CESQ: 99,99,255,255,{rsrq},{rsrp}")
    assert (quality.rsrp, quality.rsrq) == (Dbm(rsrp - 140), Decibel(rsrq / 2 - 19.5))


@given(st.lists(st.text(st.characters(exclude_characters='"', exclude_categories=["Cs"])), min_size=1))
def test_quoted_values_come_back_as_they_were(values: list[str]) -> None:
    assert at.fields("+X: " + ",".join(f'"{value}"' for value in values), "+X") == values


@given(st.binary())
def test_lines_are_never_blank(answer: bytes) -> None:
    assert all(line.strip() for line in at.lines(answer))
