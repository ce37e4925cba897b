"""The radio model and its modem, without a process: time is an argument."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.virtual.at_modem import AtModem
from rig.virtual.radio_model.radio import Radio
from rig.virtual.radio_model.settings import RadioSettings
from rig.virtual.radio_model.technology import LTE

QUIET = RadioSettings(noise_db=0)


def attached(db: float = 0, settings: RadioSettings = QUIET) -> Radio:
    radio = Radio(settings)
    radio.attenuate(0, now=0)
    assert radio.tick(1)
    radio.attenuate(db, now=1)
    return radio


def test_before_the_attenuation_is_known_there_is_nothing() -> None:
    radio = Radio(QUIET)
    assert (radio.level_dbm, radio.registered, radio.due, radio.shape) == (None, False, None, LTE.table[-1])


def test_service_is_found_and_lost_after_its_times() -> None:
    radio = Radio(QUIET)
    radio.attenuate(0, now=10)
    assert radio.due == pytest.approx(10.3)
    assert not radio.tick(10.29)
    assert radio.tick(10.31)
    assert radio.registered
    radio.attenuate(50.25, now=11)
    assert radio.due == pytest.approx(11.12)
    assert radio.tick(11.2)
    assert not radio.registered


def test_a_short_fade_costs_nothing_and_a_longer_one_is_not_prolonged() -> None:
    radio = attached()
    radio.attenuate(60, now=2)
    radio.attenuate(70, now=2.1)
    assert radio.due == pytest.approx(2.12)
    radio.attenuate(0, now=2.11)
    assert radio.due is None
    assert not radio.tick(3)


def test_finding_service_needs_more_than_keeping_it() -> None:
    assert attached(50).due is None  # −120 dBm keeps
    radio = attached(51)
    assert radio.tick(2)
    radio.attenuate(48, now=3)
    assert radio.due is None  # −118 dBm does not find
    radio.attenuate(47, now=3)
    assert radio.due is not None  # −117 dBm does


@given(st.floats(0, 95), st.floats(0, 95))
def test_more_attenuation_never_makes_a_better_link(one: float, other: float) -> None:
    near, far = (attached(db).shape for db in sorted((one, other)))
    for better, worse in ((near.up, far.up), (near.down, far.down)):
        assert better.rate_kbit >= worse.rate_kbit
        assert better.delay_ms <= worse.delay_ms
        assert better.loss_percent <= worse.loss_percent


def test_the_same_seed_reads_the_same_noise() -> None:
    one, other = Radio(RadioSettings(seed=7)), Radio(RadioSettings(seed=7))
    one.attenuate(10, 0)
    other.attenuate(10, 0)
    readings = [one.reading_dbm() for _ in range(5)]
    assert readings == [other.reading_dbm() for _ in range(5)]
    assert len(set(readings)) == 5


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (b"AT", b"\r\nOK\r\n"),
        (b"at+cesq", b"\r\n+CESQ: 99,99,255,255,32,60\r\n\r\nOK\r\n"),
        (b"AT+CSQ", b"\r\n+CSQ: 30,99\r\n\r\nOK\r\n"),
        (b"AT+CEREG?", b"\r\n+CEREG: 0,1\r\n\r\nOK\r\n"),
        (b"AT+COPS?", b'\r\n+COPS: 0,0,"Bench LTE",7\r\n\r\nOK\r\n'),
        (b"AT+CGACT=1,1", b"\r\nOK\r\n"),
        (b"AT+NONSENSE", b"\r\nERROR\r\n"),
        (b"", b""),
    ],
)
def test_answers_with_service(command: bytes, answer: bytes) -> None:
    modem = AtModem(attached(10.5))
    modem.receive(b"ATE0\r")
    assert modem.receive(command + b"\r") == answer


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (b"AT+CESQ", b"\r\n+CESQ: 99,99,255,255,255,255\r\n\r\nOK\r\n"),
        (b"AT+CSQ", b"\r\n+CSQ: 99,99\r\n\r\nOK\r\n"),
        (b"AT+CEREG?", b"\r\n+CEREG: 0,2\r\n\r\nOK\r\n"),
        (b"AT+COPS?", b"\r\n+COPS: 0\r\n\r\nOK\r\n"),
        (b"AT+CGACT?", b"\r\n+CGACT: 1,0\r\n\r\nOK\r\n"),
        (b"AT+CGACT=1,1", b"\r\n+CME ERROR: 30\r\n"),
        (b"ATD*99#", b"\r\nNO CARRIER\r\n"),
    ],
)
def test_answers_without_service(command: bytes, answer: bytes) -> None:
    modem = AtModem(Radio(QUIET))
    modem.receive(b"ATE0\r")
    assert modem.receive(command + b"\r") == answer


def test_echo_comes_as_it_is_typed_and_can_be_switched_off() -> None:
    modem = AtModem(attached())
    assert modem.receive(b"A") == b"A"
    assert modem.receive(b"T\r") == b"T\r\r\nOK\r\n"
    assert modem.receive(b"ATE0\r") == b"ATE0\r\r\nOK\r\n"
    assert modem.receive(b"AT\r") == b"\r\nOK\r\n"


def test_a_change_of_service_is_told_to_who_asked_for_it() -> None:
    radio = attached(60)
    modem = AtModem(radio)
    assert radio.tick(2)
    assert modem.service_changed() == b""
    modem.receive(b"ATE0\rAT+CEREG=2\r")
    radio.attenuate(0, 3)
    assert radio.tick(4)
    assert modem.service_changed() == b'\r\n+CEREG: 1,"1A2B","00C3D4E5",7\r\n'
    assert modem.receive(b"AT+CGACT?\r") == b"\r\n+CGACT: 1,1\r\n\r\nOK\r\n"


def test_a_call_ends_with_the_service_or_with_the_escape() -> None:
    radio = attached()
    modem = AtModem(radio)
    modem.receive(b"ATE0\r")
    assert modem.receive(b"ATD*99#\r") == b"\r\nCONNECT 150000000\r\n"
    assert modem.receive(b"AT\r") == b""
    assert modem.receive(b"+++") == b"\r\nOK\r\n"
    modem.receive(b"ATD*99#\r")
    radio.attenuate(95, 2)
    assert radio.tick(3)
    assert modem.service_changed() == b"\r\nNO CARRIER\r\n"


@given(st.lists(st.binary(max_size=40)))
def test_any_bytes_leave_the_modem_answering(chunks: list[bytes]) -> None:
    modem = AtModem(attached())
    for chunk in chunks:
        modem.receive(chunk)
    modem.receive(b"\r+++\rATE0\r")
    assert modem.receive(b"AT\r") == b"\r\nOK\r\n"
