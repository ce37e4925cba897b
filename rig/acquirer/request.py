"""What a terminal asks of the host, read out of an ISO 8583 message and checked for form."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rig.history.redaction import Redactor
from rig.wire.errors import WireError
from rig.wire.iso8583 import ASCII87, Dialect, Flow, Message, Original, is_repeat, mti_class
from rig.wire.tlv import as_mapping

Kind = Flow

_MONEY = (3, 4, 7, 11, 41, 42, 49, 60)
_MANDATORY: dict[Kind, tuple[int, ...]] = {
    "sale": (*_MONEY, 22),
    "authorisation": (*_MONEY, 22),
    "refund": (*_MONEY, 22),
    "advice": (*_MONEY, 22, 39),
    "completion": _MONEY,
    "cancel": _MONEY,
    "void": _MONEY,
    "reversal": _MONEY,
    "settlement": (7, 11, 41, 42, 48, 60),
    "upload": _MONEY,
    "upload_end": (7, 11, 41, 42, 60),
    "script": (7, 11, 41, 42, 60),
    "network": (7, 11, 41, 42),
}
_WITH_CARD = ("sale", "advice", "authorisation", "refund")
_BY_REFERENCE = ("void", "completion", "cancel")
_APPROVED_OFFLINE = ("Y1", "Y3")
_CHANGES_WHEN_REPEATED = frozenset({7, 64, 128})  # transmission time and MACs
_TRACK2, _CHIP, _PAN_TAG, _TRACK2_TAG, _ATC, _CRYPTOGRAM = 35, 55, 0x5A, 0x57, 0x9F36, 0x9F26


class Arrival(NamedTuple):
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
        original: what DE90 or DE61 points at.
        amount: minor units; 0 where the message has none.
        batch: the batch number; empty for network management.
        code: the network management code; empty otherwise.
    """

    kind: Kind
    message: Message = field(repr=False)
    pan: str = field(repr=False)
    chip: dict[int, bytes] = field(repr=False)
    original: Original | None
    amount: int
    batch: str = ""
    code: str = ""

    @classmethod
    def read(cls, message: Message, dialect: Dialect = ASCII87) -> Request:
        """Read a request. Raises WireError (whose text holds no card data) for what the host does not serve."""
        usage, fields = dialect.usage, message.fields
        kind = usage.flow(message)
        missing = [f"DE{number}" for number in _MANDATORY[kind] if not fields.get(number)]
        if usage.original != 90:  # there a request is found again by batch and STAN, and has no DE7
            missing = [each for each in missing if each != "DE7"]
        pan = message.text(2) or message.text(_TRACK2).partition("=")[0]
        if not pan and kind in _WITH_CARD:
            missing.insert(0, "DE2")
        original = usage.original_of(message)
        if kind == "reversal" and original is None:
            missing.append(f"DE{usage.original}")
        code = usage.management_code(message) if kind == "network" else ""
        if kind == "network" and not code:
            missing.append(f"DE{usage.code[0]}")
        if missing:
            raise WireError(f"a {kind.replace('_', ' ')} without {', '.join(missing)}")
        if kind in _BY_REFERENCE and original is None and 37 not in fields and 38 not in fields:
            raise WireError(f"a {kind} without DE37 or DE{usage.original}")
        if kind == "advice" and message.text(39) not in _APPROVED_OFFLINE:
            raise WireError("an advice that does not tell of a sale approved offline (DE39 Y1 or Y3) is not served")
        chip = as_mapping(message.data(_CHIP)) if _CHIP in fields else {}
        return cls(kind, message, pan, chip, original, int(message.text(4, "0")), usage.batch_of(message), code)

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
    def key(self) -> str:
        """How the history names this request: ``TID/STAN``."""
        return f"{self.tid}/{self.stan}"

    @property
    def date(self) -> str:
        """The terminal's date, MMDD."""
        return self.message.text(13) or self.message.text(7)[:4]

    @property
    def unique_key(self) -> str:
        """Terminal, merchant, date, batch, STAN and class of type: a second one of the same is a repeat, or wrong."""
        return "/".join((self.tid, self.mid, self.date, self.batch, self.stan, mti_class(self.message.mti)))

    def content(self, redactor: Redactor) -> str:
        """A keyed digest of what a repeat must have in common with the first; no PAN can be guessed from it."""
        fields = self.message.fields
        kept = [f"{n}={fields[n]!s}" for n in sorted(fields) if n not in _CHANGES_WHEN_REPEATED]
        return redactor.digest("\x1f".join(kept).encode())

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
        told = {"mti": original.mti, "stan": original.stan, "time": original.time} if original else None
        if original is not None and told is not None and original.batch:
            told["batch"] = original.batch
        return {
            "key": self.key, "mti": message.mti, "stan": self.stan, "tid": self.tid, "mid": self.mid,
            "flow": self.kind, "amount": self.amount, "currency": message.text(49), "processing": message.text(3),
            "token": self.token(redactor) or None, "masked": redactor.mask(self.pan) if self.pan else None,
            "atc": self.atc, "cryptogram": self.chip.get(_CRYPTOGRAM), "entry_mode": message.text(22),
            "batch": self.batch, "rrn": message.text(37) or None, "original": told, "repeat": is_repeat(message.mti),
        }  # fmt: skip


def card_numbers(message: Message) -> set[str]:
    """Every card number that a message holds: DE2, DE35, and tags 5A and 57 of DE55 where that can be read."""
    found = {message.text(2), message.text(_TRACK2).replace("D", "=").split("=")[0]}
    if chip_data := message.data(_CHIP):
        try:
            chip = as_mapping(chip_data)
        except WireError:
            chip = {}
        found.add(chip.get(_PAN_TAG, b"").hex().upper().rstrip("F"))
        found.add(chip.get(_TRACK2_TAG, b"").hex().upper().split("D")[0].rstrip("F"))
    return found - {""}
