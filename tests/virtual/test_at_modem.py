"""The simulated modem's command set, without a process: bytes in, bytes out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.errors import CallerMistake
from rig.units import Dbm
from rig.virtual.at_levels import cesq, csq
from rig.virtual.at_modem import AtModem
from rig.virtual.radio_model.radio import Radio
from rig.virtual.radio_model.settings import RadioSettings
from rig.wire import at

QUIET = RadioSettings(noise_db=0)
ALL = replace(QUIET, technologies=("LTE", "UTRAN", "GSM"))


@dataclass
class Bench:
    """A modem without echo, and a clock that stands until it is set."""

    radio: Radio
    options: dict[str, Any] = field(default_factory=dict)
    now: float = 0.0

    def __post_init__(self) -> None:
        self.modem = AtModem(self.radio, clock=lambda: self.now, **self.options)
        assert self.modem.receive(b"ATE0\r")

    def ask(self, command: str) -> list[str]:
        """The lines of the answer, and of what follows it."""
        return at.lines(self.modem.receive(command.encode() + b"\r"))

    def carries(self) -> bool:
        """Whether the terminal's packets have a way."""
        return self.modem.carries

    def fade(self, db: float) -> list[str]:
        """What the modem says by itself until nothing more is due."""
        self.radio.attenuate(db, self.now)
        return self.settle()

    def settle(self) -> list[str]:
        said: list[str] = []
        while self.radio.due is not None:
            self.now = max(self.now, self.radio.due)
            self.radio.tick(self.now)
            said += at.lines(self.modem.service_changed())
        return said


def bench(db: float = 0, settings: RadioSettings = QUIET, **options: Any) -> Bench:
    made = Bench(Radio(settings), options)
    made.fade(0)
    made.fade(db)
    return made


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (b"AT", b"\r\nOK\r\n"),
        (b"at+cesq", b"\r\n+CESQ: 99,99,255,255,32,60\r\n\r\nOK\r\n"),
        (b"AT+CSQ", b"\r\n+CSQ: 30,99\r\n\r\nOK\r\n"),
        (b"AT+CEREG?", b"\r\n+CEREG: 0,1\r\n\r\nOK\r\n"),
        (b"AT+CGREG?", b"\r\n+CGREG: 0,0\r\n\r\nOK\r\n"),
        (b"AT+CREG?", b"\r\n+CREG: 0,0\r\n\r\nOK\r\n"),
        (b"AT+COPS?", b'\r\n+COPS: 0,0,"Bench LTE",7\r\n\r\nOK\r\n'),
        (b"AT+CGACT=1,1", b"\r\nOK\r\n"),
        (b"AT+CGACT?", b"\r\n+CGACT: 1,1\r\n\r\nOK\r\n"),
        (b"AT+CGPADDR=1", b'\r\n+CGPADDR: 1,"10.64.2.2"\r\n\r\nOK\r\n'),
        (b"AT+CGDCONT?", b'\r\n+CGDCONT: 1,"IP","acquirer.apn","",0,0\r\n\r\nOK\r\n'),
        (b"AT+CPIN?", b"\r\n+CPIN: READY\r\n\r\nOK\r\n"),
        (b"AT+CIMI", b"\r\n001010000000001\r\n\r\nOK\r\n"),
        (b"AT+CSUS?", b"\r\n+CSUS: 0\r\n\r\nOK\r\n"),
        (b"AT+CSUS=1", b"\r\n+CME ERROR: 21\r\n"),
        (b"AT+NONSENSE", b"\r\nERROR\r\n"),
        (b"", b""),
    ],
)
def test_answers_with_service(command: bytes, answer: bytes) -> None:
    assert bench(10.5).modem.receive(command + b"\r") == answer


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (b"AT+CESQ", b"\r\n+CESQ: 99,99,255,255,255,255\r\n\r\nOK\r\n"),
        (b"AT+CSQ", b"\r\n+CSQ: 99,99\r\n\r\nOK\r\n"),
        (b"AT+CEREG?", b"\r\n+CEREG: 0,2\r\n\r\nOK\r\n"),
        (b"AT+COPS?", b"\r\n+COPS: 0\r\n\r\nOK\r\n"),
        (b"AT+CGACT?", b"\r\n+CGACT: 1,0\r\n\r\nOK\r\n"),
        (b"AT+CGPADDR", b"\r\n+CGPADDR: 1\r\n\r\nOK\r\n"),
        (b"AT+CGACT=1,1", b"\r\n+CME ERROR: 30\r\n"),
        (b"ATD*99#", b"\r\nNO CARRIER\r\n"),
    ],
)
def test_answers_without_service(command: bytes, answer: bytes) -> None:
    modem = AtModem(Radio(QUIET))
    modem.receive(b"ATE0\r")
    assert modem.receive(command + b"\r") == answer


