"""What the cash register is shown of a transaction: the status information (04 0F) and the receipt's lines.

Both follow from the journal alone, so a repeated receipt is the same receipt. The card number is masked: first six
and last four towards the cash register, the last four on paper.
"""

from __future__ import annotations

from rig.virtual.terminal.emv.card import EntryMode
from rig.virtual.terminal.results import APPROVED
from rig.virtual.terminal.settings import Settings
from rig.virtual.terminal.transaction import Operation, Settlement, Transaction
from rig.wire.iso8583 import Totals
from rig.wire.zvt import Apdu, Bmp, Command, FieldValue, PrintedLine, encode_fields, encode_print_line, result_text

_CENTRED = 0x40
_TITLES = {Operation.SALE: "CARD PAYMENT", Operation.VOID: "VOID"}
_ENTRIES = {
    EntryMode.CONTACTLESS: "CONTACTLESS", EntryMode.CONTACT: "CHIP", EntryMode.STRIPE: "SWIPED",
    EntryMode.FALLBACK: "SWIPED (CHIP NOT READABLE)",
}  # fmt: skip


def status_information(transaction: Transaction, settings: Settings) -> Apdu:
    """The 04 0F of a transaction whose result is known; one without a result yet is about to be approved."""
    result = transaction.result or APPROVED
    fields: dict[int, FieldValue] = {
        Bmp.RESULT: result,
        Bmp.AMOUNT: transaction.amount,
        Bmp.CURRENCY: int(settings.currency),
        Bmp.TRACE: transaction.trace,
        Bmp.TIME: int(f"{transaction.when:%H%M%S}"),
        Bmp.DATE: int(f"{transaction.when:%m%d}"),
        Bmp.TERMINAL_ID: int(settings.terminal_id),
        Bmp.VU_NUMBER: settings.merchant_id,
        Bmp.RECEIPT: transaction.receipt,
        Bmp.TURNOVER: transaction.trace,
    }
    if transaction.original is not None:
        fields[Bmp.ORIGINAL_TRACE] = transaction.original
    if face := transaction.face:
        fields |= {
            Bmp.PAN: face.masked,
            Bmp.CARD_SEQUENCE: face.sequence,
            Bmp.CARD_TYPE: face.type_code,
            Bmp.CARD_NAME: face.name,
        }
    if transaction.auth and result == APPROVED:
        fields[Bmp.AUTHORISATION] = transaction.auth.encode()[:8].ljust(8)
    if transaction.rc.isdigit():
        fields[Bmp.HOST_RESULT] = int(transaction.rc)
    fields[Bmp.TEXT] = "approved" if result == APPROVED else f"not approved: {result_text(result)}"
    return Apdu(Command.STATUS_INFO, encode_fields(fields))


def receipt(transaction: Transaction, settings: Settings) -> list[Apdu]:
    """The receipt as print lines (06 D1)."""
    approved = (transaction.result or APPROVED) == APPROVED
    lines = [
        PrintedLine(_TITLES[transaction.operation], _CENTRED),
        PrintedLine(f"TERMINAL {settings.terminal_id}"),
        PrintedLine(f"TRACE {transaction.trace:06d} RECEIPT {transaction.receipt:04d}"),
        PrintedLine(f"{transaction.when:%Y-%m-%d %H:%M:%S}"),
    ]
    if face := transaction.face:
        lines.append(PrintedLine(f"{face.name} {_ENTRIES[EntryMode(face.entry)]}"))
        if face.aid:
            lines.append(PrintedLine(f"AID {face.aid}"))
        lines.append(PrintedLine(f"CARD ************{face.last4}"))
    lines.append(PrintedLine(f"AMOUNT {transaction.amount / 100:.2f} ({settings.currency})"))
    if approved and transaction.advice is not None:
        lines.append(PrintedLine(f"APPROVED OFFLINE {transaction.rc}"))
    elif approved and transaction.auth:
        lines.append(PrintedLine(f"AUTHORISATION {transaction.auth}"))
    lines.append(PrintedLine("APPROVED" if approved else "NOT APPROVED", _CENTRED))
    return [encode_print_line(line) for line in lines]


def batch_report(settlement: Settlement, settings: Settings) -> list[Apdu]:
    """What the end of day tells the cash register: a status information, then the lines."""
    totals = Totals.decode(settlement.totals)
    amount = totals.sales_sum - totals.voids_sum
    status: dict[int, FieldValue] = {
        Bmp.RESULT: APPROVED,
        Bmp.AMOUNT: max(amount, 0),
        Bmp.CURRENCY: int(settings.currency),
        Bmp.TRACE: settlement.trace,
        Bmp.TERMINAL_ID: int(settings.terminal_id),
    }
    lines = [
        PrintedLine("END OF DAY", _CENTRED),
        PrintedLine(f"BATCH {settlement.batch:06d}"),
        PrintedLine(f"SALES {totals.sales} {totals.sales_sum / 100:.2f}"),
        PrintedLine(f"VOIDS {totals.voids} {totals.voids_sum / 100:.2f}"),
        PrintedLine(f"TOTAL {amount / 100:.2f} ({settings.currency})"),
    ]
    return [Apdu(Command.STATUS_INFO, encode_fields(status)), *(encode_print_line(line) for line in lines)]
