"""The packet data contexts of a simulated modem: defined, active, and refused where the network knows no such APN.

Source: 3GPP TS 27.007, 10.1.1 (+CGDCONT), 10.1.10 (+CGACT), 10.1.14 (+CGPADDR), 9.2.2.2 (errors: 127, missing or
unknown APN; 3GPP TS 24.008, cause 27).
"""

from __future__ import annotations

import re

_DEFAULT = 1
_CONTEXTS = range(1, 4)
_UNKNOWN_APN = "+CME ERROR: 127"
_INVALID_INDEX = "+CME ERROR: 21"
_DEFINITION = re.compile(r'(\d+)(?:,"(IP|IPV6|IPV4V6)"(?:,"([^"]*)"(?:,.*)?)?)?', re.IGNORECASE)


class Contexts:
    """Definitions and states; the first context is the one that packets of the terminal go by.

    A definition counts from the next activation on, as on real modems: what is active stays as it is.
    """

    def __init__(self, apn: str) -> None:
        self._network_apn = apn
        self._defined: dict[int, tuple[str, str]] = {_DEFAULT: ("IP", apn)}
        self._active: set[int] = set()

    @property
    def carries(self) -> bool:
        """Whether the terminal's packets have a way."""
        return _DEFAULT in self._active

    def attached(self) -> None:
        """Service was found: the default context is activated with it, unless its APN is wrong."""
        self.activate([_DEFAULT])

    def lost(self) -> None:
        """Service was lost, and every context with it."""
        self._active.clear()

    def define(self, parameters: str) -> list[str]:
        """The answer to ``AT+CGDCONT=…``: type and APN of a context, or nothing to forget it."""
        match = _DEFINITION.fullmatch(parameters)
        if not match:
            return ["ERROR"]
        number = int(match[1])
        if number not in _CONTEXTS:
            return [_INVALID_INDEX]
        if match[2] is None:
            if number in self._active:
                return ["+CME ERROR: 3"]
            self._defined.pop(number, None)
        else:
            self._defined[number] = (match[2].upper(), match[3] or "")
        return ["OK"]

    def definitions(self) -> list[str]:
        """The answer to ``AT+CGDCONT?``."""
        return [*(f'+CGDCONT: {n},"{kind}","{apn}","",0,0' for n, (kind, apn) in sorted(self._defined.items())), "OK"]

    def states(self) -> list[str]:
        """The answer to ``AT+CGACT?``."""
        return [*(f"+CGACT: {number},{int(number in self._active)}" for number in sorted(self._defined)), "OK"]

    def activate(self, numbers: list[int]) -> list[str]:
        """The answer to ``AT+CGACT=1,…`` with service."""
        for number in numbers or sorted(self._defined):
            if number not in self._defined:
                return [_INVALID_INDEX]
            if number not in self._active and self._defined[number][1].lower() != self._network_apn.lower():
                return [_UNKNOWN_APN]
            self._active.add(number)
        return ["OK"]

    def deactivate(self, numbers: list[int]) -> list[str]:
        """The answer to ``AT+CGACT=0,…``."""
        self._active -= set(numbers or self._active)
        return ["OK"]

    def addresses(self, numbers: list[int]) -> list[str]:
        """The answer to ``AT+CGPADDR``."""
        wanted = [number for number in numbers or sorted(self._defined) if number in self._defined]
        return [*(f"+CGPADDR: {n}" + (f',"10.64.2.{n + 1}"' if n in self._active else "") for n in wanted), "OK"]


def numbers_in(text: str | None) -> list[int]:
    """The contexts that a command names, ``1,2`` or ``,1,2``; none for all of them."""
    return [int(each) for each in (text or "").split(",") if each]
