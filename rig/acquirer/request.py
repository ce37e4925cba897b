"""What a terminal asks of the host, read out of an ISO 8583 message and checked for form."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, Literal

from rig.history.redaction import Redactor
from rig.wire.errors import WireError
from rig.wire.iso8583 import ASCII87, Message, Original, is_advice, is_repeat, is_response, mti_class, parse_de90
from rig.wire.tlv import as_mapping

Kind = Literal["sale", "advice", "void", "reversal", "settlement", "network"]
"""What is asked for; an ``advice`` tells of a sale that the card approved without the host (0220, DE39 Y1 or Y3)."""

_MANDATORY: dict[Kind, tuple[int, ...]] = {
    "sale": (2, 3, 4, 7, 11, 22, 41, 42, 49, 60),
    "advice": (2, 3, 4, 7, 11, 22, 39, 41, 42, 49, 60),
    "void": (3, 4, 7, 11, 41, 42, 49, 60),
    "reversal": (3, 4, 7, 11, 41, 42, 49, 60, 90),
    "settlement": (7, 11, 41, 42, 48, 60),
    "network": (7, 11, 41, 42, 70),
}
_KINDS: dict[str, Kind] = {"02": "sale", "04": "reversal", "05": "settlement", "08": "network"}
_PROCESSING: dict[str, Kind] = {"000000": "sale", "200000": "void"}
_APPROVED_OFFLINE = ("Y1", "Y3")
_CHANGES_WHEN_REPEATED = frozenset({7, 64, 128})  # transmission time and MACs
_TRACK2, _CHIP, _PAN_TAG, _TRACK2_TAG, _ATC, _CRYPTOGRAM = 35, 55, 0x5A, 0x57, 0x9F36, 0x9F26


@dataclass(frozen=True)
class Arrival:
    """How a request came: the IP addresses of both ends, and when (monotonic ns)."""

    peer: str
    local: str
    t: int


@dataclass(frozen=True)
class Request:
    """One request, well formed: what it wants, who sent it, and the keys it is known by.

    Attributes:
        kind: what is asked for.
        message: as it came.
        pan: the card number; empty where the message has none. Never written anywhere.
        chip: the data objects of DE55 by tag.
        original: what DE90 points at.
        amount: minor units; 0 where the message has none.
    """

    kind: Kind
    message: Message = field(repr=False)
    pan: str = field(repr=False)
    chip: dict[int, bytes] = field(repr=False)
    original: Original | None
    amount: int

    @classmethod
    def read(cls, message: Message) -> Request:
        """Read a request. Raises WireError (whose text holds no card data) for what the host does not serve."""
        kind = _kind(message)
        missing = [f"DE{number}" for number in _MANDATORY[kind] if not message.fields.get(number)]
        if missing:
            raise WireError(f"a {kind} without {', '.join(missing)}")
        if kind == "void" and 37 not in message.fields and 90 not in message.fields:
            raise WireError("a void without DE37 or DE90")
        original = parse_de90(message.text(90)) if 90 in message.fields else None
        return cls(kind, message, message.text(2), as_mapping(message.data(_CHIP)), original, int(message.text(4, "0")))

    @property
    def tid(self) -> str:
        """DE41."""
        return self.message.text(41).rstrip()

    @property
    def mid(self) -> str:
        """DE42."""
        return self.message.text(42).rstrip()

    @property
    def stan(self) -> str:
        """DE11."""
        return self.message.text(11)

    @property
    def batch(self) -> str:
        """DE60, the batch number; empty for network management."""
        return self.message.text(60)

    @property
    def key(self) -> str:
        """How the history names this request: ``TID/STAN``."""
        return f"{self.tid}/{self.stan}"

    @property
    def unique_key(self) -> str:
        """Terminal, merchant, date, batch, STAN and class of type: a second one of the same is a repeat, or wrong."""
        date = self.message.text(13) or self.message.text(7)[:4]
        return "/".join((self.tid, self.mid, date, self.batch, self.stan, mti_class(self.message.mti)))

    def content(self, redactor: Redactor) -> str:
        """A digest of what a repeat must have in common with the first; no PAN can be guessed from it."""
        kept = {n: v for n, v in self.message.fields.items() if n not in _CHANGES_WHEN_REPEATED}
        masked = redactor.data(ASCII87.encode(Message("0000", kept)))
        return hashlib.sha256(masked + self.token(redactor).encode()).hexdigest()

    def token(self, redactor: Redactor) -> str:
        """The keyed token of the card; empty where the message names none."""
        return redactor.token(self.pan) if self.pan else ""

    @property
    def atc(self) -> int | None:
        """The card's transaction counter out of DE55."""
        return int.from_bytes(self.chip[_ATC], "big") if _ATC in self.chip else None

    def event(self, redactor: Redactor) -> dict[str, Any]:
        """The particulars of ``request_received``, but for who sent it and what the issuer thinks."""
        message, original = self.message, self.original
        return {
            "key": self.key, "mti": message.mti, "stan": self.stan, "tid": self.tid, "mid": self.mid,
            "amount": self.amount, "currency": message.text(49), "processing": message.text(3),
            "token": self.token(redactor) or None, "masked": redactor.mask(self.pan) if self.pan else None,
            "atc": self.atc, "cryptogram": self.chip.get(_CRYPTOGRAM), "entry_mode": message.text(22),
            "batch": self.batch, "rrn": message.text(37) or None,
            "original": {"mti": original.mti, "stan": original.stan, "time": original.time} if original else None,
            "repeat": is_repeat(message.mti),
        }  # fmt: skip


def card_numbers(message: Message) -> set[str]:
    """Every card number that a message holds: DE2, DE35, and tags 5A and 57 of DE55 where that can be read."""
    found = {message.text(2), message.text(_TRACK2).replace("D", "=").split("=")[0]}
    try:
        chip = as_mapping(message.data(_CHIP))
    except WireError:
        chip = {}
    found.add(chip.get(_PAN_TAG, b"").hex().upper().rstrip("F"))
    found.add(chip.get(_TRACK2_TAG, b"").hex().upper().split("D")[0].rstrip("F"))
    return found - {""}


def _kind(message: Message) -> Kind:
    kind = _KINDS.get(mti_class(message.mti))
    if is_response(message.mti) or kind is None:
        raise WireError(f"{message.name} ({message.mti}) is not served")
    if kind != "sale":
        return kind
    processing = message.text(3)
    if processing not in _PROCESSING:
        raise WireError(f"a financial request with processing code {processing or 'missing'} is not served")
    asked = _PROCESSING[processing]
    if not is_advice(message.mti):
        return asked
    if asked != "sale" or message.text(39) not in _APPROVED_OFFLINE:
        raise WireError("an advice that does not tell of a sale approved offline (DE39 Y1 or Y3) is not served")
    return "advice"
