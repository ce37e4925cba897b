"""What a terminal finds before it selects an application: the payment system environments and the applications' FCI.

Contactless: PPSE, whose FCI lists the applications (EMV Contactless Book B, 3.3). Contact: PSE, whose directory file
with the SFI 1 does (EMV Book 1, 12.2); a card that a terminal asks by name alone answers the same (12.3).
"""

from __future__ import annotations

from collections.abc import Sequence

from rig.cards.application import Application
from rig.cards.emv.apdu import PPSE, PSE, CardError, CommandApdu, StatusWord
from rig.wire import tlv
from rig.wire.tlv import DolEntry

DIRECTORY_FILE = 1
LANGUAGES = b"en"
_RECORD_ROOM = 252  # what 70 may hold, so that the record fits one answer of 256 bytes


def select_ppse(applications: Sequence[Application]) -> bytes:
    """The answer to SELECT 2PAY.SYS.DDF01."""
    entries = b"".join(_entry(each, tlv.encode(0x9F2A, bytes([each.kernel]))) for each in applications)
    return tlv.encode(0x6F, tlv.encode(0x84, PPSE), tlv.encode(0xA5, tlv.encode(0xBF0C, entries)))


def select_pse() -> bytes:
    """The answer to SELECT 1PAY.SYS.DDF01: where the directory is, and the cardholder's language."""
    proprietary = tlv.encode(0xA5, tlv.encode(0x88, bytes([DIRECTORY_FILE])), tlv.encode(0x5F2D, LANGUAGES))
    return tlv.encode(0x6F, tlv.encode(0x84, PSE), proprietary)


def pse_records(applications: Sequence[Application]) -> list[bytes]:
    """The records of the directory file, as many applications in each as go in."""
    bodies = [b""]
    for entry in map(_entry, applications):
        if len(bodies[-1]) + len(entry) > _RECORD_ROOM:
            bodies.append(b"")
        bodies[-1] += entry
    return [tlv.encode(0x70, body) for body in bodies]


def select_application(application: Application, pdol: Sequence[DolEntry]) -> bytes:
    """The answer to SELECT of one application (EMV Book 1, table 45); without a PDOL there is no 9F38."""
    asked = tlv.encode(0x9F38, tlv.encode_dol(pdol)) if pdol else b""
    proprietary = tlv.encode(0xA5, _label(application), _priority(application), asked)
    return tlv.encode(0x6F, tlv.encode(0x84, bytes.fromhex(application.aid)), proprietary)


class Selector:
    """Finds applications by the first bytes of their name, one occurrence after the other (EMV Book 1, 12.3.1)."""

    def __init__(self, applications: Sequence[Application]) -> None:
        self._applications = applications
        self._at = -1

    def reset(self) -> None:
        """Nothing has been found yet."""
        self._at = -1

    def find(self, command: CommandApdu) -> Application:
        """The first application with this name (P2 00) or the next one (P2 02).

        Raises CardError: there is none, or the name is shorter than a registered provider's.
        """
        begin = self._at + 1 if command.p2 == 0x02 else 0
        for at, application in list(enumerate(self._applications))[begin:]:
            if len(command.data) >= 5 and bytes.fromhex(application.aid).startswith(command.data):
                self._at = at
                return application
        raise CardError(StatusWord.FILE_NOT_FOUND)


def _entry(application: Application, *more: bytes) -> bytes:
    return tlv.encode(
        0x61,
        tlv.encode(0x4F, bytes.fromhex(application.aid)),
        _label(application),
        _priority(application),
        *more,
    )


def _label(application: Application) -> bytes:
    return tlv.encode(0x50, application.label.encode())


def _priority(application: Application) -> bytes:
    return tlv.encode(0x87, bytes([application.priority]))