def test_echo_comes_as_it_is_typed_and_can_be_switched_off() -> None:
    modem = AtModem(Radio(QUIET))
    assert modem.receive(b"A") == b"A"
    assert modem.receive(b"T\r") == b"T\r\r\nOK\r\n"
    assert modem.receive(b"ATE0\r") == b"ATE0\r\r\nOK\r\n"
    assert modem.receive(b"AT\r") == b"\r\nOK\r\n"


def test_errors_are_told_by_number_or_not_at_all() -> None:
    modem = bench(sims=(None,))
    assert modem.ask("AT+CPIN?") == ["+CME ERROR: 10"]
    assert modem.ask("AT+CMEE=0") == ["OK"]
    assert modem.ask("AT+CPIN?") == ["ERROR"]


# Levels, decoded by the parser of the rig's own driver.


@given(st.floats(-139, -45))
def test_rsrp_is_read_as_it_was_to_a_decibel(level: float) -> None:
    read = at.parse_cesq(f"+CESQ: {cesq('LTE', level, 10)}")
    assert read.rsrp is not None
    assert abs(read.rsrp - level) <= 1.001
    assert (read.rscp, read.rxlev) == (None, None)


@given(st.floats(-119, -26))
def test_rscp_is_read_as_it_was_to_a_decibel(level: float) -> None:
    read = at.parse_cesq(f"+CESQ: {cesq('UTRAN', level, 10)}")
    assert read.rscp is not None
    assert abs(read.rscp - level) <= 1.001
    assert (read.rsrp, read.rxlev) == (None, None)


@given(st.floats(-109, -49))
def test_rxlev_is_read_as_it_was_to_a_decibel(level: float) -> None:
    read = at.parse_cesq(f"+CESQ: {cesq('GSM', level, 10)}")
    assert read.rxlev is not None
    assert abs(read.rxlev - level) <= 1.001
    assert (read.rsrp, read.rscp) == (None, None)


@given(st.sampled_from(["LTE", "UTRAN", "GSM"]), st.floats(-150, 0), st.floats(-20, 30))
def test_every_level_has_an_index(technology: str, level: float, sinr: float) -> None:
    at.parse_cesq(f"+CESQ: {cesq(technology, level, sinr)}")
    rssi = at.parse_csq(f"+CSQ: {csq(technology, level)}")
    assert rssi is not None
    assert Dbm(-113) <= rssi <= Dbm(-51)


# Service.


def test_a_change_of_service_is_told_to_who_asked_for_it() -> None:
    modem = bench()
    assert modem.fade(60) == []
    assert modem.ask("AT+CEREG=2") == ["OK"]
    assert modem.fade(0) == ['+CEREG: 1,"1A2B","00C3D4E5",7']
    assert modem.ask("AT+CGACT?") == ["+CGACT: 1,1", "OK"]
    assert modem.ask("AT+CEREG=1") == ["OK"]
    assert modem.fade(60) == ["+CEREG: 2"]


def test_what_changed_before_it_was_asked_for_is_no_news() -> None:
    modem = bench()
    modem.fade(60)
    assert modem.ask("AT+CEREG=2") == ["OK"]
    assert modem.settle() == []


def test_each_technology_is_told_by_its_own_command() -> None:
    modem = bench(0, ALL)
    for command in ("AT+CREG=2", "AT+CGREG=2", "AT+CEREG=2"):
        assert modem.ask(command) == ["OK"]
    assert modem.ask("AT+CEREG?") == ['+CEREG: 2,1,"1A2B","00C3D4E5",7', "OK"]
    lost, found = (
        ["+CREG: 2", "+CGREG: 2", "+CEREG: 2"],
        ['+CREG: 1,"2B3C","0B2CD4E5",2', '+CGREG: 1,"2B3C","0B2CD4E5",2'],
    )
    assert modem.fade(52) == [*lost, *found, "+CEREG: 0"]
    assert modem.ask("AT+CGREG?") == ['+CGREG: 2,1,"2B3C","0B2CD4E5",2', "OK"]
    assert modem.ask("AT+COPS?") == ['+COPS: 0,0,"Bench UTRAN",2', "OK"]
    assert modem.ask("AT+CESQ")[0] == "+CESQ: 99,99,13,25,255,255"
    assert modem.fade(60)[-2] == '+CGREG: 1,"2B3C","D4E5",0'
    assert modem.ask("AT+CESQ")[0] == "+CESQ: 12,3,255,255,255,255"
    assert modem.fade(0)[-3:] == ['+CREG: 1,"1A2B","00C3D4E5",7', "+CGREG: 0", '+CEREG: 1,"1A2B","00C3D4E5",7']


