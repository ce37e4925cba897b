"""The contactless entry point: which application of the card, which kernel, or another interface.

Source: EMV Contactless Book B, 3.1 (pre-processing), 3.3 (combination selection), 3.4 and 3.5 (kernel and outcome).
Of the limits of 3.1 each kernel has its own, in the facts of its scheme.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rig.virtual.terminal.emv import apdu, mastercard, unionpay, visa
from rig.virtual.terminal.emv.card import CardData, CardRefused, Purchase, Transceive
from rig.virtual.terminal.emv.facts import Facts
from rig.virtual.terminal.emv.kernel import Kernel, Note, Selected, SelectNext
from rig.virtual.terminal.emv.objects import Malformed, unique
from rig.virtual.terminal.emv.schemes import Scheme, scheme_of
from rig.wire.errors import WireError
from rig.wire.tlv import parse, walk

PPSE = b"2PAY.SYS.DDF01"
KERNELS: Mapping[int, Kernel] = {2: mastercard.run, 3: visa.run, 7: unionpay.run}

_LOWEST = 16
_DOMESTIC = 0x80


@dataclass(frozen=True)
class Candidate:
    """One application of the card that a kernel of this terminal can take; priority 1 is best."""

    aid: bytes
    scheme: Scheme
    priority: int


def read_card(transceive: Transceive, purchase: Purchase, facts: Mapping[str, Facts], note: Note) -> CardData:
    """Run one contactless purchase up to the card's cryptogram.

    Args:
        transceive: the activated card.
        purchase: what is to be paid.
        facts: what the terminal is for each scheme, by its name.
        note: takes development events: terminal_application, terminal_oda.

    Raises:
        CardLost: the data did not get complete, or a phone wants its owner first: present it again.
        CardRefused: no application will do, the card declined, or its data is wrong.
    """
    last: Exception | None = None
    for candidate in _within_limits(candidates(_directory(transceive)), purchase, facts):
        try:
            selected = _select(transceive, candidate, purchase, facts, note)
            return KERNELS[candidate.scheme.kernel](selected)
        except (SelectNext, apdu.StatusError) as refusal:
            note("terminal_application_refused", aid=candidate.aid.hex().upper(), why=str(refusal))
            last = refusal
    raise CardRefused(f"no application of the card will do: {last}", other_interface=True)


def candidates(directory: bytes) -> list[Candidate]:
    """What the card's directory offers and this terminal takes, best first; equals as the card lists them.

    ``directory`` is the answer to SELECT PPSE: 6F {84, A5 {BF0C {61 {4F, 50, 87, 9F2A}, …}}}.

    Raises:
        Malformed: it is none.
    """
    found = []
    try:
        outer = parse(directory)
        if [each.tag for each in outer] != [0x6F]:
            raise Malformed("the card's directory is not one template 6F")
        for entry in walk(outer[0].value):
            if entry.tag == 0x61 and (candidate := _candidate(unique(entry.value))) is not None:
                found.append(candidate)
    except WireError as error:
        raise Malformed(f"the card's directory is malformed: {error}") from error
    return sorted(found, key=lambda candidate: candidate.priority)


def _candidate(entry: Mapping[int, bytes]) -> Candidate | None:
    aid = entry.get(0x4F, b"")
    scheme = scheme_of(aid) if 5 <= len(aid) <= 16 else None
    if scheme is None or _kernel_asked(entry.get(0x9F2A, b""), scheme) != scheme.kernel:
        return None
    return Candidate(aid, scheme, (entry.get(0x87, b"\0")[:1] or b"\0")[0] & 0x0F or _LOWEST)


def _kernel_asked(identifier: bytes, scheme: Scheme) -> int | None:
    """The kernel that a directory entry wants (Book B, table 3-6); nothing, or zero, means the scheme's own."""
    if not identifier:
        return scheme.kernel
    if identifier[0] & _DOMESTIC:
        return None
    return identifier[0] & 0x3F or scheme.kernel


def _directory(transceive: Transceive) -> bytes:
    try:
        return apdu.command(transceive, apdu.select(PPSE))
    except apdu.StatusError as error:
        raise CardRefused(f"no contactless directory: {error}", other_interface=True) from error


def _within_limits(found: list[Candidate], purchase: Purchase, facts: Mapping[str, Facts]) -> list[Candidate]:
    """The candidates whose contactless transaction limit the amount is below.

    Raises:
        CardRefused: there are none; another interface may do.
    """
    if not found:
        raise CardRefused("no application in common", other_interface=True)
    allowed = [each for each in found if _below(purchase.amount, facts[each.scheme.name].limits.transaction)]
    if not allowed:
        raise CardRefused("the amount is above the contactless limit", other_interface=True)
    return allowed


def _below(amount: int, limit: int | None) -> bool:
    return limit is None or amount < limit


def _select(
    transceive: Transceive, candidate: Candidate, purchase: Purchase, facts: Mapping[str, Facts], note: Note
) -> Selected:
    """Final selection (3.3.3); the name that the card gives itself (84) counts, if it begins as it was asked for.

    Raises:
        SelectNext: the answer is no file control information of this application.
        StatusError: the card refused.
    """
    scheme = candidate.scheme
    try:
        outer = parse(apdu.command(transceive, apdu.select(candidate.aid)))
        if [each.tag for each in outer] != [0x6F]:
            raise SelectNext("the answer to SELECT is not one template 6F")
        control = unique(outer[0].value)
    except (WireError, Malformed) as error:
        raise SelectNext(f"the answer to SELECT is malformed: {error}") from error
    name = control.get(0x84, b"")
    if not (name.startswith(candidate.aid) and len(name) <= 16):
        raise SelectNext("the card selected another application")
    note("terminal_application", aid=name.hex().upper(), scheme=scheme.name, kernel=scheme.kernel)
    return Selected(transceive, scheme, name, control, purchase, facts[scheme.name], note)
