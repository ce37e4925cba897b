"""The terminal's side of the air: wpa_supplicant on a radio of the terminal's own, as a real terminal has one inside.

.. code-block:: json

    {"ssid": "bench", "security": "wpa2", "passphrase": "…", "country": "DE", "mhz": [2412, 2462], "joins_open": false}

``mhz``: where it looks for its network; everywhere where left out. ``joins_open``: it takes a network of that name
without a key, too. It is part of what the relay board powers: started with the terminal, killed with it.

Source of the keys: wpa_supplicant's ``wpa_supplicant.conf`` example
(https://w1.fi/cgit/hostap/plain/wpa_supplicant/wpa_supplicant.conf).
"""

from __future__ import annotations

import ctypes
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rig.errors import CallerMistake, DeviceGone

_PR_SET_PDEATHSIG = 1
_PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"
_KNOWN = {"ssid", "security", "passphrase", "country", "mhz", "joins_open"}
_libc = ctypes.CDLL(None, use_errno=True)

Note = Callable[..., object]


class Supplicant:
    """wpa_supplicant for one interface. Not thread-safe: its relay board asks one thing at a time.

    Args:
        interface: the terminal's radio.
        settings: as above.
        folder: where its configuration, its control socket and its log go.
        note: gets ``supplicant_started`` and ``supplicant_killed``.

    Raises:
        CallerMistake: a setting that it does not know.
        DeviceGone: wpa_supplicant is not installed.
    """

    def __init__(self, interface: str, settings: Mapping[str, Any], folder: Path, note: Note) -> None:
        found = shutil.which("wpa_supplicant", path=_PATH)
        if found is None:
            raise DeviceGone("terminal's Wi-Fi", "wpa_supplicant is not installed", "apt install wpasupplicant")
        self._note = note
        self._interface = interface
        self._config = folder / f"supplicant-{interface}.conf"
        self._log = folder / f"supplicant-{interface}.log"
        self.sockets = folder / "supplicant"
        self._config.touch(mode=0o600)
        self._config.write_text(supplicant_config(settings, self.sockets))
        self._command = [found, "-D", "nl80211", "-i", interface, "-c", str(self._config)]
        self._process: subprocess.Popen[bytes] | None = None

    def power_on(self) -> None:
        """Start it; it looks for its network by itself."""
        if self._process is None:
            with self._log.open("ab") as log:
                self._process = subprocess.Popen(
                    self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=_die_with_parent
                )
            self._note("supplicant_started", interface=self._interface, pid=self._process.pid)

    def power_off(self) -> None:
        """End it without a word."""
        if self._process is not None:
            process, self._process = self._process, None
            process.kill()
            process.wait()
            self._note("supplicant_killed", interface=self._interface, pid=process.pid)


def supplicant_config(settings: Mapping[str, Any], sockets: Path) -> str:
    """The configuration file.

    Raises:
        CallerMistake: a setting that it does not know, or a security.
    """
    if unknown := settings.keys() - _KNOWN:
        raise CallerMistake("terminal's Wi-Fi", f"unknown settings {', '.join(sorted(unknown))}", "see supplicant.py")
    lines = [f"ctrl_interface={sockets}", f"country={settings['country']}", "sae_pwe=2"]
    lines += _network(settings, settings["security"], priority=1)
    if settings.get("joins_open") and settings["security"] != "open":
        lines += _network(settings, "open", priority=0)
    return "\n".join(lines) + "\n"


def _network(settings: Mapping[str, Any], security: str, priority: int) -> list[str]:
    key = f'psk="{settings.get("passphrase", "")}"'
    secured = {
        "open": ["key_mgmt=NONE"],
        "wpa2": ["key_mgmt=WPA-PSK", "proto=RSN", key],
        "wpa3": ["key_mgmt=SAE", "proto=RSN", "ieee80211w=2", key],
    }
    if security not in secured:
        raise CallerMistake("terminal's Wi-Fi", f"no security {security!r}", f"use {', '.join(secured)}")
    where = " ".join(str(mhz) for mhz in settings.get("mhz", ()))
    return [
        "network={",
        f"  ssid={settings['ssid'].encode().hex()}",
        f"  priority={priority}",
        *(f"  {line}" for line in secured[security]),
        *([f"  scan_freq={where}", f"  freq_list={where}"] if where else []),
        "}",
    ]


def _die_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
