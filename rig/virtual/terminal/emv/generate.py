"""GET PROCESSING OPTIONS and GENERATE AC as kernel 2 and every contact card have them (EMV Book 3, 6.5.5 and 6.5.8).

The second command may be signed together with its cryptogram (CDA, EMV Book 2, 6.6).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from rig.virtual.terminal.emv import apdu
from rig.virtual.terminal.emv.actions import Cryptogram, kind_of
from rig.virtual.terminal.emv.card import Transceive
from rig.virtual.terminal.emv.objects import Malformed, need, unique
from rig.wire.errors import WireError
from rig.wire.oda import AuthenticationFailed, PublicKey, check_combined, transaction_data
from rig.wire.tlv import parse

_WITH_SIGNATURE = 0x10
_RANK = {Cryptogram.AAC: 0, Cryptogram.ARQC: 1, Cryptogram.TC: 2}
_BARE, _TEMPLATE = 0x80, 0x77


@dataclass(frozen=True)
class Generated:
    """A card's cryptogram: its kind, and what the card said with it (9F26, 9F27, 9F36, 9F10 …).

    ``why`` says what is wrong with its signature; then there is no 9F26 to be trusted.
    """

    kind: Cryptogram
    objects: dict[int, bytes] = field(repr=False)
    why: str = ""


def processing_options(transceive: Transceive, data: bytes) -> dict[int, bytes]:
    """GET PROCESSING OPTIONS with the filled PDOL: AIP (82) and AFL (94), in either format, and what else is there.

    Raises:
        CardLost, Malformed, StatusError.
    """
    template, value = _answer(apdu.command(transceive, apdu.get_processing_options(data)))
    found = {0x82: value[:2], 0x94: value[2:]} if template == _BARE else _objects(value)
    need(found, 0x82, 0x94)
    return found


def generate(
    transceive: Transceive,
    asked: Cryptogram,
    data: bytes,
    number: bytes,
    before: bytes = b"",
    key: PublicKey | None = None,
) -> Generated:
    """GENERATE AC.

    Args:
        transceive: the card.
        asked: the cryptogram that the terminal wants; the card may give a lower one.
        data: the values for its CDOL.
        number: 9F37 among them.
        before: the values sent for the PDOL, and for the second cryptogram those of CDOL1 too.
        key: the card's, where the cryptogram is to be signed (CDA).

    Raises:
        CardLost, Malformed, StatusError.
    """
    signed = key is not None and asked is not Cryptogram.AAC
    control = asked | (_WITH_SIGNATURE if signed else 0)
    template, value = _answer(apdu.command(transceive, apdu.generate_ac(control, data)))
    found = _bare(value) if template == _BARE else _objects(value)
    need(found, 0x9F27, 0x9F36)
    kind = kind_of(found[0x9F27])
    if kind is None or len(found[0x9F27]) != 1 or _RANK[kind] > _RANK[asked]:
        raise Malformed(f"the card gave {kind.name if kind else 'none'} where {asked.name} was asked for")
    if key is None or kind is Cryptogram.AAC or not signed:
        need(found, 0x9F26)
        return Generated(kind, found)
    try:
        need(found, 0x9F4B)
        covered = transaction_data(before, data, response=value)
        combined = check_combined(key, found[0x9F4B], number, found[0x9F27], covered)
    except (AuthenticationFailed, Malformed) as failure:
        return Generated(kind, {tag: each for tag, each in found.items() if tag != 0x9F26}, str(failure))
    return Generated(kind, found | {0x9F26: combined.cryptogram, 0x9F4C: combined.number})


def _answer(data: bytes) -> tuple[int, bytes]:
    """Format 1 (80) or format 2 (77), and its value."""
    try:
        outer = parse(data)
    except WireError as error:
        raise Malformed(f"the answer to a command is malformed: {error}") from error
    if len(outer) != 1 or outer[0].tag not in (_BARE, _TEMPLATE):
        raise Malformed("the answer is neither a template 77 nor an object 80")
    return outer[0].tag, outer[0].value


def _objects(value: bytes) -> dict[int, bytes]:
    try:
        return unique(value)
    except WireError as error:
        raise Malformed(f"the answer to a command is malformed: {error}") from error


def _bare(value: bytes) -> dict[int, bytes]:
    """9F27, 9F36, 9F26 and 9F10 without tags."""
    if not 11 <= len(value) <= 43:
        raise Malformed(f"a cryptogram of {len(value)} bytes without tags")
    found = {0x9F27: value[:1], 0x9F36: value[1:3], 0x9F26: value[3:11]}
    return found | ({0x9F10: value[11:]} if value[11:] else {})
