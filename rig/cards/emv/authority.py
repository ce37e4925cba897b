"""The bench's synthetic certification authorities, and what their cards show for offline data authentication.

The schemes' own keys for tests are not public, so a card here chains to an authority of the bench, one per scheme,
whose public key a terminal's test profile gets (`published`). Keys are made at first use: a card that always asks its
issuer costs none. Source of what is signed: EMV Book 2 chapters 5, 6 and 11.
"""

from __future__ import annotations

import datetime
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rig.cards.application import Application
from rig.cards.emv.private_keys import KeyStore, PrivateKey, locked
from rig.cards.files import write_json
from rig.cards.profile import CardProfile
from rig.errors import CallerMistake
from rig.wire.cryptogram import Scheme
from rig.wire.errors import WireError
from rig.wire.oda import (
    AuthorityKey,
    Combined,
    card_certificate,
    combined_message,
    dynamic_message,
    fast_message,
    issuer_certificate,
    parse_authorities,
    static_message,
)

FILE = "card-authorities.json"
INDEX = 0xBE
"""Of each authority's key: none that the schemes use for their own test keys, which a terminal may hold beside ours."""
RIDS: dict[Scheme, bytes] = {
    "visa": bytes.fromhex("A000000003"),
    "mastercard": bytes.fromhex("A000000004"),
    "unionpay": bytes.fromhex("A000000333"),
}
"""The registered application provider identifiers of the schemes (ISO/IEC 7816-5)."""
EXPONENTS: dict[Scheme, int] = {"visa": 3, "mastercard": 3, "unionpay": 65537}
"""Both of the exponents that EMV allows are met on a bench."""

_EXPIRY = datetime.date(2049, 12, 31)
_MONTH = _EXPIRY.strftime("%m%y")
"""Far from every card's own expiry, so that an expired card is not broken in two ways at once."""
_AUTHORITY_BITS, _ISSUER_BITS, _CARD_BITS = 1408, 1280, 1024  # every certificate fits a record and has a remainder
_CODE = b"\xda\xc0"  # 9F45, any two bytes of the issuer's choice


@dataclass(frozen=True)
class Credentials:
    """What one application shows for offline data authentication: data objects for its records, and signatures.

    `tags` is empty for an application without it; 93 is there for static, 9F46 and 9F47 for dynamic authentication;
    92 and 9F48 where a key did not fit its certificate.
    """

    tags: dict[int, bytes]
    key: PrivateKey | None = field(default=None, repr=False)
    corrupt: bool = False

    def sign_dynamic(self, ddol_data: bytes, number: bytes = b"") -> bytes:
        """9F4B for INTERNAL AUTHENTICATE (DDA); `number` is 9F4C, 2 to 8 bytes, at random where none is given."""
        return self._sign(dynamic_message(number or secrets.token_bytes(8), ddol_data, self._length))

    def sign_fast(self, tags: Mapping[int, bytes], signed_format: int = 0x05) -> bytes:
        """9F4B of contactless Visa (fDDA), over 9F37, 9F02, 5F2A and 9F69 of `tags`; it holds 9F36.

        Raises WireError naming the tag that is missing.
        """
        return self._sign(fast_message(tags, self._length, signed_format))

    def sign_combined(
        self,
        unpredictable_number: bytes,
        information: bytes,
        cryptogram: bytes,
        data: bytes,
        number: bytes = b"",
    ) -> bytes:
        """9F4B for GENERATE AC (CDA).

        Args:
            unpredictable_number: 9F37 as the terminal sent it.
            information: 9F27.
            cryptogram: 9F26; it travels in the signature alone.
            data: what `rig.wire.oda.transaction_data` gives for the commands' data and the response.
            number: 9F4C, 2 to 8 bytes, at random where none is given.
        """
        combined = Combined(number or secrets.token_bytes(8), information, cryptogram)
        return self._sign(combined_message(combined, data, unpredictable_number, self._length))

    @property
    def _length(self) -> int:
        return self._signer.public.length

    @property
    def _signer(self) -> PrivateKey:
        if self.key is None:
            raise CallerMistake("card", "this application has no key of its own", "its authentication is none or sda")
        return self.key

    def _sign(self, message: bytes) -> bytes:
        signature = self._signer.sign(message)
        return _spoilt(signature) if self.corrupt else signature


