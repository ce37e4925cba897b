"""What hostapd, dnsmasq and wpa_supplicant are told, held against those programs where they are installed."""

from __future__ import annotations

import ipaddress
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.bearers.wifi.channels import frequency_mhz, operating_class
from rig.bearers.wifi.config import Cell, Network, Security, hostapd_config
from rig.bearers.wifi.dnsmasq import Lease, Serving, dnsmasq_config, read_leases
from rig.errors import CallerMistake
from rig.virtual.supplicant import supplicant_config

NETWORK = Network("rig", Security.WPA2, "correct horse", "DE", (Cell("wlan0", 1),))
SOCKETS = Path("/run/x")

WPA2 = """\
interface=wlan0
driver=nl80211
country_code=DE
ieee80211d=1
hw_mode=g
channel=1
ieee80211n=1
ctrl_interface=/run/x
ssid2=726967
auth_algs=1
wmm_enabled=1
bss_transition=1
rrm_neighbor_report=1
wpa=2
wpa_key_mgmt=WPA-PSK
rsn_pairwise=CCMP
ieee80211w=0
wpa_passphrase=correct horse
"""

WPA3_ON_TWO_CELLS = """\
interface=wlan0
driver=nl80211
country_code=DE
ieee80211d=1
hw_mode=a
channel=36
ieee80211n=1
bridge=br-wifi
ctrl_interface=/run/x
ssid2=726967
auth_algs=1
wmm_enabled=1
bss_transition=1
rrm_neighbor_report=1
wpa=2
wpa_key_mgmt=SAE
rsn_pairwise=CCMP
ieee80211w=2
wpa_passphrase=correct horse
sae_pwe=2

bss=wlan0-2
bridge=br-wifi
ctrl_interface=/run/x
ssid2=726967
auth_algs=1
wmm_enabled=1
bss_transition=1
rrm_neighbor_report=1
wpa=2
wpa_key_mgmt=SAE
rsn_pairwise=CCMP
ieee80211w=2
wpa_passphrase=correct horse
sae_pwe=2
"""
TWO_CELLS = Network(
    "rig", Security.WPA3, "correct horse", "DE", (Cell("wlan0", 36), Cell("wlan0-2"), Cell("wlan2", 11)), "br-wifi"
)


def test_hostapd_is_told_of_wpa2() -> None:
    assert hostapd_config(NETWORK, NETWORK.cells, SOCKETS) == WPA2


def test_hostapd_is_told_of_wpa3_and_of_two_cells_on_a_radio() -> None:
    assert [[cell.interface for cell in cells] for cells in TWO_CELLS.radios] == [["wlan0", "wlan0-2"], ["wlan2"]]
    assert [TWO_CELLS.channel_of(cell) for cell in TWO_CELLS.cells] == [36, 36, 11]
    assert hostapd_config(TWO_CELLS, TWO_CELLS.radios[0], SOCKETS) == WPA3_ON_TWO_CELLS


def test_an_open_network_has_no_key() -> None:
    told = hostapd_config(NETWORK.secured(Security.OPEN), NETWORK.cells, SOCKETS)
    assert "wpa=0\nieee80211w=0\n" in told
    assert "correct horse" not in told


