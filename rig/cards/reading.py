"""What lies on a reader: which card it is, by what a terminal would read of it first.

Contactless: PPSE, SELECT AID, GET PROCESSING OPTIONS, records until the number is known. Contact: the same with PSE
(EMV Book 1, 12; Book 3, 10), or, for a card without one, by the names of the applications. Nothing asks for a
cryptogram; but Visa's and UnionPay's contactless applications compute theirs with GET PROCESSING OPTIONS, before they
tell their number: reading such a card counts its ATC up by one, and so does every contact card that counts there.
`Identification.counted` says that it did.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from rig.cards.profile import CardProfile, Interface
from rig.cards.terminal_commands import Listed, begin, get_data, list_applications, read_records, select
from rig.history import Redactor
from rig.wire import tlv
from rig.wire.errors import WireError

PAN, TRACK_2, TRACK_2_MAGNETIC = 0x5A, 0x57, 0x9F6B
SEQUENCE, EXPIRY, ATC, CRYPTOGRAM = 0x5F34, 0x5F24, 0x9F36, 0x9F26


class Reader(Protocol):
    """A card reader with a card on it, or in it."""

    @property
    def interface(self) -> Interface:
        """Contact, or contactless."""

    @property
    def uid(self) -> bytes | None:
        """The card's UID where the reader tells it."""

    @property
    def atr(self) -> bytes | None:
        """The answer to reset, or what PC/SC makes of a contactless card; None where there is none."""

    def transceive(self, apdu: bytes) -> bytes:
        """One command and its response, data and status word.

        Raises:
            BenchTrouble: the card does not answer, or the reader is gone.
        """


@dataclass(frozen=True)
class Identification:
    """A card as far as it may be told: its number is masked, and has the bench's token.

    Attributes:
        interface: how it was read.
        uid, atr: as the reader tells them.
        applications: what it offers, the best first.
        aid: of the application that was read, upper-case hex; None when the card has none that can be read.
        masked, token, psn, expiry: of the number; None when it could not be read. `expiry` is YYMM.
        atc: the counter after reading, where the card tells it.
        counted: reading made the card compute a cryptogram.
        test_card: the number lies in the bench's test ranges.
    """

    interface: Interface
    uid: bytes | None
    atr: bytes | None
    applications: tuple[Listed, ...]
    aid: str | None = None
    masked: str | None = None
    token: str | None = None
    psn: str | None = None
    expiry: str | None = None
    atc: int | None = None
    counted: bool = False
    test_card: bool = False

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return {
            **self.__dict__,
            "interface": str(self.interface),
            "uid": self.uid.hex().upper() if self.uid is not None else None,
            "atr": self.atr.hex().upper() if self.atr is not None else None,
            "applications": [each.to_dict() for each in self.applications],
        }


def identify_card(reader: Reader, redactor: Redactor) -> Identification:
    """Which card it is.

    A card that refuses, or talks nonsense, is told as far as it was understood.

    Raises:
        BenchTrouble: the card left, or the reader is gone.
    """
    applications = tuple(list_applications(reader.transceive, reader.interface))
    for listed in applications:
        found: dict[int, bytes] = {}
        for part in _parts(reader, listed):
            found = {**part, **found}
            if EXPIRY in found and (PAN in found or TRACK_2 in found):
                break
        if found:
            return _told(reader, redactor, applications, listed, found)
    return Identification(reader.interface, reader.uid, reader.atr, applications)


def _parts(reader: Reader, listed: Listed) -> Iterator[dict[int, bytes]]:
    """What the application tells, command by command; ends where it does not go on."""
    control = select(reader.transceive, listed.aid_bytes)
    if control is None:
        return
    begun = begin(reader.transceive, control)
    if begun is not None:
        yield begun.objects
        for _, record in read_records(reader.transceive, begun.objects.get(0x94, b"")):
            try:
                yield tlv.as_mapping(record)
            except WireError:
                return


def _told(
    reader: Reader, redactor: Redactor, applications: tuple[Listed, ...], listed: Listed, found: dict[int, bytes]
) -> Identification:
    pan = _number(found)
    counter = found.get(ATC) or get_data(reader.transceive, ATC)
    sequence = found.get(SEQUENCE)
    return Identification(
        reader.interface, reader.uid, reader.atr, applications, listed.aid,
        masked=redactor.mask(pan) if pan else None,
        token=redactor.token(pan) if pan else None,
        psn=sequence.hex() if sequence is not None else None,
        expiry=_expiry(found),
        atc=int.from_bytes(counter, "big") if counter else None,
        counted=CRYPTOGRAM in found,
        test_card=pan is not None and redactor.allows(pan),
    )  # fmt: skip


def _number(found: dict[int, bytes]) -> str | None:
    if PAN in found:
        digits = found[PAN].hex().upper().rstrip("F")
    else:
        digits = found.get(TRACK_2, found.get(TRACK_2_MAGNETIC, b"")).hex().upper().partition("D")[0]
    return digits if digits.isdigit() else None


def _expiry(found: dict[int, bytes]) -> str | None:
    if EXPIRY in found:
        return found[EXPIRY].hex()[:4]
    behind = found.get(TRACK_2, b"").hex().upper().partition("D")[2]
    return behind[:4] or None


def compare(found: Identification, profile: CardProfile, redactor: Redactor) -> list[str]:
    """In what a card differs from the profile that it should be; empty when it is that card. No line holds a number."""
    if found.token is None:
        return [f"no number could be read; {profile.name} is {redactor.mask(profile.pan)}"]
    pairs = {
        "number": (found.masked, redactor.mask(profile.pan), found.token == redactor.token(profile.pan)),
        "expiry": (found.expiry, profile.expiry, found.expiry in (None, profile.expiry)),
        "sequence number": (found.psn, profile.psn, found.psn in (None, profile.psn)),
    }
    told = [f"{what}: {seen}, not {wanted}" for what, (seen, wanted, same) in pairs.items() if not same]
    listed, ours = {each.aid for each in found.applications}, {each.aid for each in profile.applications}
    told += [f"application {aid}: missing" for aid in sorted(ours - listed)]
    told += [f"application {aid}: not in the profile" for aid in sorted(listed - ours)]
    return told
