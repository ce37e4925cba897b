"""The applications that this terminal takes: scheme, contactless kernel, and what the receipt calls them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scheme:
    """One kind of card: ``aid`` is the beginning of its AIDs, ``type_code`` the ZVT card type (BMP 8A), ``version`` the
    terminal's application version (9F09)."""

    name: str
    aid: bytes
    kernel: int
    label: str
    type_code: int
    version: bytes


_VISA, _MASTERCARD, _UNIONPAY = ("visa", 3, "0096"), ("mastercard", 2, "0002"), ("unionpay", 7, "0030")

SCHEMES = tuple(
    Scheme(name, bytes.fromhex(aid), kernel, label, type_code, bytes.fromhex(version))
    for (name, kernel, version), aid, label, type_code in (
        (_VISA, "A0000000031010", "VISA", 10),
        (_VISA, "A0000000032010", "VISA ELECTRON", 11),
        (_VISA, "A0000000032020", "V PAY", 13),
        (_MASTERCARD, "A0000000041010", "MASTERCARD", 6),
        (_MASTERCARD, "A0000000043060", "MAESTRO", 46),
        (_UNIONPAY, "A000000333010101", "UNIONPAY", 82),
        (_UNIONPAY, "A000000333010102", "UNIONPAY", 82),
        (_UNIONPAY, "A000000333010103", "UNIONPAY", 82),
    )
)

NAMES = tuple(dict.fromkeys(scheme.name for scheme in SCHEMES))


def scheme_of(aid: bytes) -> Scheme | None:
    """The scheme of an application, by the beginning of its AID (partial selection); ``None``: not taken here."""
    return next((scheme for scheme in SCHEMES if aid.startswith(scheme.aid)), None)
