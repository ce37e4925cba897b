"""Which application of a contact card: by its directory (PSE), or by asking for each that the terminal knows.

Source: EMV Book 1, chapter 12. Of several the card's priority decides; nobody is asked to confirm.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rig.virtual.terminal.emv import apdu
from rig.virtual.terminal.emv.card import CardRefused, Transceive
from rig.virtual.terminal.emv.entry import Candidate
from rig.virtual.terminal.emv.objects import Malformed, strict, unique
from rig.virtual.terminal.emv.schemes import SCHEMES, Scheme, scheme_of
from rig.wire.errors import WireError
from rig.wire.tlv import parse, walk

PSE = b"1PAY.SYS.DDF01"

_BLOCKED, _NOT_SUPPORTED, _NO_RECORD = 0x6283, 0x6A81, 0x6A83
_NEXT_OCCURRENCE = 2
_LOWEST = 16
_MOST_RECORDS = 16
_MOST_OCCURRENCES = 8


class ChipFailed(Exception):
    """A technical failure: the chip does not do what every EMV card does. Its stripe may be used instead."""


def candidates(transceive: Transceive) -> list[Candidate]:
    """What card and terminal have in common, best first; equals in the card's order. There may be none.

    Raises:
        CardLost: it was pulled.
        CardRefused: the card, or all that there is of it, is blocked.
    """
    found = list(_by_directory(transceive)) or list(_by_name(transceive))
    return sorted(found, key=lambda candidate: candidate.priority)


def select(transceive: Transceive, candidate: Candidate) -> dict[int, bytes]:
    """Final selection: the file control information.

    Raises:
        CardLost: it was pulled.
        ChipFailed: the card refuses, or answers what is none.
        CardRefused: the application is blocked.
    """
    try:
        control = strict(apdu.command(transceive, apdu.select(candidate.aid)), 0x6F)
    except apdu.StatusError as error:
        _refuse_blocked(error)
        raise ChipFailed(str(error)) from error
    except Malformed as error:
        raise ChipFailed(str(error)) from error
    if not control.get(0x84, b"").startswith(candidate.aid):
        raise ChipFailed("the card selected another application")
    return control


def _by_directory(transceive: Transceive) -> Iterator[Candidate]:
    """What the PSE lists (12.3.2); nothing where there is no sound one."""
    try:
        control = strict(apdu.command(transceive, apdu.select(PSE)), 0x6F)
        file = control.get(0x88, b"\0")[0]
    except apdu.StatusError as error:
        if error.status == _NOT_SUPPORTED:
            raise CardRefused("the card is blocked") from error
        return
    except (Malformed, IndexError):
        return
    for record in _records(transceive, file) if 1 <= file <= 10 else ():
        for entry in walk(record):
            if entry.tag == 0x61 and (candidate := _entry(unique(entry.value))):
                yield candidate


def _records(transceive: Transceive, file: int) -> list[bytes]:
    """The directory file's records; none at all where one is unsound."""
    found: list[bytes] = []
    try:
        for number in range(1, _MOST_RECORDS + 1):
            record = apdu.command(transceive, apdu.read_record(file, number))
            if [each.tag for each in parse(record)] != [0x70]:
                return []
            for entry in walk(record):
                if entry.tag == 0x61:
                    unique(entry.value)
            found.append(record)
    except apdu.StatusError as error:
        return found if error.status == _NO_RECORD else []
    except (WireError, Malformed):
        return []
    return found


def _entry(objects: Mapping[int, bytes]) -> Candidate | None:
    aid = objects.get(0x4F, b"")
    scheme = scheme_of(aid) if 5 <= len(aid) <= 16 else None
    return Candidate(aid, scheme, _priority(objects)) if scheme else None


def _by_name(transceive: Transceive) -> Iterator[Candidate]:
    """Ask for each application that the terminal knows, and for the next of the same name (12.3.3)."""
    for scheme in SCHEMES:
        yield from _named(transceive, scheme)


def _named(transceive: Transceive, scheme: Scheme) -> Iterator[Candidate]:
    occurrence = 0
    for _ in range(_MOST_OCCURRENCES):
        try:
            control = strict(apdu.command(transceive, apdu.select(scheme.aid, occurrence)), 0x6F)
        except apdu.StatusError as error:
            if error.status == _NOT_SUPPORTED and not occurrence:
                raise CardRefused("the card is blocked") from error
            if error.status != _BLOCKED:
                return
        except Malformed:
            return
        else:
            name = control.get(0x84, b"")
            if scheme_of(name) is scheme:
                yield Candidate(name, scheme, _priority(control))
            if name == scheme.aid:
                return
        occurrence = _NEXT_OCCURRENCE


def _priority(objects: Mapping[int, bytes]) -> int:
    return (objects.get(0x87, b"\0")[:1] or b"\0")[0] & 0x0F or _LOWEST


def _refuse_blocked(error: apdu.StatusError) -> None:
    if error.status in (_BLOCKED, _NOT_SUPPORTED):
        raise CardRefused("the card or its application is blocked") from error
