"""The dialogue with hostapd's control socket, datagram by datagram."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.bearers.wifi.control import Control, event_text, facts_in, facts_of
from rig.errors import BenchTrouble, DeviceGone, DeviceMute, DeviceNonsense
from tests.bearers.wifi.scripted import ScriptedHostapd


@pytest.fixture
def hostapd(tmp_path: Path) -> Iterator[ScriptedHostapd]:
    made = ScriptedHostapd(tmp_path / "wlan0", {})
    yield made
    made.close()


@pytest.fixture
def control(hostapd: ScriptedHostapd, tmp_path: Path) -> Iterator[Control]:
    made = Control(tmp_path / "wlan0", "ap", timeout_s=0.3)
    yield made
    made.close()


def test_commands_are_sent_as_they_are_and_answers_lose_their_line_end(
    hostapd: ScriptedHostapd, control: Control
) -> None:
    hostapd.answers |= {"STATUS": "state=ENABLED\nphy=phy0\nfreq=2412\n", "DISABLE": "OK\n"}
    assert control.ask("PING") == "PONG"
    assert control.facts("STATUS") == {"state": "ENABLED", "phy": "phy0", "freq": "2412"}
    control.do("DISABLE")
    assert hostapd.heard == ["PING", "STATUS", "DISABLE"]


def test_a_refusal_is_the_benchs_trouble_and_an_unknown_command_nonsense(
    hostapd: ScriptedHostapd, control: Control
) -> None:
    hostapd.answers["ENABLE"] = "FAIL\n"
    with pytest.raises(BenchTrouble, match="hostapd refused 'ENABLE'"):
        control.do("ENABLE")
    with pytest.raises(DeviceNonsense, match="UNKNOWN COMMAND"):
        control.do("CHAN_SWITCH 5 2462 ht")


def test_a_refused_passphrase_is_not_shown(hostapd: ScriptedHostapd, control: Control) -> None:
    hostapd.answers["SET wpa_passphrase correct horse"] = "FAIL\n"
    with pytest.raises(BenchTrouble) as caught:
        control.do("SET wpa_passphrase correct horse")
    assert "correct" not in str(caught.value)


def test_a_late_answer_is_not_taken_for_the_next_ones(hostapd: ScriptedHostapd, control: Control) -> None:
    released: queue.Queue[str] = queue.Queue()
    hostapd.answers |= {"STATUS": lambda: released.get(timeout=5), "PING": "PONG\n"}
    with pytest.raises(DeviceMute, match="no reply to 'STATUS'"):
        control.ask("STATUS")
    released.put("state=LATE\n")
    assert control.ask("PING") == "PONG"


def test_events_are_told_without_their_level_and_never_come_in_the_place_of_an_answer(
    hostapd: ScriptedHostapd, control: Control
) -> None:
    told: queue.Queue[str] = queue.Queue()
    control.attach(told.put)
    hostapd.tell("AP-STA-CONNECTED 02:00:00:00:01:00")
    hostapd.tell("AP-CSA-FINISHED freq=2462 dfs=0", level=2)
    assert control.ask("PING") == "PONG"
    assert told.get(timeout=2) == "AP-STA-CONNECTED 02:00:00:00:01:00"
    assert told.get(timeout=2) == "AP-CSA-FINISHED freq=2462 dfs=0"


def test_a_refused_attachment_is_trouble(hostapd: ScriptedHostapd, control: Control) -> None:
    hostapd.answers["ATTACH"] = "FAIL\n"
    with pytest.raises(BenchTrouble, match="ATTACH"):
        control.attach(lambda _event: None)


def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(DeviceGone, match="nobody serves"):
        Control(tmp_path / "wlan9", "ap")


def test_hostapd_that_ends_is_noticed_by_questions_and_by_whoever_listens(
    hostapd: ScriptedHostapd, control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rig.bearers.wifi.control._PING_S", 0.05)
    ended: queue.Queue[bool] = queue.Queue()
    control.attach(lambda _event: None, lambda: ended.put(True))
    hostapd.close()
    assert ended.get(timeout=2)
    with pytest.raises(DeviceGone, match="hostapd has ended"):
        control.ask("PING")


def test_closing_detaches(hostapd: ScriptedHostapd, tmp_path: Path) -> None:
    control = Control(tmp_path / "wlan0", "ap")
    told: queue.Queue[bool] = queue.Queue()
    hostapd.answers["DETACH"] = lambda: told.put(True) or "OK\n"  # type: ignore[func-returns-value]
    control.attach(lambda _event: None)
    control.close()
    assert told.get(timeout=2)


def test_what_events_say() -> None:
    assert event_text("<3>AP-ENABLED ") == "AP-ENABLED"
    assert event_text("AP-ENABLED") == "AP-ENABLED"
    assert facts_in("BSS-TM-RESP 02:00:00:00:01:00 status_code=0 bss_termination_delay=0")["status_code"] == "0"
    assert facts_of("OK\nbssid=02:00:00:00:00:00\nssid=a=b\n") == {"bssid": "02:00:00:00:00:00", "ssid": "a=b"}
