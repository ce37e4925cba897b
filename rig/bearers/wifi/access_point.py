"""What can be done to an access point. Each action asks hostapd, waits for what hostapd tells, and reads back.

The evidence that an action returns says what was in the air before and after: ``stations_before``, ``cells``,
``stations``, beside what is the action's own.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping
from typing import Any

from rig.bearers.wifi.air import Air, Note
from rig.bearers.wifi.channels import frequency_mhz, operating_class
from rig.bearers.wifi.config import Cell, Network, Security, check_passphrase
from rig.bearers.wifi.control import Control
from rig.bearers.wifi.happenings import REFUSED, came, left, switched
from rig.bearers.wifi.station import Station
from rig.errors import BenchTrouble, CallerMistake

_SWITCH_S = 10.0
_LEAVE_S = 5.0
_ANNOUNCED = 5
"""Beacons that announce another channel."""
_HT_PHY = 7
_PREFERRED = "0301ff"
"""A subelement of the neighbor report: candidate preference, greatest (IEEE 802.11-2020, table 9-173)."""
_MUST_GO = "pref=1 abridged=1 disassoc_imminent=1 disassoc_timer=100 valid_int=255"
"""It will be sent away after 100 beacons, and nowhere but to the one that is named."""
_EVERYBODY = "ff:ff:ff:ff:ff:ff"


class AccessPoint:
    """One access point with its cells. One thing is done at a time; reading is always possible.

    Every method raises BenchTrouble where hostapd is gone, mute, refuses, or reads back something else.

    Args:
        name: in the bench file.
        network: as it is when nothing is done to it.
        controls: interface of each cell → its control.
        note: gets ``wifi_event`` and ``station`` (:class:`rig.bearers.wifi.air.Air`).
    """

    def __init__(self, name: str, network: Network, controls: Mapping[str, Control], note: Note) -> None:
        self._name = name
        self._network = network
        self._acting = threading.RLock()
        self._changed: set[str] = set()
        self._began = 0
        self.air = Air(name, network, controls, note)

    def state(self) -> dict[str, Any]:
        """``cells``, the ``stations`` as :class:`Station` has them, and how often a wrong key was ``refused`` since the
        last action.
        """
        read = self.air.read()
        read["stations"] = [station.to_dict() for station in self.air.stations()]
        return {**read, "refused": self.wait_for_refusal(0)}

    def wait_for_refusal(self, limit_s: float) -> int:
        """Wait until a station came with a wrong key; returns how often one did since the last action."""
        self.air.happenings.wait_for(self._began, lambda told: any(each.word == REFUSED for each in told), limit_s)
        return sum(each.word == REFUSED for each in self.air.happenings.since(self._began))

    def wait_for_station(self, limit_s: float, mac: str | None = None) -> Station:
        """Wait until the station, or any, may send data.

        Raises:
            BenchTrouble: it does not come in time.
        """
        since = self.air.happenings.now()

        def here() -> Station | None:
            return next((s for s in self.air.stations() if s.authorized and mac in (None, s.mac)), None)

        if found := here():
            return found
        self.air.happenings.wait_for(since, lambda told: any(came(each, mac) for each in told), limit_s)
        if found := here():
            return found
        who = f"station {mac} is not" if mac else "nobody is"
        cure = "is the terminal on, and does it know this network and its key?"
        raise BenchTrouble(f"access point {self._name}", f"{who} on it after {limit_s:g} s", cure)

    def vanish(self, silent: bool = True) -> dict[str, Any]:
        """Off the air. ``silent``: without a word, as when its plug is pulled, so that stations learn it from missing
        beacons; else everybody is told to leave first.
        """
        with self._acting:
            before = self._begin()
            for control in self.air.controls.values():
                control.do(f"SET broadcast_deauth {0 if silent else 1}")
            self.air.disable()
            return {"silent": silent, "stations_before": before, **self.air.read()}

    def appear(self) -> dict[str, Any]:
        """On the air again, as it was."""
        with self._acting:
            before = self._begin()
            self.air.enable()
            return {"stations_before": before, **self.air.read()}

    def deauthenticate(self, mac: str | None = None, reason: int = 3, disassociate: bool = False) -> dict[str, Any]:
        """Send a station, or everybody, away; it may come back at once. ``left`` says who went.

        Args:
            mac: whom; None for everybody.
            reason: the reason code (IEEE 802.11-2020, table 9-49); 3: the access point is leaving.
            disassociate: end the association alone, and leave the station authenticated.

        Raises:
            CallerMistake: no reason code.
        """
        if not 1 <= reason <= 65535:
            raise CallerMistake("reason", f"{reason} is no reason code", "1 to 65535")
        command = "DISASSOCIATE" if disassociate else "DEAUTHENTICATE"
        with self._acting:
            before = self._begin()
            leaving = set(before) if mac is None else {mac} & set(before)
            for control in self.air.controls.values():
                control.do(f"{command} {mac or _EVERYBODY} reason={reason}")
            self.air.happenings.wait_for(self._began, lambda told: leaving <= left(told), _LEAVE_S)
            gone = leaving & left(self.air.happenings.since(self._began))
            return {"reason": reason, "stations_before": before, "left": sorted(gone), **self.air.read()}

    def change_channel(self, channel: int, mac: str | None = None) -> dict[str, Any]:
        """Move a radio to another channel, announced in its beacons, so that stations can follow (CSA). ``left`` says
        who did not, and left.

        Args:
            channel: the new one.
            mac: the radio is that of this station's cell, or of anybody's where left out; the first one of an empty
                access point.

        Raises:
            CallerMistake: no such channel.
            DeviceClamped: it is on another one.
        """
        mhz = frequency_mhz(channel)
        with self._acting:
            before = self._begin()
            first = self._radio_of(mac)
            self._changed.add("channel")
            self.air.controls[first].do(f"CHAN_SWITCH {_ANNOUNCED} {mhz} ht")
            self.air.happenings.wait_for(self._began, lambda told: any(switched(each, mhz) for each in told), _SWITCH_S)
            read = self.air.read()
            if read["cells"][first]["mhz"] != mhz:
                raise self.air.clamped(f"was asked for {mhz} MHz and is on {read['cells'][first]['mhz']}")
            lost = sorted(left(self.air.happenings.since(self._began)))
            return {"channel": channel, "cell": first, "left": lost, "stations_before": before, **read}

    def set_key(self, passphrase: str) -> dict[str, Any]:
        """Another passphrase, with which nobody who knows the old one can join; everybody is sent away.

        Raises:
            CallerMistake: no passphrase, or the network has no key.
        """
        check_passphrase(passphrase)
        if self._network.security is Security.OPEN:
            raise CallerMistake(f"access point {self._name}", "is open and has no key", "give it wpa2 or wpa3")
        with self._acting:
            before = self._begin()
            self._changed.add("key")
            self.air.disable()
            for control in self.air.controls.values():
                control.do(f"SET wpa_passphrase {passphrase}")
            self.air.enable()
            return {"stations_before": before, **self.air.read()}

    def secure(self, security: Security) -> dict[str, Any]:
        """Another security with the network's own passphrase; everybody is sent away.

        Raises:
            DeviceClamped: another one reads back.
        """
        with self._acting:
            before = self._begin()
            self._changed.add("security")
            self.air.disable()
            self.air.set(self._network.secured(security))
            self.air.enable()
            self.air.require_security(security)
            return {"security": str(security), "stations_before": before, **self.air.read()}

    def roam(self, mac: str | None = None, hard: bool = False, limit_s: float = 20.0) -> dict[str, Any]:
        """Bring a station from its cell to the other one. ``roamed``: whether it is there; ``answers``: what it said.

        Args:
            mac: whom; the only one that is there where left out.
            hard: the cell refuses it from now on and sends it away; else it is asked to go (BSS transition management,
                IEEE 802.11v), and may decline.
            limit_s: how long it may take.

        Raises:
            CallerMistake: the access point has one cell only.
            BenchTrouble: nobody, or not that station, is on it.
        """
        if len(self._network.cells) < 2:
            raise CallerMistake(f"access point {self._name}", "has one cell", "give it a second one in the bench file")
        with self._acting:
            before = self._begin()
            station = self._one(mac)
            target = next(cell for cell in self._network.cells if cell.interface != station.cell)
            if hard:
                self.air.controls[target.interface].do(f"DENY_ACL DEL_MAC {station.mac}")
                self.air.controls[station.cell].do(f"DENY_ACL ADD_MAC {station.mac}")
            else:
                self.air.controls[station.cell].do(self._transition_request(station.mac, target))
            self.air.happenings.wait_for(
                self._began,
                lambda told: any(each.cell == target.interface and came(each, station.mac) for each in told),
                limit_s,
            )
            answers = [each.text for each in self.air.happenings.since(self._began) if each.word == "BSS-TM-RESP"]
            on = [each.cell for each in self.air.stations() if each.mac == station.mac and each.authorized]
            return {
                "station": station.mac, "hard": hard, "from": station.cell, "to": target.interface, "answers": answers,
                "roamed": target.interface in on, "stations_before": before, **self.air.read(),
            }  # fmt: skip

    def restore(self) -> dict[str, Any]:
        """As the bench file says, whatever was done: on the air, its security and key, its channel, nobody refused.

        Raises:
            DeviceClamped: something else reads back.
        """
        with self._acting:
            self._begin()
            for control in self.air.controls.values():
                control.do("DENY_ACL CLEAR")
                control.do("SET broadcast_deauth 1")
            if self._changed:
                self.air.disable()
                self.air.set(self._network)
            self.air.enable()
            self.air.require_security(self._network.security)
            read = self.air.read()
            for cell in self._network.cells:
                wanted, found = frequency_mhz(self._network.channel_of(cell)), read["cells"][cell.interface]["mhz"]
                if found != wanted:
                    raise self.air.clamped(f"{cell.interface} is on {found} MHz, not {wanted}")
            self._changed.clear()
            return read

    def take_over(self) -> dict[str, Any]:
        """As the bench file says, even if it looks so already, for a key cannot be read: a hostapd of somebody else."""
        with self._acting:
            self._changed.add("key")
            return self.restore()

    def close(self) -> None:
        """Let go of hostapd; what was set stays set."""
        self.air.close()

    def _begin(self) -> list[str]:
        """The stations before an action, which counts its events from here."""
        self._began = self.air.happenings.now()
        with contextlib.suppress(BenchTrouble):
            return self.air.connected()
        return []

    def _radio_of(self, mac: str | None) -> str:
        """The interface of the radio that a station is on; of the first radio where it is on none."""
        cells = [station.cell for station in self.air.stations() if station.authorized and mac in (None, station.mac)]
        radios = [[cell.interface for cell in radio] for radio in self._network.radios]
        return next((radio[0] for radio in radios if set(radio) & set(cells)), radios[0][0])

    def _one(self, mac: str | None) -> Station:
        here = [station for station in self.air.stations() if station.authorized and mac in (None, station.mac)]
        if len(here) != 1:
            there = ", ".join(station.mac for station in here) or "nobody"
            raise BenchTrouble(f"access point {self._name}", f"on it is {there}", "one station, or name one")
        return here[0]

    def _transition_request(self, mac: str, target: Cell) -> str:
        channel = self._network.channel_of(target)
        bssid = self.air.cell(target.interface)["bssid"]
        neighbor = f"{bssid},0x0000,{operating_class(channel)},{channel},{_HT_PHY},{_PREFERRED}"
        return f"BSS_TM_REQ {mac} {_MUST_GO} neighbor={neighbor}"