def test_an_old_modem_does_not_know_of_lte() -> None:
    modem = bench(0, replace(QUIET, technologies=("GSM",), reference_dbm=-65))
    assert modem.ask("AT+CEREG=2") == modem.ask("AT+CEREG?") == ["ERROR"]
    assert modem.ask("AT+CGREG=2") == ["OK"]
    assert modem.ask("AT+CGREG?") == ['+CGREG: 2,1,"2B3C","D4E5",0', "OK"]
    assert modem.fade(40) == ["+CGREG: 2"]


def test_a_handover_is_news_of_another_cell() -> None:
    radio = Radio(replace(QUIET, neighbour_dbm=-70))
    modem = Bench(radio)
    radio.attenuate(40, 0, cell=1)
    modem.fade(0)
    modem.ask("AT+CEREG=2")
    radio.attenuate(10, modem.now, cell=1)
    assert modem.fade(40) == ['+CEREG: 1,"1A2B","00C3D4E6",7']
    assert modem.carries()


def test_a_call_ends_with_the_service_or_with_the_escape() -> None:
    modem = bench()
    assert modem.ask("ATD*99#") == ["CONNECT 150000000"]
    assert modem.ask("AT") == []
    assert at.lines(modem.modem.receive(b"+++")) == ["OK"]
    modem.ask("ATD*99#")
    assert modem.fade(95) == ["NO CARRIER"]


def test_flight_mode_ends_the_service_at_once_and_leaving_it_searches() -> None:
    modem = bench()
    modem.ask("AT+CEREG=1")
    assert modem.ask("AT+CFUN=4") == ["OK", "+CEREG: 0"]
    assert modem.ask("AT+CESQ")[0] == "+CESQ: 99,99,255,255,255,255"
    assert modem.ask("AT+CFUN=1") == ["OK", "+CEREG: 2"]
    assert modem.settle() == ["+CEREG: 1"]


# APN.


def test_a_wrong_apn_counts_from_the_next_activation_and_is_refused() -> None:
    modem = bench()
    assert modem.ask('AT+CGDCONT=1,"IP","Wrong.apn"') == ["OK"]
    assert modem.carries()
    assert modem.ask("AT+CGACT=0,1") == ["OK"]
    assert not modem.carries()
    assert modem.ask("AT+CGACT=1,1") == ["+CME ERROR: 127"]
    assert modem.ask("AT+CGDCONT?") == ['+CGDCONT: 1,"IP","Wrong.apn","",0,0', "OK"]
    assert modem.ask("AT+CGPADDR=1") == ["+CGPADDR: 1", "OK"]
    assert modem.ask("ATD*99#") == ["NO CARRIER"]
    assert modem.modem.registered
    modem.ask('AT+CGDCONT=1,"IP","Acquirer.APN"')
    assert modem.ask("AT+CGACT=1,1") == ["OK"]
    assert modem.carries()


def test_a_wrong_apn_at_an_attach_leaves_service_without_a_way_for_packets() -> None:
    modem = bench()
    assert modem.ask("AT+CGATT=0") == ["OK"]
    assert modem.ask("AT+CGATT?") == ["+CGATT: 0", "OK"]
    modem.ask('AT+CGDCONT=1,"IP","wrong"')
    assert modem.ask("AT+CGATT=1") == ["OK"]
    modem.settle()
    assert (modem.modem.registered, modem.carries()) == (True, False)
    modem.ask("AT+CGATT=0")
    modem.ask('AT+CGDCONT=1,"IP","acquirer.apn"')
    modem.ask("AT+CGATT=1")
    modem.settle()
    assert modem.carries()


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ('AT+CGDCONT=9,"IP","x"', "+CME ERROR: 21"),
        ("AT+CGDCONT=1", "+CME ERROR: 3"),  # it is active
        ('AT+CGDCONT=1,"X25","x"', "ERROR"),
        ("AT+CGDCONT=", "ERROR"),
        ("AT+CGACT=1,3", "+CME ERROR: 21"),
    ],
)
def test_contexts_that_cannot_be(command: str, answer: str) -> None:
    assert bench().ask(command) == [answer]


