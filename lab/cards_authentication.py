"""Offline data authentication through any reader, with nothing but the published keys: the rig's checks, from outside.

The card's side is another process behind pcscd; what is known here is what a terminal's test profile is given.
"""

from __future__ import annotations

import datetime

from rig.cards.profile import Interface
from rig.cards.reading import Reader
from rig.cards.terminal_commands import ask, begin, command, read_records, select, terminal_objects
from rig.wire import tlv
from rig.wire.oda import (
    AuthenticationFailed,
    AuthorityKey,
    PublicKey,
    check_combined,
    check_dynamic,
    check_fast,
    check_static,
    find_authority,
    recover_card,
    recover_issuer,
    transaction_data,
)

SDA, DDA, CDA = 0x40, 0x20, 0x01
_ARQC_WITH_CDA = 0x90
_LAST_TEMPLATE_LESS = 10
"""Of the records of files 1 to 10 the content of template 70 alone is signed (EMV Book 3, 10.3)."""


def authenticate(reader: Reader, aid: str, authorities: tuple[AuthorityKey, ...], pan: str) -> str:
    """How an application proved to be sound: ``SDA``, ``DDA``, ``CDA``, ``fDDA``; empty where it offers nothing.

    Raises:
        AuthenticationFailed: it did not.
    """
    terminal = {**terminal_objects(), 0x9F66: bytes.fromhex("21004000")}  # fDDA for offline transactions too
    control = select(reader.transceive, bytes.fromhex(aid)) or b""
    begun = begin(reader.transceive, control, terminal)
    if begun is None:
        raise AuthenticationFailed("the card does not begin a transaction")
    records = dict(read_records(reader.transceive, begun.objects.get(0x94, b"")))
    tags = dict(begun.objects)
    for record in records.values():
        tags = {**tlv.as_mapping(record), **tags}
    offered = tags.get(0x82, b"\0\0")[0]
    if not offered & (SDA | DDA | CDA) or 0x8F not in tags:
        return ""
    static = _static_data(begun.objects.get(0x94, b""), records, tags)
    today = datetime.date.today()
    authority = find_authority(authorities, bytes.fromhex(aid), tags[0x8F][0], today)
    issuer = recover_issuer(authority, tags, pan, today)
    if not offered & (DDA | CDA):
        check_static(issuer, tags.get(0x93, b""), static)
        return "SDA"
    card = recover_card(issuer, tags, static, pan, today)
    if reader.interface is Interface.CONTACTLESS and 0x9F4B in tags:
        check_fast(card, tags[0x9F4B], {**terminal, **tags})
        return "fDDA"
    if offered & CDA:
        return _combined(reader, card, control, tags, terminal)
    return _dynamic(reader, card, tags, terminal)


def _combined(
    reader: Reader, card: PublicKey, control: bytes, tags: dict[int, bytes], terminal: dict[int, bytes]
) -> str:
    asked = tlv.fill_dol(tlv.parse_dol(tlv.find(control, 0x9F38) or b""), terminal)
    told = tlv.fill_dol(tlv.parse_dol(tags[0x8C]), terminal)
    answer = ask(reader.transceive, command(0x80, 0xAE, _ARQC_WITH_CDA, 0x00, told)) or b""
    signed = tlv.as_mapping(answer)
    data = transaction_data(asked, told, response=tlv.find(answer, 0x77) or b"")
    check_combined(card, signed.get(0x9F4B, b""), terminal[0x9F37], signed.get(0x9F27, b""), data)
    return "CDA"


def _dynamic(reader: Reader, card: PublicKey, tags: dict[int, bytes], terminal: dict[int, bytes]) -> str:
    told = tlv.fill_dol(tlv.parse_dol(tags.get(0x9F49, bytes.fromhex("9F3704"))), terminal)
    answer = ask(reader.transceive, command(0x00, 0x88, 0x00, 0x00, told)) or b""
    first = tlv.parse(answer)
    plain = bool(first) and first[0].tag == 0x80
    check_dynamic(card, first[0].value if plain else tlv.find(answer, 0x9F4B) or b"", told)
    return "DDA"


def _static_data(locator: bytes, records: dict[tuple[int, int], bytes], tags: dict[int, bytes]) -> bytes:
    """What is signed of the records (EMV Book 3, 10.3), then the AIP where 9F4A names it."""
    data = b""
    for at in range(0, len(locator) - 3, 4):
        file, first, _, signed = locator[at : at + 4]
        for number in range(first, first + signed):
            record = records[file >> 3, number]
            data += tlv.parse(record)[0].value if file >> 3 <= _LAST_TEMPLATE_LESS else record
    return data + (tags[0x82] if 0x9F4A in tags else b"")
