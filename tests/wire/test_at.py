"""Answers of modems as they come, and as nobody would send them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.units import Dbm, Decibel
from rig.wire import at, at_errors
from rig.wire.errors import WireError

PARSERS: list[Callable[[str], object]] = [
    at.parse_cesq, at.parse_csq, at.parse_registration, at.parse_cops, at.parse_cgact, at.parse_cgdcont,
    at.parse_cgpaddr, at.parse_cpin, at.parse_csus,
]  # fmt: skip
PREFIXES = ["CESQ", "CSQ", "CREG", "CGREG", "CEREG", "COPS", "CGACT", "CGDCONT", "CGPADDR", "CPIN", "CSUS"]


@pytest.mark.parametrize(
    ("line", "quality"),
    [
        ("+CESQ: 99,99,255,255,20,60", at.Quality(None, None, None, Decibel(-9.5), Dbm(-80))),
        ("+CESQ: 99,99,255,255,0,0", at.Quality(None, None, None, Decibel(-19.5), Dbm(-140))),
        ("+CESQ: 99,99,255,255,34,97", at.Quality(None, None, None, Decibel(-2.5), Dbm(-43))),
        ("+CESQ: 99,99,255,255,255,255", at.Quality(None, None, None, None, None)),
        ("+CESQ: 99,99,42,30,255,255", at.Quality(None, Dbm(-78), Decibel(-9.0), None, None)),
        ("+CESQ: 99,99,0,49,255,255,90,60,20", at.Quality(None, Dbm(-120), Decibel(0.5), None, None)),
        ("+CESQ:30,0,255,255,255,255", at.Quality(Dbm(-80), None, None, None, None)),
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
        ('+CGREG: 2,1,"2B3C","0B2CD4E5",6', at.Registration(1, "2B3C", "0B2CD4E5", "HSPA"), True),
        ('+CREG: 2,1,"2B3C","D4E5",3', at.Registration(1, "2B3C", "D4E5", "EDGE"), True),
    ],
)
def test_cereg(line: str, registration: at.Registration, registered: bool) -> None:
    assert at.is_registration_answer(line)
    assert at.parse_registration(line) == registration
    assert at.parse_registration(line).registered is registered


@pytest.mark.parametrize("line", ["+CEREG: 2", "+CGREG: 0", '+CEREG: 1,"1A2B","00C3D4E5",7', "+CEREG: 5"])
def test_an_unsolicited_cereg_is_no_answer(line: str) -> None:
    assert not at.is_registration_answer(line)
    assert at.is_unsolicited_registration(line)


def test_other_lines_tell_no_registration() -> None:
    assert not at.is_unsolicited_registration("+CSQ: 1,99")
    assert not at.is_unsolicited_registration("+CREG: 2,1")


def test_the_family_is_that_whose_level_is_measured() -> None:
    assert [at.family(each) for each in ("EDGE", "HSPA", "LTE", None)] == ["GSM", "UTRAN", "LTE", None]


@pytest.mark.parametrize(
    ("line", "technology", "level", "quality"),
    [
        ("+CESQ: 99,99,255,255,20,60", None, -80, -9.5),
        ("+CESQ: 99,99,42,30,255,255", None, -78, -9.0),
        ("+CESQ: 30,0,255,255,255,255", None, -80, None),
        ("+CESQ: 30,0,42,30,20,60", "UTRAN", -78, -9.0),
        ("+CESQ: 30,0,42,30,20,60", "NB-IoT", -80, -9.5),
        ("+CESQ: 30,0,42,30,20,60", "NR", None, None),
    ],
)
def test_the_level_of_a_technology(
    line: str, technology: str | None, level: float | None, quality: float | None
) -> None:
    assert at.parse_cesq(line).of(technology)[1:] == (level, quality)


@pytest.mark.parametrize(
    ("parse", "line", "value"),
    [
        (at.parse_cgdcont, '+CGDCONT: 1,"IP","a.apn","",0,0', at.Context(1, "IP", "a.apn")),
        (at.parse_cgpaddr, '+CGPADDR: 1,"10.64.2.2"', (1, "10.64.2.2")),
        (at.parse_cgpaddr, '+CGPADDR: 2,"0.0.0.0"', (2, None)),
        (at.parse_cgpaddr, "+CGPADDR: 3", (3, None)),
        (at.parse_cpin, "+CPIN: READY", "READY"),
        (at.parse_cpin, "+CPIN: SIM PIN", "SIM PIN"),
        (at.parse_csus, "+CSUS: 1", 1),
    ],
)
def test_contexts_and_cards(parse: Callable[[str], object], line: str, value: object) -> None:
    assert parse(line) == value


@pytest.mark.parametrize(
    ("final", "code", "says", "sim"),
    [
        ("ERROR", None, "ERROR", None),
        ("+CME ERROR: 10", 10, "+CME ERROR: 10, SIM not inserted", "missing"),
        ("+CME ERROR: SIM not inserted", 10, "+CME ERROR: SIM not inserted", "missing"),
        ("+CME ERROR: 11", 11, "+CME ERROR: 11, SIM PIN wanted", "SIM PIN"),
        ("+CME ERROR: 127", 127, "+CME ERROR: 127, missing or unknown APN", None),
        ("+CME ERROR: 9999", 9999, "+CME ERROR: 9999", None),
        ("+CME ERROR: nobody knows", None, "+CME ERROR: nobody knows", None),
    ],
)
def test_errors_are_named(final: str, code: int | None, says: str, sim: str | None) -> None:
    assert at_errors.code(final) == code
    assert at_errors.explained(final)[0] == says
    assert at_errors.explained(final)[1]
    assert at_errors.sim_state(final) == sim


@given(st.text())
def test_any_final_line_is_explained(final: str) -> None:
    said, cure = at_errors.explained(final)
    assert said.startswith(final)
    assert cure
    at_errors.sim_state(final)


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


@given(st.sampled_from(PARSERS), st.sampled_from(["", *(f"+{name}: " for name in PREFIXES)]), st.text())
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
