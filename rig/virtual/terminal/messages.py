"""The terminal's side of ISO 8583: what its requests say, and when an answer is the answer to one.

Data elements as in the 1987 edition; message use is the host dialect's (in ascii-1987: sale 0200/000000, void
0200/200000, advice of an offline approval 0220 and repeat 0221 with DE39, reversal 0400 and repeat 0401, settlement
0500 with totals in DE48, echo 0800 with DE70 301).
"""

from __future__ import annotations

from datetime import UTC, datetime

from rig.virtual.terminal.emv.card import CardData, EntryMode
from rig.virtual.terminal.settings import Settings
from rig.virtual.terminal.transaction import Advice, Operation, Reversal, Settlement, Transaction
from rig.wire.iso8583 import Flow, Message, Totals, response_mti
from rig.wire.iso8583.registry import find_dialect
from rig.wire.tlv import Tlv, encode_all

NO_RESPONSE, OTHER_REASON, WRONG_CODE = "98", "06", "A0"
"""DE39 of a reversal: no answer came; anything else that made the terminal undo an answer; its code was wrong."""

_FLOWS: dict[Operation, Flow] = {Operation.SALE: "sale", Operation.VOID: "void"}
_KEPT_FOR_REVERSAL = (3, 4, 7, 11, 12, 13, 22, 23, 25, 49, 60, 61)
_SECRET = (2, 14, 35)
_CHIP_MODES = (EntryMode.CONTACTLESS, EntryMode.CONTACT)

Fields = dict[int, str | bytes]


class MessageWriter:
    """Builds the requests of one terminal."""

    def __init__(self, settings: Settings) -> None:
        self._terminal_id = settings.terminal_id
        self._merchant_id = settings.merchant_id
        self._currency = settings.currency
        self._usage = find_dialect(settings.dialect).usage

    def sale(self, transaction: Transaction, card: CardData) -> Message:
        """The request for a sale with this card."""
        fields: Fields = {2: card.pan, 14: card.expiry, 22: card.entry_mode.value, 35: card.track2}
        if card.entry_mode in _CHIP_MODES:
            fields |= {23: f"{card.sequence:03d}", 55: encode_all(Tlv(tag, value) for tag, value in card.chip.items())}
        if card.pin_block is not None:
            fields[52] = card.pin_block
        return self._request(transaction, fields)

    def void(self, transaction: Transaction, original: Transaction, secret: dict[int, str]) -> Message:
        """The request that voids a committed sale; ``secret`` holds the sale's card data."""
        first = original.public
        told = "0200" if original.advice is None else "0220"
        fields: Fields = {number: secret[number] for number in _SECRET if number in secret}
        fields |= {number: first[number] for number in (22, 23) if number in first}
        if original.rrn:
            fields[37] = original.rrn
        batch = f"{original.batch:06d}"
        return self._request(
            transaction, fields | self._usage.pointing_at(told, first[11], first.get(7, ""), batch, first[13])
        )

    def advice(self, transaction: Transaction, advice: Advice, secret: dict[int, str]) -> Message:
        """What the host is told of an offline approval: the request that it was not asked, with the result."""
        fields: Fields = {**secret, **transaction.public, **self._identity(), 39: transaction.rc}
        fields[55] = bytes.fromhex(secret[55])
        return _message(self._type("advice", repeat=advice.attempts > 0), fields)

    def reversal(self, transaction: Transaction, reversal: Reversal, secret: dict[int, str]) -> Message:
        """The request to undo a transaction: its own data elements, STAN included, and DE90 that points at it."""
        first = transaction.public
        fields: Fields = {**secret, **first, **self._identity()}
        fields[39] = reversal.reason
        if not self._usage.reversal_is_own:
            fields |= self._usage.pointing_at("0200", first[11], first.get(7, ""), "", "")
        if transaction.rrn:
            fields[37] = transaction.rrn
        return _message(self._type("reversal", repeat=reversal.attempts > 0), fields)

    def settlement(self, settlement: Settlement, repeat: bool) -> Message:
        """The request to close a batch, or its repeat, which says the same."""
        totals = self._usage.write_totals(Totals.decode(settlement.totals))
        numbering = self._usage.numbering("settlement", f"{settlement.batch:06d}", "201")
        content: Fields = {48: totals, 49: self._currency, **numbering}
        times = self._times(settlement.trace, settlement.when)
        return _message(self._type("settlement", repeat), times | self._identity() | content)

    def echo(self, trace: int) -> Message:
        """A network management request that asks for nothing but an answer."""
        numbering = self._usage.numbering("network", "000000", "301")
        return _message("0800", self._times(trace, datetime.now()) | self._identity() | numbering)

    def _request(self, transaction: Transaction, card: Fields) -> Message:
        fields = card | self._times(transaction.trace, transaction.when) | self._identity()
        flow = _FLOWS[transaction.operation]
        fields[3] = self._usage.processing(flow)
        fields[4] = f"{transaction.amount:012d}"
        fields[25], fields[49] = "00", self._currency
        return _message("0200", fields | self._usage.numbering(flow, f"{transaction.batch:06d}"))

    def _type(self, flow: Flow, repeat: bool) -> str:
        mti = self._usage.form(flow).mti
        return mti[:3] + "1" if repeat and not self._usage.repeats_unchanged else mti

    def _identity(self) -> Fields:
        return {41: self._terminal_id, 42: self._merchant_id}

    def _times(self, trace: int, when: datetime) -> Fields:
        fields: Fields = {11: f"{trace:06d}", 12: f"{when:%H%M%S}", 13: f"{when:%m%d}"}
        if self._usage.original == 90:
            fields[7] = f"{datetime.now(UTC):%m%d%H%M%S}"
        return fields


def _message(mti: str, fields: Fields) -> Message:
    return Message(mti, dict(sorted(fields.items())))


def kept_elements(request: Message) -> tuple[dict[int, str], dict[int, str]]:
    """What a reversal of this request will need: the public elements, and the secret ones."""
    public = {number: request.text(number) for number in _KEPT_FOR_REVERSAL if number in request.fields}
    secret = {number: request.text(number) for number in _SECRET if number in request.fields}
    return public, secret


def advice_elements(request: Message) -> tuple[dict[int, str], dict[int, str]]:
    """What an advice in place of this request will need: as :func:`kept_elements`, and DE55 among the secret ones."""
    public, secret = kept_elements(request)
    return public, secret | {55: request.data(55).hex()}


def answers(request: Message, answer: Message) -> bool:
    """Whether ``answer`` is the valid answer to ``request``: its type, its numbers, its amount, and a result."""
    repeated = [number for number in (4, 41) if number in answer.fields]
    return (
        answer.mti == response_mti(request.mti)
        and all(answer.text(number) == request.text(number) for number in (11, *repeated))
        and len(answer.text(39)) == 2
    )
