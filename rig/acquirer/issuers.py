"""The banks behind the cards: what they know of a card, and what they say to a request for money."""

from __future__ import annotations

import datetime
import hmac
import json
from collections.abc import Iterable
from pathlib import Path

from rig.acquirer.codes import APPROVED, DO_NOT_HONOUR, EXPIRED, INVALID, NO_FUNDS, NO_SUCH_CARD
from rig.acquirer.profiles import CardProfile
from rig.acquirer.request import Request
from rig.errors import CallerMistake
from rig.units import CURRENCY_NUMERIC
from rig.wire.cryptogram import CryptogramData, application_cryptogram, covered_tags, version_of
from rig.wire.errors import WireError

_CHIP_ENTRY_MODES = ("05", "07")
_CRYPTOGRAM, _AMOUNT, _ISSUER_DATA = 0x9F26, 0x9F02, 0x9F10


class IssuerKeys:
    """The banks' master keys in ``issuer-keys.json``, ``{"bank": {"mk_ac": "32 hex digits"}}``.

    The file is read when a key is wanted and again when it changed: the bench may make keys after the host started.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: tuple[int, dict[str, bytes]] = (0, {})

    def of(self, bank: str) -> bytes | None:
        """The key of a bank; None where there is none. Raises CallerMistake where the file is no key file."""
        try:
            changed = self._path.stat().st_mtime_ns
        except FileNotFoundError:
            return None
        if changed != self._read[0]:
            self._read = (changed, _read_keys(self._path))
        return self._read[1].get(bank)


class Issuer:
    """One bank.

    Args:
        bank: its name.
        cards: its cards.
        keys: where the 16-byte master key of its cards' cryptograms is; without one cryptograms are not judged.
    """

    def __init__(self, bank: str, cards: Iterable[CardProfile], keys: IssuerKeys) -> None:
        self.bank = bank
        self._cards = {card.pan: card for card in cards}
        self._keys = keys

    def cryptogram_ok(self, request: Request) -> bool | None:
        """Whether the card itself made this request's cryptogram; None where that cannot be judged.

        A chip sale without a cryptogram, or whose cryptogram covers another amount than DE4, is wrong.
        """
        card = self._cards.get(request.pan)
        master_key = self._keys.of(self.bank)
        if request.kind != "sale" or card is None or master_key is None:
            return None
        if not request.message.text(22).startswith(_CHIP_ENTRY_MODES):
            return None
        try:
            version = version_of(card.scheme, request.chip.get(_ISSUER_DATA, b""))
            covered = CryptogramData.from_tags(request.chip, covered_tags(version))
            psn = (request.message.text(23) or card.psn)[-2:].zfill(2)
            expected = application_cryptogram(version, master_key, card.pan, psn, covered)
        except WireError:
            return False
        same = hmac.compare_digest(request.chip.get(_CRYPTOGRAM, b""), expected)
        return same and request.chip[_AMOUNT].hex() == request.message.text(4)

    def authorise(self, request: Request, spent: int, cryptogram_ok: bool | None, today: datetime.date) -> str:
        """The response code for a sale; ``spent`` is what the card's account holds already, in minor units."""
        card = self._cards.get(request.pan)
        if card is None:
            return NO_SUCH_CARD
        if cryptogram_ok is False:
            return DO_NOT_HONOUR
        if card.account.decline:
            return card.account.decline
        if f"{today:%y%m}" > card.expiry or request.message.text(14, card.expiry) != card.expiry:
            return EXPIRED
        if request.message.text(49) != CURRENCY_NUMERIC[card.account.currency]:
            return INVALID
        return APPROVED if spent + request.amount <= card.funds else NO_FUNDS


def _read_keys(path: Path) -> dict[str, bytes]:
    try:
        keys = {bank: bytes.fromhex(entry["mk_ac"]) for bank, entry in json.loads(path.read_text()).items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise CallerMistake(str(path), "not a file of issuer keys", "remove it; the bench makes new keys") from None
    wrong = [bank for bank, key in keys.items() if len(key) != 16]
    if wrong:
        raise CallerMistake(str(path), f"the key of {wrong[0]} is not 16 bytes", "remove it; the bench makes new keys")
    return keys