class CardAuthority:
    """Everything with a private key behind the cards of one bench, by its state directory."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._keys = KeyStore(state)

    def credentials(self, profile: CardProfile, application: Application, static_data: bytes) -> Credentials:
        """What this application of this card shows; the behaviour's `signature` is carried out here.

        Args:
            profile: the card.
            application: one of its applications.
            static_data: the contents of the records that the AFL flags, then the values that 9F4A names.

        Raises:
            CallerMistake: a key file in the state directory is damaged.
        """
        if application.authentication == "none":
            return Credentials({})
        scheme, corrupt = application.scheme, profile.behaviour.signature == "corrupt"
        foreign = profile.behaviour.signature == "foreign-authority"
        issuer = self._key(f"issuer-{scheme}-{profile.bank}", _ISSUER_BITS, scheme)
        tags = self._issuer_tags(issuer, self._authority(scheme, foreign=foreign), profile.pan)
        if application.authentication == "sda":
            signed = issuer.sign(static_message(_CODE, static_data, issuer.public.length))
            return Credentials({**tags, 0x93: _spoilt(signed) if corrupt else signed})
        card = self._key(f"card-{scheme}-{profile.name}", _CARD_BITS, scheme)
        return Credentials({**tags, **_card_tags(card, issuer, profile.pan, static_data)}, card, corrupt)

    def publish(self) -> Path:
        """Write the authorities' public keys into ``card-authorities.json``; where it is, the keys made if need be."""
        text = {"authorities": [self._public(scheme).as_json() for scheme in RIDS]}
        path = self._state / FILE
        with locked(self._keys.folder):
            write_json(path, text)
        return path

    def _public(self, scheme: Scheme) -> AuthorityKey:
        return AuthorityKey(scheme, RIDS[scheme], INDEX, self._authority(scheme).public, _EXPIRY)

    def _authority(self, scheme: Scheme, *, foreign: bool = False) -> PrivateKey:
        return self._key(f"{'foreign' if foreign else 'authority'}-{scheme}", _AUTHORITY_BITS, scheme)

    def _key(self, name: str, bits: int, scheme: Scheme) -> PrivateKey:
        return self._keys.key(name, bits, EXPONENTS[scheme])

    @staticmethod
    def _issuer_tags(issuer: PrivateKey, authority: PrivateKey, pan: str) -> dict[int, bytes]:
        length = authority.public.length
        message, remainder = issuer_certificate(issuer.public, pan[:6], _MONTH, b"\x00\x00\x01", length)
        exponent = issuer.public.exponent_bytes
        tags = {0x8F: bytes([INDEX]), 0x90: authority.sign(message), 0x92: remainder, 0x9F32: exponent}
        return _without_empty(tags)


def authorities(state: Path) -> tuple[AuthorityKey, ...]:
    """The published authorities of a bench; its first use publishes them.

    Raises:
        CallerMistake: the file in the state directory is damaged.
    """
    path = state / FILE
    if not path.exists():
        CardAuthority(state).publish()
    try:
        return parse_authorities(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, WireError) as error:
        raise CallerMistake(str(path), str(error), "remove it; it is written anew at the next use") from error


def published(state: Path) -> list[dict[str, str]]:
    """The authorities as plain data: scheme, rid, index, modulus, exponent, expiry (YYMMDD), hash_algorithm and
    checksum, hexadecimal in upper case. Raises CallerMistake as `authorities` does."""
    return [each.as_json() for each in authorities(state)]


def _card_tags(card: PrivateKey, issuer: PrivateKey, pan: str, static_data: bytes) -> dict[int, bytes]:
    length = issuer.public.length
    message, remainder = card_certificate(card.public, pan, _MONTH, b"\x00\x00\x01", static_data, length)
    return _without_empty({0x9F46: issuer.sign(message), 0x9F47: card.public.exponent_bytes, 0x9F48: remainder})


def _without_empty(tags: dict[int, bytes]) -> dict[int, bytes]:
    return {tag: value for tag, value in tags.items() if value}


def _spoilt(signature: bytes) -> bytes:
    """The same length, and still smaller than the modulus, but no signature."""
    return signature[:-1] + bytes([signature[-1] ^ 0x01])
