"""How a dialect uses the messages: which type and processing code ask for what, and which element says the rest.

A dialect's usage is data. The forms here are those of ISO 8583:1987 as POS dialects have them; condition code 06
(DE25) is a pre-authorised request, which tells a completion from a sale.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from rig.wire.errors import WireError
from rig.wire.iso8583.elements import Original, Totals, de61, de90, parse_de61, parse_de90
from rig.wire.iso8583.message import Message, is_response

Flow = Literal[
    "sale", "advice", "void", "refund", "authorisation", "completion", "cancel", "reversal", "settlement", "upload",
    "upload_end", "script", "network",
]  # fmt: skip
"""What a request is for. An ``advice`` tells of a sale approved offline; a ``cancel`` ends an authorisation that was
not completed; an ``upload`` tells of one transaction after unequal totals; a ``script`` of a script's result."""

FLOWS: tuple[Flow, ...] = get_args(Flow)

Management = Literal["sign-on", "sign-off", "key-change", "echo"]
"""What network management is for."""

PREAUTHORISED = "06"


@dataclass(frozen=True)
class Form:
    """One way to ask: the request's type, the first two digits of DE3 (None: any), condition 06 or not (None: either),
    and the network management code (None: any)."""

    flow: Flow
    mti: str
    processing: str | None = None
    preauthorised: bool | None = None
    code: str | None = None

    def fits(self, message: Message, code: str) -> bool:
        """Whether a message of this type has this form."""
        if self.processing is not None and message.text(3)[:2] != self.processing:
            return False
        if self.code is not None and code != self.code:
            return False
        return self.preauthorised is None or self.preauthorised == (message.text(25) == PREAUTHORISED)


COMMON = (
    Form("completion", "0220", "00", preauthorised=True),
    Form("advice", "0220", "00", preauthorised=False),
    Form("authorisation", "0100", "00"),
    Form("completion", "0200", "00", preauthorised=True),
    Form("sale", "0200", "00", preauthorised=False),
    Form("reversal", "0400"),
    Form("upload_end", "0500", "96"),
    Form("settlement", "0500"),
    Form("upload", "0320"),
    Form("script", "0620"),
    Form("network", "0800"),
    Form("network", "0820"),
)
"""What all dialects here have in common, but for voids and refunds."""


@dataclass(frozen=True)
class Usage:
    """How a dialect uses messages.

    Attributes:
        forms: what asks for what; the first that fits counts.
        batch: the digits of DE60 that are the batch number.
        code: the element with the network management code, and which digits of it.
        codes: what the codes mean.
        original: the element that points at the message to undo.
        reversal_is_own: a reversal has STAN and batch of its original, and no element that points at it.
        repeats_unchanged: a repeat has the type of the first (UnionPay); else its last digit is one more.
        types: what stands before the batch in DE60, by flow (UnionPay's transaction type); 00 where it is not named.
        unionpay_totals: DE48 of a settlement is UnionPay's, and unequal totals are told in it, not in DE39.
    """

    forms: tuple[Form, ...]
    batch: tuple[int, int] = (0, 6)
    code: tuple[int, int, int] = (70, 0, 3)
    codes: Mapping[str, Management] = field(
        default_factory=lambda: {"001": "sign-on", "002": "sign-off", "101": "key-change", "301": "echo"}
    )
    original: Literal[90, 61] = 90
    reversal_is_own: bool = False
    repeats_unchanged: bool = False
    unionpay_totals: bool = False
    types: Mapping[Flow, str] = field(default_factory=dict)
    _by_type: dict[str, tuple[Form, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        types = {form.mti[:3] for form in self.forms}
        by_type = {each: tuple(form for form in self.forms if form.mti[:3] == each) for each in types}
        object.__setattr__(self, "_by_type", by_type)

    def flow(self, message: Message) -> Flow:
        """What a message asks for. Raises WireError for what this dialect does not ask."""
        if is_response(message.mti):
            raise WireError(f"{message.name} ({message.mti}) is not served")
        code = self.management_code(message)
        for form in self._by_type.get(message.mti[:3], ()):
            if form.fits(message, code):
                return form.flow
        told = f" with processing code {message.text(3) or 'missing'}" if message.mti[:3] in self._by_type else ""
        raise WireError(f"{message.name} ({message.mti}){told} is not served")

    def form(self, flow: Flow) -> Form:
        """How to ask for something. Raises WireError where this dialect has no words for it."""
        for form in self.forms:
            if form.flow == flow:
                return form
        raise WireError(f"this dialect has no {flow}")

    def batch_of(self, message: Message) -> str:
        """The batch number; empty where the message has none."""
        return message.text(60)[slice(*self.batch)]

    def management_code(self, message: Message) -> str:
        """The network management code; empty where the message has none."""
        number, begin, end = self.code
        return message.text(number)[begin:end]

    def numbering(self, flow: Flow, batch: str, code: str = "") -> dict[int, str | bytes]:
        """The elements of a request that hold batch and network management code."""
        number = self.code[0]
        if number == 60:
            return {60: self.types.get(flow, "00") + batch + (code or "000")}
        return {number: code} if flow == "network" else {60: batch}

    def pointing_at(self, mti: str, stan: str, time: str, batch: str, date: str) -> dict[int, str | bytes]:
        """The element that points at an original by what is known of it: type, STAN, DE7, batch, date (DE13)."""
        return {90: de90(mti, stan, time)} if self.original == 90 else {61: de61(batch, stan, date)}

    def processing(self, flow: Flow) -> str:
        """DE3 of a request, six digits. Raises WireError where this dialect has no words for it."""
        return (self.form(flow).processing or "00") + "0000"

    def original_of(self, message: Message) -> Original | None:
        """What a message points at. Raises WireError where the element has another form."""
        if self.reversal_is_own and message.mti[1] == "4":
            return Original("0200", message.text(11), batch=self.batch_of(message))
        text = message.text(self.original)
        if not text:
            return None
        return parse_de90(text) if self.original == 90 else parse_de61(text)

    def totals_of(self, message: Message) -> Totals:
        """The totals that a settlement claims. Raises WireError where DE48 has another form."""
        return Totals.decode_unionpay(message.text(48)) if self.unionpay_totals else Totals.decode(message.text(48))

    def write_totals(self, totals: Totals, agreed: bool | None = None) -> str:
        """DE48 of a settlement, or of its answer where ``agreed`` says what the host thinks of the terminal's."""
        if not self.unionpay_totals:
            return totals.encode()
        return totals.encode_unionpay({None: 0, True: 1, False: 2}[agreed])
