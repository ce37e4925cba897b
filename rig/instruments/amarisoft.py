"""A call box's cell gain as an attenuator: Amarisoft's remote API over a websocket.

.. code-block:: yaml

    attenuators:
      callbox:
        dialect: amarisoft
        resource: ws://192.168.9.70:9001     # com_addr of lteenb
        settings: {cells: [1, 2], maximum_db: 120, password: …}

Channel 1 is the first of ``cells``, and so on; each is a cell id of the box. An attenuation of 20 dB is a gain of
−20 dB of the downlink: the terminal's own transmission is not attenuated, and no cable has to be opened. A cell that
was turned down so far is lost as one out of reach is.

Source: Amarisoft's lteenb documentation, chapter "Remote API" (``ready``, ``authenticate``, ``config_get``,
``cell_gain``: a gain of −200 to 0 dB), its tutorials https://tech-academy.amarisoft.com/RemoteAPI.html and
https://tech-academy.amarisoft.com/python_websocket_example.wiki; osmo-gsm-tester drives the same message as an
attenuator (https://gitea.osmocom.org/cellular-infrastructure/osmo-gsm-tester, ``rfemu_amarisoftctrl.py``). The gain
that is in force is read back from ``config_get``.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from rig.errors import BenchTrouble, CallerMistake, DeviceNonsense
from rig.instruments.attenuator import check_channel, check_setting, known_settings
from rig.instruments.json_socket import JsonSocket, Message
from rig.instruments.transcript import Observe, unobserved
from rig.units import Decibel

_LOWEST_GAIN_DB = -200.0
_STEP = Decibel(0.1)
"""The gain is a number that scales samples; a tenth of a dB is finer than any receiver tells."""
_CELLS = ("cells", "nb_cells", "nr_cells")
"""Where ``config_get`` tells the LTE, NB-IoT and NR cells, each by its id."""
_BASE_STATION = "ENB"
"""What lteenb says it is, for LTE and NR alike; the core network beside it says MME."""


class Amarisoft:
    """The cells of one call box; see :class:`rig.instruments.attenuator.Attenuator`.

    Args:
        line: the remote API of its base station.
        cells: the cell id of each channel.
        maximum: the largest attenuation to ask for.

    Raises:
        CallerMistake: a cell that the box does not have.
    """

    def __init__(self, line: JsonSocket, cells: tuple[int, ...], maximum: Decibel) -> None:
        self._line = line
        self._cells = cells
        self.channels = len(cells)
        self.maximum = maximum
        self.step = _STEP
        told = self._told("config_get")
        there = [cell for kind in _CELLS for cell in told.get(kind) or {}]
        if missing := [str(cell) for cell in cells if str(cell) not in there]:
            what, cure = (
                f"has no cell {', '.join(missing)}",
                f"it has {', '.join(there) or 'none'}; mend cells",
            )
            raise CallerMistake(line.name, what, cure)
        self.identity = f"Amarisoft {told.get('name', _BASE_STATION)} {told.get('version', '')}".strip()

    @staticmethod
    def check(settings: Mapping[str, Any]) -> None:
        """``cells``, ``maximum_db``, ``password``.

        Raises:
            CallerMistake: another setting, or a value out of its range.
        """
        known_settings(settings, {"cells", "maximum_db", "password"})
        cells = settings.get("cells")
        if not isinstance(cells, list) or not cells or not all(map(_is_cell, cells)) or len(set(cells)) < len(cells):
            raise CallerMistake("attenuator settings.cells", f"is {cells!r}", "write the cell ids, such as [1, 2]")
        most = settings.get("maximum_db", -_LOWEST_GAIN_DB)
        if isinstance(most, bool) or not isinstance(most, int | float) or not 0 < most <= -_LOWEST_GAIN_DB:
            raise CallerMistake("attenuator settings.maximum_db", f"is {most!r}", "write a number from 1 to 200")
        if not isinstance(settings.get("password", ""), str):
            raise CallerMistake("attenuator settings.password", "is no text", "write it in quotes")

    @classmethod
    def open(
        cls,
        address: str,
        *,
        name: str,
        lock_folder: Path,
        timeout_s: float = 1.0,
        observe: Observe = unobserved,
        settings: Mapping[str, Any] | None = None,
    ) -> Self:
        """Connect to the box's remote API, log in where it asks for it, and look for its cells."""
        wanted = settings or {}
        cls.check(wanted)

        def welcome(line: JsonSocket, first: Message) -> None:
            _be_welcome(line, first, wanted.get("password", ""))

        line = JsonSocket(
            address, name=name, lock_folder=lock_folder, welcome=welcome, timeout_s=timeout_s, observe=observe
        )
        try:
            return cls(line, tuple(wanted["cells"]), Decibel(wanted.get("maximum_db", -_LOWEST_GAIN_DB)))
        except BaseException:
            line.close()
            raise

    def set(self, channel: int, attenuation: Decibel) -> Decibel:
        """Attenuate a cell and return what it reads back; errors as ``Attenuator.set`` says."""
        check_setting(self, self._line.name, channel, attenuation)
        self._told("cell_gain", cell_id=self._cells[channel - 1], gain=0 - round(float(attenuation), 1))
        read_back = self.get(channel)
        if abs(read_back - attenuation) > self.step / 2:
            raise DeviceNonsense(
                self._line.name,
                f"lies: cell {self._cells[channel - 1]} confirmed {attenuation:g} dB and reads back {read_back:g} dB",
                "does something else set its gain? see its cell_gain on its screen",
            )
        return read_back

    def get(self, channel: int) -> Decibel:
        """What a cell reads back now."""
        check_channel(self, self._line.name, channel)
        cell = self._cells[channel - 1]
        told = self._told("config_get")
        gain = next((told[kind][str(cell)].get("gain") for kind in _CELLS if str(cell) in (told.get(kind) or {})), None)
        if isinstance(gain, bool) or not isinstance(gain, int | float) or not _LOWEST_GAIN_DB <= gain <= 0:
            raise DeviceNonsense(
                self._line.name, f"cell {cell} reads back a gain of {gain!r}", "is the cell up? see its screen"
            )
        return Decibel(abs(gain))

    def close(self) -> None:
        """Let go of the box; the gains stay."""
        self._line.close()

    def _told(self, message: str, **more: object) -> Message:
        answer = self._line.ask({"message": message, **more})
        if "error" in answer:
            what = f"refuses {message} {more or ''}".rstrip()
            raise BenchTrouble(self._line.name, f"{what}: {answer['error']}", "is the cell up? see its screen")
        return answer


def _is_cell(cell: object) -> bool:
    return isinstance(cell, int) and not isinstance(cell, bool) and cell >= 0


def _be_welcome(line: JsonSocket, first: Message, password: str) -> None:
    """Refuse another server than a base station's, and answer its challenge where it asks for a password."""
    if first.get("message") not in ("ready", "authenticate") or first.get("type") != _BASE_STATION:
        raise DeviceNonsense(
            line.name,
            f"greets as {first.get('type')!r} with {first.get('message')!r}",
            "write the port of lteenb (9001), not of the core network (9000)",
        )
    if first["message"] == "ready":
        return
    if not password:
        raise CallerMistake(line.name, "asks for a password", "write settings: {password: …}, its com_auth")
    key = f"{first['type']}:{password}:{first.get('name')}"
    answer = hmac.new(key.encode(), str(first.get("challenge")).encode(), hashlib.sha256).hexdigest()
    if not line.ask({"message": "authenticate", "res": answer}).get("ready"):
        raise CallerMistake(line.name, "refuses the password", "mend settings.password, its com_auth")