@pytest.mark.skipif(shutil.which("hostapd", path="/usr/sbin:/sbin") is None, reason="hostapd is not installed")
@pytest.mark.parametrize("network", [NETWORK, NETWORK.secured(Security.OPEN), TWO_CELLS], ids=["wpa2", "open", "wpa3"])
def test_hostapd_itself_finds_no_error_in_it(network: Network, tmp_path: Path) -> None:
    """Without the radio it ends; what it says of the file comes first."""
    absent = replace(network, cells=tuple(replace(c, interface=f"rig-no{n}") for n, c in enumerate(network.cells)))
    config = tmp_path / "conf"
    config.write_text(hostapd_config(absent, absent.radios[0], tmp_path / "sockets"))
    done = subprocess.run(["/usr/sbin/hostapd", config], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1
    assert "errors found in configuration" not in done.stdout
    assert "Line " not in done.stdout
    config.write_text(config.read_text() + "no_such_key=1\n")
    done = subprocess.run(["/usr/sbin/hostapd", config], capture_output=True, text=True, timeout=20, check=False)
    assert "errors found in configuration" in done.stdout, "it does look"


@pytest.mark.parametrize(
    ("wrong", "device"),
    [
        ({"ssid": ""}, "ssid"),
        ({"ssid": "x" * 33}, "ssid"),
        ({"passphrase": "short"}, "passphrase"),
        ({"passphrase": "x" * 64}, "passphrase"),
        ({"passphrase": "eight888\nwpa=0"}, "passphrase"),
        ({"country": "Germany"}, "country"),
        ({"cells": ()}, "channel"),
        ({"cells": (Cell("wlan0"),)}, "channel"),
        ({"cells": (Cell("wlan0", 15),)}, "channel"),
        ({"cells": (Cell("wlan0\nx", 1),)}, "interface"),
        ({"cells": (Cell("wlan0", 1), Cell("wlan1", 6))}, "bridge"),
    ],
)
def test_what_the_air_does_not_allow_is_refused(wrong: dict[str, Any], device: str) -> None:
    with pytest.raises(CallerMistake) as caught:
        replace(NETWORK, **wrong)
    assert caught.value.device == device
    assert "eight888" not in str(caught.value)


@given(st.text(min_size=1, max_size=8))
def test_no_name_of_a_network_becomes_a_setting(name: str) -> None:
    told = hostapd_config(replace(NETWORK, ssid=name), NETWORK.cells, SOCKETS)
    assert len(told.splitlines()) == len(WPA2.splitlines())
    assert f"ssid2={name.encode().hex()}\n" in told


def test_channels_have_their_frequency_and_class() -> None:
    known = {1: (2412, 81), 6: (2437, 81), 13: (2472, 81), 36: (5180, 115), 64: (5320, 118), 100: (5500, 121),
             149: (5745, 124), 165: (5825, 125)}  # fmt: skip
    assert {channel: (frequency_mhz(channel), operating_class(channel)) for channel in known} == known
    with pytest.raises(CallerMistake, match="no channel 14"):
        frequency_mhz(14)


SERVING = Serving(
    "wlan0", ipaddress.IPv4Interface("10.64.1.1/24"), ipaddress.IPv4Address("10.64.1.50"),
    ipaddress.IPv4Address("10.64.1.59"), 600, {"acquirer.bench": "10.64.0.10"},
)  # fmt: skip
DNSMASQ = """\
keep-in-foreground
log-facility=-
user=root
group=root
pid-file=/run/x/pid
interface=wlan0
except-interface=lo
bind-dynamic
no-resolv
no-hosts
no-poll
cache-size=0
log-queries
local=/#/
host-record=acquirer.bench,10.64.0.10
dhcp-range=10.64.1.50,10.64.1.59,255.255.255.0,600s
dhcp-leasefile=/run/x/leases
dhcp-authoritative
no-ping
log-dhcp
dhcp-option=option:router,10.64.1.1
dhcp-option=option:dns-server,10.64.1.1
dhcp-option=option:ntp-server,10.64.1.1
"""


def test_dnsmasq_is_told() -> None:
    assert dnsmasq_config(SERVING, SOCKETS / "leases", SOCKETS / "pid") == DNSMASQ


@pytest.mark.skipif(shutil.which("dnsmasq", path="/usr/sbin:/sbin") is None, reason="dnsmasq is not installed")
def test_dnsmasq_itself_finds_no_error_in_it(tmp_path: Path) -> None:
    config = tmp_path / "conf"
    config.write_text(dnsmasq_config(SERVING, tmp_path / "leases", tmp_path / "pid"))
    done = subprocess.run(["/usr/sbin/dnsmasq", "--test", "-C", config], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (0, "dnsmasq: syntax check OK.")


def test_a_pool_or_a_name_that_cannot_be_is_refused() -> None:
    wrongs: list[dict[str, Any]] = [
        {"last": ipaddress.IPv4Address("10.64.2.1")}, {"names": {"a\nb": "10.0.0.1"}}, {"names": {"a": "b"}},
    ]  # fmt: skip
    for wrong in wrongs:
        with pytest.raises(CallerMistake):
            replace(SERVING, **wrong)


def test_leases_are_read() -> None:
    text = "1795370963 02:00:00:00:01:00 10.64.1.52 terminal *\nduid 00:01\n"
    assert read_leases(text) == [Lease("02:00:00:00:01:00", "10.64.1.52", 1795370963)]


def test_the_terminal_is_told_of_its_network() -> None:
    settings = {"ssid": "rig", "security": "wpa3", "passphrase": "correct horse", "country": "DE", "mhz": [2412, 2462]}
    assert supplicant_config({**settings, "joins_open": True}, SOCKETS) == (
        "ctrl_interface=/run/x\ncountry=DE\nsae_pwe=2\n"
        "network={\n  ssid=726967\n  priority=1\n  key_mgmt=SAE\n  proto=RSN\n  ieee80211w=2\n"
        '  psk="correct horse"\n  scan_freq=2412 2462\n  freq_list=2412 2462\n}\n'
        "network={\n  ssid=726967\n  priority=0\n  key_mgmt=NONE\n  scan_freq=2412 2462\n  freq_list=2412 2462\n}\n"
    )
    with pytest.raises(CallerMistake, match="no security 'wep'"):
        supplicant_config({**settings, "security": "wep"}, SOCKETS)
    with pytest.raises(CallerMistake, match="unknown settings speed"):
        supplicant_config({**settings, "speed": 1}, SOCKETS)
