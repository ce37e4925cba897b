"""One payment application of a test card, as its profile tells it.

Example::

    scheme: mastercard                # visa, mastercard or unionpay: whose rules
    aid: "A0000000041010"             # these three follow from the scheme where left out
    kernel: 2                         # 9F2A, the contactless kernel that the card asks for
    cryptogram: mastercard-17         # how 9F26 is computed, see rig.wire.cryptogram
    label: MASTERCARD TEST
    priority: 1                       # 87, 1 is best, 0 is none
    authentication: cda               # offline data authentication: none, sda, dda, cda, or fdda (contactless Visa)
    cvm: [online-pin, signature, no-cvm]   # in this order; [] is an empty list, null is no list (no 8E) at all
    usage_control: "FF00"             # 9F07
    tags: {"9F08": "0002"}            # further data objects of its records, or other values of them
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from rig.wire import tlv
from rig.wire.cryptogram import CryptogramVersion, Scheme
from rig.wire.errors import WireError

Digits2 = Annotated[str, StringConstraints(pattern=r"^[0-9]{2}$")]
MinorUnits = Annotated[int, Field(ge=0)]
Bytes = Annotated[str, StringConstraints(pattern=r"^([0-9A-F]{2})*$")]
ActionCode = Annotated[str, StringConstraints(pattern=r"^[0-9A-F]{10}$")]
Cvm = Literal["online-pin", "offline-pin", "signature", "no-cvm", "device"]
"""Ways to know the cardholder; `device` is the phone's own (CDCVM), which stands in no list but in 9F6C or 9F71."""

_USUAL: dict[str, dict[str, Any]] = {
    "visa": {"aid": "A0000000031010", "kernel": 3, "cryptogram": "visa-10", "label": "VISA TEST"},
    "mastercard": {"aid": "A0000000041010", "kernel": 2, "cryptogram": "mastercard-17", "label": "MASTERCARD TEST"},
    "unionpay": {"aid": "A000000333010101", "kernel": 7, "cryptogram": "unionpay-01", "label": "UNIONPAY TEST"},
}
_LONGEST = 247  # with its own header and the record's, and the status word, 256 bytes at most
_PROVIDERS = {"A000000003": "visa", "A000000004": "mastercard", "A000000333": "unionpay"}

MADE = frozenset({
    0x4F, 0x50, 0x57, 0x5A, 0x5F20, 0x5F24, 0x5F25, 0x5F30, 0x5F34, 0x82, 0x84, 0x87, 0x8C, 0x8D, 0x8E, 0x8F, 0x90,
    0x92, 0x93, 0x94, 0x9F07, 0x9F0D, 0x9F0E, 0x9F0F, 0x9F10, 0x9F26, 0x9F27, 0x9F2A, 0x9F32, 0x9F36, 0x9F38, 0x9F46,
    0x9F47, 0x9F48, 0x9F49, 0x9F4A, 0x9F4B, 0x9F69,
})  # fmt: skip
"""Data objects that follow from other fields of the profile, from the keys, or from the transaction."""


class Part(BaseModel):
    """A mapping of a card's file. The input never appears in a message: it may be a PAN."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class ActionCodes(Part):
    """Issuer action codes, five bytes each, bits as in the TVR: 9F0D, 9F0E and 9F0F."""

    default: ActionCode = "F040AC8000"
    denial: ActionCode = "0010000000"
    online: ActionCode = "F068BC9800"


class Application(Part):
    """One application."""

    scheme: Scheme
    aid: Annotated[str, StringConstraints(pattern=r"^([0-9A-F]{2}){5,16}$")]
    kernel: Annotated[int, Field(ge=1, le=63)]
    label: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9 ]{1,16}$")]
    cryptogram: CryptogramVersion
    priority: Annotated[int, Field(ge=0, le=15)] = 1
    authentication: Literal["none", "sda", "dda", "cda", "fdda"] = "none"
    fast_format: Literal["05", "95"] = "05"
    """The signed data format of `fdda`: 05 is what every reader knows, 95 is met on cards too."""
    cvm: tuple[Cvm, ...] | None = ("online-pin", "signature", "no-cvm")
    usage_control: Annotated[str, StringConstraints(pattern=r"^[0-9A-F]{4}$")] = "FF00"
    action_codes: ActionCodes = ActionCodes()
    offline_limit: MinorUnits | None = None
    """What the card lets go offline in sum before it asks its issuer again; for stored value, the balance (9F79)."""
    tags: dict[str, Bytes] = {}

    @model_validator(mode="before")
    @classmethod
    def _as_usual(cls, raw: Any) -> Any:
        if isinstance(raw, dict) and raw.get("scheme") in _USUAL:
            return {**_USUAL[raw["scheme"]], **raw}
        return raw

    @model_validator(mode="after")
    def _tags_are_some(self) -> Application:
        for name in self.tags:
            try:
                tag = int(name, 16)
                constructed = tlv.Tlv(tag, b"").constructed
                tlv.encode_tag(tag)
            except (ValueError, WireError):
                raise ValueError(f"tag {name} is no BER-TLV tag") from None
            if tag in MADE or constructed:
                raise ValueError(f"tag {name} contradicts the profile's other fields, which it follows from")
            if len(self.tags[name]) // 2 > _LONGEST:
                raise ValueError(f"tag {name} does not fit a record: it may have {_LONGEST} bytes")
        provider = _PROVIDERS.get(self.aid[:10], self.scheme)
        if provider != self.scheme:
            raise ValueError(f"tag 4F: this AID is one of {provider}, the application is one of {self.scheme}")
        if len(set(self.cvm or ())) != len(self.cvm or ()):
            raise ValueError("tag 8E: a method of knowing the cardholder is there twice")
        if not self.cryptogram.startswith(self.scheme):
            raise ValueError(f"tag 9F10: {self.cryptogram} is no cryptogram version of {self.scheme}")
        if self.authentication == "fdda" and self.scheme == "mastercard":
            raise ValueError("tag 82: fdda is no authentication of a mastercard application; use cda")
        return self

    @property
    def objects(self) -> dict[int, bytes]:
        """`tags` in bytes."""
        return {int(name, 16): bytes.fromhex(value) for name, value in self.tags.items()}
