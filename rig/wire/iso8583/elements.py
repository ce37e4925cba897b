"""Data elements with an inner form: the original data elements (DE90, DE61) and a settlement's totals (DE48)."""

from __future__ import annotations

from dataclasses import dataclass

from rig.wire.errors import WireError


@dataclass(frozen=True)
class Original:
    """What a message says of the one that it undoes: STAN, and the transmission time (DE7) or the batch.

    DE90 tells type, STAN and time; DE61 of UnionPay's dialects batch, STAN and date (MMDD), and no type.
    """

    mti: str
    stan: str
    time: str = ""
    batch: str = ""
    date: str = ""


def de90(original_mti: str, stan: str, de7: str) -> str:
    """The 42 digits of DE90: type, STAN, DE7, and two institution codes of 11 zeros."""
    text = f"{original_mti}{stan}{de7}{'0' * 22}"
    if len(original_mti) != 4 or len(stan) != 6 or len(de7) != 10 or not (text.isascii() and text.isdigit()):
        raise WireError("DE90 is made of a type (4 digits), a STAN (6) and a DE7 (10)")
    return text


def parse_de90(text: str) -> Original:
    """Read DE90. Raises WireError where it is not 42 digits."""
    if len(text) != 42 or not (text.isascii() and text.isdigit()):
        raise WireError("DE90 is not 42 digits")
    return Original(text[:4], text[4:10], text[10:20])


def de61(batch: str, stan: str, date: str = "") -> str:
    """DE61 of UnionPay's dialects: batch and STAN of six digits each, and the date (MMDD) where it is known."""
    text = f"{batch}{stan}{date}"
    if len(batch) != 6 or len(stan) != 6 or len(date) not in (0, 4) or not (text.isascii() and text.isdigit()):
        raise WireError("DE61 is made of a batch (6 digits), a STAN (6) and a date (4 or none)")
    return text


def parse_de61(text: str) -> Original:
    """Read DE61 of UnionPay's dialects. Raises WireError where it is not 12 or 16 digits."""
    if len(text) not in (12, 16) or not (text.isascii() and text.isdigit()):
        raise WireError("DE61 is not 12 or 16 digits")
    return Original("0200", text[6:12], batch=text[:6], date=text[12:])


@dataclass(frozen=True)
class Totals:
    """The totals of a batch as DE48 of a settlement carries them; sums in minor units.

    They are gross: a sale that was voided counts among the sales, and its void among the voids. What was reversed or
    declined counts nowhere. Completions and offline sales count among the sales, refunds among the voids: what the
    cardholder pays, and what goes back.
    """

    sales: int = 0
    sales_sum: int = 0
    voids: int = 0
    voids_sum: int = 0

    def encode(self) -> str:
        """``NNNN AAAAAAAAAAAA NNNN AAAAAAAAAAAA`` without blanks. Raises WireError for what does not fit."""
        text = f"{self.sales:04d}{self.sales_sum:012d}{self.voids:04d}{self.voids_sum:012d}"
        if len(text) != 32 or not text.isdigit():
            raise WireError("totals are counts of 4 digits and sums of 12")
        return text

    @classmethod
    def decode(cls, text: str) -> Totals:
        """Read DE48 of a settlement. Raises WireError where it is not 32 digits."""
        if len(text) != 32 or not (text.isascii() and text.isdigit()):
            raise WireError("DE48 of a settlement is not 32 digits")
        return cls(int(text[:4]), int(text[4:16]), int(text[16:20]), int(text[20:]))

    def encode_unionpay(self, flag: int = 0) -> str:
        """DE48 of UnionPay's settlement, 62 digits: debits (sum, count), credits, flag; the same for foreign cards.

        ``flag`` is 0 in a request; 1 in the answer to equal totals, 2 to unequal ones. Foreign cards are counted among
        the domestic ones here. Raises WireError for what does not fit.
        """
        text = f"{self.sales_sum:012d}{self.sales:03d}{self.voids_sum:012d}{self.voids:03d}{flag}" + "0" * 31
        if len(text) != 62 or not text.isdigit():
            raise WireError("totals are sums of 12 digits and counts of 3")
        return text

    @classmethod
    def decode_unionpay(cls, text: str) -> Totals:
        """Read it; domestic and foreign added up. Raises WireError where it is not 62 digits."""
        if len(text) != 62 or not (text.isascii() and text.isdigit()):
            raise WireError("DE48 of a settlement is not 62 digits")
        home, abroad = text[:31], text[31:]
        return cls(*(int(home[a:b]) + int(abroad[a:b]) for a, b in ((12, 15), (0, 12), (27, 30), (15, 27))))
