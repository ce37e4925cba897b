"""An offline PIN: the card itself compares it (EMV Book 3, 6.5.12 and 10.5.1).

Plain text alone; the simulated cardholder knows one PIN and tries it once.
"""

from __future__ import annotations

from rig.virtual.terminal.emv import apdu
from rig.virtual.terminal.emv.card import Transceive
from rig.virtual.terminal.emv.objects import Malformed, unique
from rig.virtual.terminal.emv.tvr import Tvr
from rig.wire.errors import WireError

_TRY_COUNTER = 0x9F17
_NO_TRY_LEFT = frozenset({0x6983, 0x6984, 0x63C0})
_PLAIN_TEXT = 0x80


class OfflinePin:
    """``tvr`` is what went wrong."""

    def __init__(self, transceive: Transceive, pin: str) -> None:
        self._transceive = transceive
        self._pin = pin
        self.tvr = Tvr(0)

    def verify(self) -> bool:
        """Ask how many tries are left, then let the card compare; whether it was right.

        Raises:
            CardLost: it was pulled.
        """
        if self._tries_left() == 0:
            self.tvr |= Tvr.PIN_TRIES_EXCEEDED
            return False
        try:
            apdu.command(self._transceive, verify_command(self._pin))
        except apdu.StatusError as error:
            if error.status in _NO_TRY_LEFT:
                self.tvr |= Tvr.PIN_TRIES_EXCEEDED
            return False
        return True

    def _tries_left(self) -> int | None:
        """The card's PIN try counter; ``None`` where it does not tell."""
        try:
            found = unique(apdu.command(self._transceive, apdu.get_data(_TRY_COUNTER))).get(_TRY_COUNTER)
        except (apdu.StatusError, WireError, Malformed):
            return None
        return found[0] if found else None


def verify_command(pin: str) -> bytes:
    """VERIFY with a plain-text PIN block (Book 3, 6.5.12.2): 2, the length, the digits, F."""
    block = bytes.fromhex(f"2{len(pin):X}{pin}".ljust(16, "F"))
    return bytes([0x00, 0x20, 0x00, _PLAIN_TEXT, len(block)]) + block
