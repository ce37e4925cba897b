"""Offline data authentication as a terminal does it: which method, which keys, and what a failure sets in the TVR.

Source: EMV Book 2, chapters 5 and 6; EMV Book 3, 10.3 and 7.5. The mathematics are :mod:`rig.wire.oda`'s.

A terminal calls :func:`prepare` when it has read the records: SDA is then done, for DDA, CDA and fDDA the card's key
is recovered, and the signature is to be checked later.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path

from rig.virtual.terminal.emv.facts import Facts
from rig.virtual.terminal.emv.objects import Objects, track2
from rig.virtual.terminal.emv.tvr import NOTHING_WRONG, Tvr
from rig.wire.errors import WireError
from rig.wire.oda import (
    AuthenticationFailed,
    AuthorityKey,
    PublicKey,
    check_static,
    find_authority,
    parse_authorities,
    recover_card,
    recover_issuer,
)


class Method(StrEnum):
    """The methods."""

    SDA = "SDA"
    DDA = "DDA"
    CDA = "CDA"
    FDDA = "fDDA"


FAILED = {
    Method.SDA: Tvr.SDA_FAILED,
    Method.DDA: Tvr.DDA_FAILED,
    Method.CDA: Tvr.CDA_FAILED,
    Method.FDDA: Tvr.DDA_FAILED,
}
_ISSUER_TAGS = (0x8F, 0x90, 0x9F32)
_CARD_TAGS = (0x9F46, 0x9F47)
_ONLY_PROFILE = b"\x82"
_SDA, _DDA, _CDA = (0x40, 0x80), (0x20, 0x40), (0x01, 0x08)
"""Bits of AIP byte 1, and of 9F33 byte 3."""


@dataclass(frozen=True)
class Prepared:
    """How far authentication came: ``key`` is the card's, where a signature is still to be checked with it.

    ``method`` None: card and terminal have none in common. ``why`` says what failed, where something did.
    """

    method: Method | None
    key: PublicKey | None = None
    tvr: Tvr = NOTHING_WRONG
    why: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing has failed so far; without it nothing may go offline."""
        return self.method is not None and not self.why


def method_of(profile: bytes, facts: Facts, allowed: tuple[Method, ...] = tuple(Method)) -> Method | None:
    """The best method that the card (AIP, 82) and the terminal (9F33) have in common (Book 3, 10.3)."""
    able = bytes.fromhex(facts.capabilities)[2]
    for method, (card, terminal) in ((Method.CDA, _CDA), (Method.DDA, _DDA), (Method.SDA, _SDA)):
        if method in allowed and profile[0] & card and able & terminal:
            return method
    return None


def prepare(method: Method | None, objects: Objects, static: bytes, aid: bytes, facts: Facts, today: date) -> Prepared:
    """Check the static data, or recover the card's key.

    ``static`` is what the file locator says is authenticated, as ``read_records`` gives it.
    """
    if method is None:
        return Prepared(None, tvr=Tvr.ODA_NOT_PERFORMED)
    begun = Tvr.SDA_SELECTED if method is Method.SDA else NOTHING_WRONG
    missing = [tag for tag in _tags_of(method) if tag not in objects]
    if missing:
        why = f"tag {missing[0]:X} is missing"
        return Prepared(method, tvr=begun | FAILED[method] | Tvr.DATA_MISSING, why=why)
    try:
        return Prepared(method, _key(method, objects, static, aid, facts, today), begun)
    except AuthenticationFailed as failure:
        return Prepared(method, tvr=begun | FAILED[method], why=str(failure))


def static_data(objects: Objects, records: bytes) -> bytes:
    """The static data to be authenticated: the records', and the AIP where 9F4A names it (nothing else may be named).

    Raises AuthenticationFailed.
    """
    named = objects.get(0x9F4A)
    if named is None:
        return records
    if named != _ONLY_PROFILE:
        raise AuthenticationFailed("tag 9F4A names other data than the AIP")
    return records + objects[0x82]


def load_authorities(path: Path | None) -> tuple[AuthorityKey, ...]:
    """The keys in a ``card-authorities.json``; none where the file is not there.

    Raises:
        WireError: it cannot be read, or is damaged.
    """
    try:
        return parse_authorities(path.read_text(encoding="utf-8")) if path is not None else ()
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise WireError(f"{path}: {error}") from error


def _tags_of(method: Method) -> tuple[int, ...]:
    return (*_ISSUER_TAGS, 0x93) if method is Method.SDA else (*_ISSUER_TAGS, *_CARD_TAGS)


def _key(method: Method, objects: Objects, static: bytes, aid: bytes, facts: Facts, today: date) -> PublicKey | None:
    pan = track2(objects)[0]
    covered = static_data(objects, static)
    authority = find_authority(facts.authorities, aid, objects[0x8F][0], today)
    issuer = recover_issuer(authority, objects, pan, today)
    if method is Method.SDA:
        check_static(issuer, objects[0x93], covered)
        return None
    return recover_card(issuer, objects, covered, pan, today)
