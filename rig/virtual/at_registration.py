"""A modem's words on its registration: ``+CREG`` (calls), ``+CGREG`` (packets of 2G and 3G), ``+CEREG`` (LTE).

Source: 3GPP TS 27.007, 7.2, 10.1.20 and 10.1.22. Where the modem is on LTE ``+CGREG`` has no status, and elsewhere
``+CEREG`` has none: the standard calls those technologies "not applicable" there.
"""

from __future__ import annotations

from rig.virtual.radio_model.radio import Radio

ACT = {"LTE": 7, "UTRAN": 2, "GSM": 0}
_AREA = {"LTE": "1A2B", "UTRAN": "2B3C", "GSM": "2B3C"}
_FIRST_CELL = {"LTE": "00C3D4E5", "UTRAN": "0B2CD4E5", "GSM": "D4E5"}

NOT_REGISTERED, HOME, SEARCHING = 0, 1, 2

Snapshot = dict[str, tuple[int, str, str]]
"""By command: status, cell, technology."""


class Registrations:
    """The commands, each with the mode of its unsolicited lines: 0 none, 1 the status, 2 area and cell, too.

    A modem without LTE does not know ``+CEREG``.
    """

    def __init__(self, radio: Radio) -> None:
        self._radio = radio
        self._told: Snapshot = {}
        self.modes = {"CREG": 0, "CGREG": 0, **({"CEREG": 0} if "LTE" in radio.settings.technologies else {})}

    @property
    def cell(self) -> str:
        """Identity of the cell where the modem is, as hexadecimal digits."""
        place = self._radio.place
        first = _FIRST_CELL[place.technology.name]
        return f"{int(first, 16) + place.cell:0{len(first)}X}"

    def answer(self, name: str, status: int) -> list[str]:
        """The answer to ``AT+name?``."""
        if name not in self.modes:
            return ["ERROR"]
        return [f"+{name}: {self.modes[name]},{self._words(name, self._snapshot(status))}", "OK"]

    def set_mode(self, name: str, mode: int) -> list[str]:
        """The answer to ``AT+name=mode``."""
        if name not in self.modes:
            return ["ERROR"]
        self.modes[name] = mode
        return ["OK"]

    def news(self, status: int) -> list[str]:
        """The unsolicited lines for what changed since this was asked last."""
        now, before = self._snapshot(status), self._told
        self._told = now
        return [
            f"+{name}: {self._words(name, now)}"
            for name, mode in self.modes.items()
            if mode and name in before and (now[name] != before[name] if mode == 2 else now[name][0] != before[name][0])
        ]

    def _snapshot(self, status: int) -> Snapshot:
        known = self._radio.settings.technologies
        technology = self._radio.place.technology.name
        here = status == HOME
        has = {
            "CREG": known != ("LTE",),  # without 2G and 3G there are no calls
            "CGREG": known != ("LTE",) and not (here and technology == "LTE"),
            "CEREG": not (here and technology != "LTE"),
        }
        cell = self.cell if here else ""
        return {name: (status, cell, technology) if has[name] else (NOT_REGISTERED, "", "") for name in self.modes}

    def _words(self, name: str, snapshot: Snapshot) -> str:
        status, cell, technology = snapshot[name]
        if status != HOME or self.modes[name] != 2:
            return str(status)
        return f'{status},"{_AREA[technology]}","{cell}",{ACT[technology]}'
