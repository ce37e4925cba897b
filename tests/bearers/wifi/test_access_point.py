"""What is said to hostapd for each action, and what is made of its answers, which are hostapd 2.10's own words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rig.bearers.wifi.access_point import AccessPoint
from rig.bearers.wifi.config import Cell, Network, Security
from rig.bearers.wifi.control import Control
from rig.bearers.wifi.station import Station, parse_station
from rig.errors import BenchTrouble, CallerMistake, DeviceClamped, DeviceNonsense
from tests.bearers.wifi.scripted import ScriptedHostapd

MAC = "02:00:00:00:01:00"
STATION = f"""\
{MAC}
flags=[AUTH][ASSOC][AUTHORIZED][SHORT_PREAMBLE][WMM][HT]
aid=1
capability=0x1431
listen_interval=5
supported_rates=02 04 0b 16 0c 12 18 24 30 48 60 6c
timeout_next=NULLFUNC POLL
dot11RSNAStatsSTAAddress={MAC}
wpa=2
AKMSuiteSelector=00-0f-ac-2
rx_packets=8
tx_packets=5
rx_bytes=725
tx_bytes=531
inactive_msec=628
signal=-30
rx_rate_info=520 mcs 11
tx_rate_info=10
connected_time=7
"""
NETWORK = Network(
    "rig", Security.WPA2, "correct horse", "DE", (Cell("cell0", 1), Cell("cell1", 11)), "br-wifi"
)  # fmt: skip


class Radio:
    """One cell of a scripted hostapd, with just enough memory to be read back."""

    def __init__(self, folder: Path, interface: str, mhz: int) -> None:
        self.state, self.mhz, self.wpa, self.stubborn = "ENABLED", mhz, True, False
        self.station = ""
        self.hostapd = ScriptedHostapd(folder / interface, {
            "STATUS": lambda: f"state={self.state}\nphy=phy0\nfreq={self.mhz}\nnum_sta[0]=1\n",
            "GET_CONFIG": lambda: "bssid=02:00:00:00:00:00\nssid=rig\n" + "wpa=2\nkey_mgmt=WPA-PSK\n" * self.wpa,
            "STA-FIRST": lambda: self.station, f"STA-NEXT {MAC}": "",
            "DISABLE": self.disable, "ENABLE": self.enable, "DENY_ACL CLEAR": "OK\n",
            "SET broadcast_deauth 0": "OK\n", "SET broadcast_deauth 1": "OK\n",
            "SET wpa_passphrase another horse": "OK\n", "SET wpa_passphrase correct horse": "OK\n",
            "SET wpa 2": "OK\n", "SET wpa 0": self.open, "SET wpa_key_mgmt WPA-PSK": "OK\n",
            "SET rsn_pairwise CCMP": "OK\n", "SET ieee80211w 0": "OK\n",
            f"SET channel {1 if mhz == 2412 else 11}": "OK\n",
            "CHAN_SWITCH 5 2437 ht": self.switch,
            f"DEAUTHENTICATE {MAC} reason=5": self.leave, "DEAUTHENTICATE ff:ff:ff:ff:ff:ff reason=3": self.leave,
            f"DENY_ACL ADD_MAC {MAC}": self.leave, f"DENY_ACL DEL_MAC {MAC}": "OK\n",
        })  # fmt: skip

    def disable(self) -> str:
        if not self.stubborn:
            self.state, self.station = "DISABLED", ""
            self.hostapd.tell("AP-DISABLED ")
        return "OK\n"

    def enable(self) -> str:
        self.state = "ENABLED"
        self.hostapd.tell("AP-ENABLED ")
        return "OK\n"

    def open(self) -> str:
        self.wpa = False
        return "OK\n"

    def switch(self) -> str:
        self.mhz = self.mhz if self.stubborn else 2437
        self.hostapd.tell(f"AP-CSA-FINISHED freq={self.mhz} dfs=0")
        return "OK\n"

    def leave(self) -> str:
        if self.station:
            self.station = ""
            self.hostapd.tell(f"AP-STA-DISCONNECTED {MAC}")
        return "OK\n"

    def join(self) -> None:
        self.station = STATION
        self.hostapd.tell(f"AP-STA-CONNECTED {MAC}")

    def acts(self) -> list[str]:
        """What it was told to do; questions left out."""
        asked = ("STATUS", "GET_CONFIG", "STA-", "ATTACH", "PING", "DETACH")
        return [each for each in self.hostapd.heard if not each.startswith(asked)]


class Lab:
    def __init__(self, folder: Path) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.first, self.second = Radio(folder, "cell0", 2412), Radio(folder, "cell1", 2462)
        controls = {name: Control(folder / name, name) for name in ("cell0", "cell1")}
        self.ap = AccessPoint("ap", NETWORK, controls, lambda kind, **data: self.events.append((kind, data)))
        self.first.station = STATION


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    for name in ("_LEAVE_S", "_SWITCH_S"):
        monkeypatch.setattr(f"rig.bearers.wifi.access_point.{name}", 0.3)
    made = Lab(tmp_path)
    yield made
    made.ap.close()
    made.first.hostapd.close()
    made.second.hostapd.close()


def test_a_station_is_read() -> None:
    assert parse_station(STATION, "cell0") == Station(MAC, "cell0", True, -30, 52_000, 1_000, 7, 628)
    young = f"{MAC}\nflags=[AUTH]\naid=0\nsignal=0\nrx_rate_info=0\ntx_rate_info=10\nconnected_time=1\n"
    assert parse_station(young, "cell0") == Station(MAC, "cell0", False, None, 0, 1_000, 1, 0)
    assert parse_station("", "cell0") is None
    assert parse_station("FAIL", "cell0") is None


def test_what_is_no_station_is_refused() -> None:
    with pytest.raises(DeviceNonsense, match="is no station"):
        parse_station("UNKNOWN COMMAND", "cell0")
    with pytest.raises(DeviceNonsense, match=MAC):
        parse_station(f"{MAC}\nsignal=loud\n", "cell0")


def test_the_kernels_figures_come_over_hostapds() -> None:
    station = parse_station(STATION, "cell0")
    assert station is not None
    better = station.with_kernel({"signal_dbm": -31, "retries": 4})
    assert (better.signal_dbm, better.retries, better.up_kbit) == (-31, 4, 52_000)
    assert Station.from_dict(better.to_dict()) == better


def test_it_vanishes_without_a_word(lab: Lab) -> None:
    evidence = lab.ap.vanish()
    assert lab.first.acts() == lab.second.acts() == ["SET broadcast_deauth 0", "DISABLE"]
    assert {cell["state"] for cell in evidence["cells"].values()} == {"DISABLED"}
    assert (evidence["stations_before"], evidence["stations"]) == ([MAC], [])
    assert {cell["state"] for cell in lab.ap.appear()["cells"].values()} == {"ENABLED"}


def test_one_that_does_not_vanish_is_no_evidence(lab: Lab) -> None:
    lab.second.stubborn = True
    with pytest.raises(DeviceClamped, match="cell1 should be DISABLED and is ENABLED"):
        lab.ap.vanish()


def test_who_was_sent_away_is_told(lab: Lab) -> None:
    assert lab.ap.deauthenticate(MAC, reason=5)["left"] == [MAC]
    assert lab.first.acts() == [f"DEAUTHENTICATE {MAC} reason=5"]
    assert lab.ap.deauthenticate()["left"] == [], "nobody was there any more"
    with pytest.raises(CallerMistake, match="0 is no reason code"):
        lab.ap.deauthenticate(reason=0)


def test_a_channel_is_read_back(lab: Lab) -> None:
    assert lab.ap.change_channel(6)["cells"]["cell0"]["mhz"] == 2437
    assert lab.first.acts() == ["CHAN_SWITCH 5 2437 ht"]
    with pytest.raises(CallerMistake, match="no channel 200"):
        lab.ap.change_channel(200)


def test_a_channel_that_did_not_change_is_no_evidence(lab: Lab) -> None:
    lab.first.stubborn = True
    with pytest.raises(DeviceClamped, match="was asked for 2437 MHz and is on 2412"):
        lab.ap.change_channel(6)


def test_another_key_sends_everybody_away_and_refusals_are_counted(lab: Lab) -> None:
    evidence = lab.ap.set_key("another horse")
    assert evidence["stations_before"] == [MAC]
    assert lab.first.acts() == ["DISABLE", "SET wpa_passphrase another horse", "ENABLE"]
    lab.first.hostapd.tell(f"AP-STA-POSSIBLE-PSK-MISMATCH {MAC}")
    assert lab.ap.air.happenings.wait_for(0, lambda told: any("PSK" in each.text for each in told), 2)
    assert lab.ap.state()["refused"] == 1
    with pytest.raises(CallerMistake, match="is none"):
        lab.ap.set_key("short")


def test_restoring_undoes_what_was_done_and_leaves_alone_what_was_not(lab: Lab) -> None:
    lab.ap.restore()
    assert lab.first.acts() == ["DENY_ACL CLEAR", "SET broadcast_deauth 1"]
    lab.ap.set_key("another horse")
    lab.ap.vanish()
    lab.second.hostapd.heard.clear()
    read = lab.ap.restore()
    assert lab.second.acts() == [
        "DENY_ACL CLEAR", "SET broadcast_deauth 1", "SET wpa 2", "SET wpa_key_mgmt WPA-PSK", "SET rsn_pairwise CCMP",
        "SET ieee80211w 0", "SET wpa_passphrase correct horse", "SET channel 11", "ENABLE",
    ]  # fmt: skip
    assert {cell["state"] for cell in read["cells"].values()} == {"ENABLED"}


def test_restoring_reads_back_security_and_channel(lab: Lab) -> None:
    assert lab.ap.secure(Security.OPEN)["cells"]["cell0"]["security"] == "open"
    with pytest.raises(DeviceClamped, match="cell0 was set to wpa2 and reads back open"):
        lab.ap.restore()
    lab.first.wpa = lab.second.wpa = True
    lab.second.mhz = 5180
    with pytest.raises(DeviceClamped, match="cell1 is on 5180 MHz, not 2462"):
        lab.ap.restore()


def test_a_hostapd_of_somebody_else_is_told_everything_at_once(lab: Lab) -> None:
    lab.ap.take_over()
    assert "SET wpa_passphrase correct horse" in lab.first.acts()


def test_made_to_roam_it_is_refused_here_and_comes_there(lab: Lab) -> None:
    def refuse() -> str:
        lab.first.leave()
        lab.second.join()
        return "OK\n"

    lab.first.hostapd.answers[f"DENY_ACL ADD_MAC {MAC}"] = refuse
    evidence = lab.ap.roam(hard=True, limit_s=2)
    assert (evidence["from"], evidence["to"], evidence["roamed"], evidence["answers"]) == ("cell0", "cell1", True, [])


def test_asked_to_roam_it_may_decline(lab: Lab) -> None:
    asked = (
        f"BSS_TM_REQ {MAC} pref=1 abridged=1 disassoc_imminent=1 disassoc_timer=100 valid_int=255"
        " neighbor=02:00:00:00:00:00,0x0000,81,11,7,0301ff"
    )

    def decline() -> str:
        lab.first.hostapd.tell(f"BSS-TM-RESP {MAC} status_code=1 bss_termination_delay=0")
        return "OK\n"

    lab.first.hostapd.answers[asked] = decline
    evidence = lab.ap.roam(limit_s=0.3)
    assert evidence["roamed"] is False
    assert evidence["answers"] == [f"BSS-TM-RESP {MAC} status_code=1 bss_termination_delay=0"]


def test_nobody_roams_where_nobody_is(lab: Lab) -> None:
    lab.first.station = ""
    with pytest.raises(BenchTrouble, match="on it is nobody"):
        lab.ap.roam()


def test_waiting_for_a_station(lab: Lab) -> None:
    assert lab.ap.wait_for_station(1).mac == MAC
    with pytest.raises(BenchTrouble, match="station 02:00:00:00:09:00 is not on it after"):
        lab.ap.wait_for_station(0.1, "02:00:00:00:09:00")
    lab.first.station = ""
    with pytest.raises(BenchTrouble, match="nobody is on it after"):
        lab.ap.wait_for_station(0.1)


def test_who_comes_is_in_the_history_with_signal_and_rate(lab: Lab) -> None:
    lab.first.station = ""
    lab.second.join()
    assert lab.ap.wait_for_station(2).cell == "cell1"
    lab.ap.air.sample()
    samples = [data for kind, data in lab.events if kind == "station"]
    assert samples[-1]["access_point"] == "ap"
    assert (samples[-1]["mac"], samples[-1]["signal_dbm"], samples[-1]["up_kbit"]) == (MAC, -30, 52_000)
    assert ("wifi_event", {"access_point": "ap", "cell": "cell1", "event": f"AP-STA-CONNECTED {MAC}"}) in lab.events
