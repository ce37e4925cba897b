"""The wrong access point name (APN): the modem has service, and no way into the network that it wants.

Done where the terminal's own modem takes AT commands (3GPP TS 27.007: ``+CGDCONT``, ``+CGATT``, ``+CGACT``). A modem
refuses to change what is active on some networks, so it leaves the packet network first and comes back with the name.
"""

from __future__ import annotations

import time
from typing import Any, Protocol, runtime_checkable

from rig.bearers.failures.failure import Hits, Site
from rig.errors import BenchTrouble, CallerMistake

_CONTEXT = 1
_ACTIVE_LIMIT_S = 30.0
_POLL_S = 0.1


@runtime_checkable
class ApnModem(Protocol):
    """A modem whose APN can be set: :class:`rig.instruments.modem.Modem`. Raises BenchTrouble where it refuses."""

    def apn(self, context: int = 1) -> str | None:
        """The name of a context."""
        ...

    def set_apn(self, apn: str, context: int = 1) -> None:
        """From the next attach on; read back."""
        ...

    def attach(self, attached: bool) -> None:
        """Leave the packet network, or come back to it."""
        ...

    def active_contexts(self) -> list[int]:
        """Those that carry packets."""
        ...


class WrongApn:
    """The operator does not know the name, or it is another customer's: no context comes up.

    The terminal sees: signal and service as ever, no address and no connection: usually told as "no data".

    Args:
        apn: the wrong name.
    """

    sees = "there is signal and service, and no data connection: the network does not know its APN"

    def __init__(self, apn: str = "wrong.invalid") -> None:
        if not apn or not apn.replace("-", "").replace(".", "").isalnum():
            raise CallerMistake("wrong-apn", f"apn is {apn!r}", "letters, digits, hyphens and dots (3GPP TS 23.003, 9)")
        self._apn = apn
        self._modem: ApnModem | None = None
        self._before = ""

    def start(self, site: Site) -> dict[str, Any]:
        """Set it, and attach anew.

        Raises:
            BenchTrouble: no modem of the terminal's own takes AT commands, or it refuses, or the context is up all the
                same, as on networks that overrule names.
        """
        modem = site.own_modem()
        self._before = modem.apn(_CONTEXT) or ""
        self._modem = modem
        _use(modem, self._apn)
        active = modem.active_contexts()
        if _CONTEXT in active:
            raise BenchTrouble(f"bearer {site.bearer}", f"has data by APN {self._apn!r}", "the network overrules names")
        return {"apn": modem.apn(_CONTEXT), "active_contexts": active}

    def hits(self) -> Hits:
        """Whether there still is no context."""
        if self._modem is None:
            return Hits(0)
        active = self._modem.active_contexts()
        return Hits(int(_CONTEXT not in active), {"apn": self._modem.apn(_CONTEXT), "active_contexts": active})

    def stop(self) -> None:
        """The name as before; waits until its context is up.

        Raises:
            BenchTrouble: it does not come up.
        """
        modem = self._modem
        if modem is None:
            return
        _use(modem, self._before)
        self._modem = None
        deadline = time.monotonic() + _ACTIVE_LIMIT_S
        while _CONTEXT not in modem.active_contexts():
            if time.monotonic() > deadline:
                raise BenchTrouble("modem", f"has no data by APN {self._before!r} again", "see rig doctor")
            time.sleep(_POLL_S)


def _use(modem: ApnModem, apn: str) -> None:
    try:
        modem.attach(False)
        modem.set_apn(apn, _CONTEXT)
    finally:
        modem.attach(True)