# SIM cards.


def test_without_a_card_the_modem_hears_and_is_not_let_in() -> None:
    modem = bench(10.5, sims=(None,))
    assert modem.ask("AT+CPIN?") == ["+CME ERROR: 10"]
    assert modem.ask("AT+CIMI") == ["+CME ERROR: 10"]
    assert modem.ask("AT+CEREG?") == ["+CEREG: 0,0", "OK"]
    assert modem.ask("AT+CESQ")[0] == "+CESQ: 99,99,255,255,32,60"
    assert modem.ask("AT+CGACT=1,1") == ["+CME ERROR: 10"]
    assert not modem.carries()


def test_a_pin_lets_the_modem_in() -> None:
    modem = bench(sims=({"pin": "1234"},))
    assert modem.ask("AT+CPIN?") == ["+CPIN: SIM PIN", "OK"]
    assert modem.ask("AT+CIMI") == ["+CME ERROR: 11"]
    assert modem.ask('AT+CPIN="0000"') == ["+CME ERROR: 16"]
    assert modem.ask('AT+CPIN="1234"') == ["OK"]
    modem.settle()
    assert modem.ask("AT+CPIN?") == ["+CPIN: READY", "OK"]
    assert modem.carries()
    assert modem.ask('AT+CPIN="1234"') == ["+CME ERROR: 3"]


def test_three_wrong_pins_block_the_card() -> None:
    modem = bench(sims=({"pin": "1234"},))
    assert [modem.ask("AT+CPIN=9999")[0] for _ in range(4)] == [
        *["+CME ERROR: 16"] * 2,
        "+CME ERROR: 12",
        "+CME ERROR: 16",
    ]
    assert modem.ask("AT+CPIN?") == ["+CPIN: SIM PUK", "OK"]
    assert modem.ask("AT+CIMI") == ["+CME ERROR: 12"]


def test_the_other_card_registers_anew() -> None:
    modem = bench(sims=({}, {"imsi": "001010000000002"}))
    modem.ask("AT+CEREG=1")
    assert modem.ask("AT+CSUS=?") == ["+CSUS: (0-1)", "OK"]
    assert modem.ask("AT+CSUS=1") == ["OK", "+CEREG: 2"]
    assert modem.settle() == ["+CEREG: 1"]
    assert modem.ask("AT+CIMI") == ["001010000000002", "OK"]


@pytest.mark.parametrize("sims", [(), ({"pin": "1", "puk": "2"},)])
def test_slots_that_make_no_sense_are_refused(sims: tuple[Any, ...]) -> None:
    with pytest.raises(CallerMistake, match="sims"):
        AtModem(Radio(QUIET), sims=sims)


# Faults.


def test_a_mute_modem_says_nothing_and_another_one_errors_alone() -> None:
    modem = bench()
    modem.ask("AT+CEREG=1")
    modem.modem.give_fault("mute")
    assert modem.ask("AT") == []
    assert modem.fade(60) == []
    modem.modem.clear_faults()
    modem.modem.give_fault("error")
    assert modem.ask("AT") == ["ERROR"]
    modem.modem.clear_faults()
    assert modem.ask("AT") == ["OK"]
    with pytest.raises(ValueError, match="use mute, error"):
        modem.modem.give_fault("odd")


def test_a_card_that_is_pulled_ends_the_service_and_put_back_it_registers() -> None:
    modem = bench()
    modem.ask("AT+CEREG=1")
    assert at.lines(modem.modem.give_fault("sim-missing")) == ["+CEREG: 0"]
    modem.settle()
    assert modem.ask("AT+CPIN?") == ["+CME ERROR: 10"]
    assert not modem.carries()
    assert at.lines(modem.modem.clear_faults()) == ["+CEREG: 2"]
    assert modem.settle() == ["+CEREG: 1"]
    assert modem.carries()


@given(st.lists(st.binary(max_size=40)))
def test_any_bytes_leave_the_modem_answering(chunks: list[bytes]) -> None:
    modem = bench().modem
    for chunk in chunks:
        modem.receive(chunk)
    modem.receive(b"\r+++\rATE0\r")
    assert modem.receive(b"AT\r") == b"\r\nOK\r\n"
