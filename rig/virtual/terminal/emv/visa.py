"""Contactless kernel 3, qVSDC: everything is in the answer to GET PROCESSING OPTIONS.

Source: EMV Contactless Book C-3. The terminal says by its qualifiers (TTQ, 9F66) what it needs; the card answers with
one cryptogram, and by its own (CTQ, 9F6C) how the cardholder is verified and what to do where something fails. The
TVR in this kernel is zeros: the cryptogram is there, and covers it, before the terminal can find anything wrong.
"""

from __future__ import annotations

from rig.virtual.terminal.emv import apdu, risk
from rig.virtual.terminal.emv.actions import Cryptogram, kind_of
from rig.virtual.terminal.emv.card import CardData, CardRefused, Cvm, Decision, EntryMode
from rig.virtual.terminal.emv.facts import Facts
from rig.virtual.terminal.emv.kernel import SeePhone, Selected, SelectNext, fill
from rig.virtual.terminal.emv.objects import Objects, check_lengths, need, strict, told, track2
from rig.virtual.terminal.emv.oda import Method, prepare
from rig.virtual.terminal.emv.outcome import card_data
from rig.wire.oda import AuthenticationFailed, check_fast

_REQUIRED = (0x82, 0x57, 0x9F26, 0x9F27, 0x9F36, 0x9F10)
_OTHER_INTERFACE, _NOT_SATISFIED, _SEE_PHONE = 0x6984, 0x6985, 0x6986

_QVSDC, _CONTACT, _ONLINE_PIN, _SIGNATURE = 0x20, 0x10, 0x04, 0x02
_ONLINE_REQUIRED, _CVM_REQUIRED = 0x80, 0x40
_DEVICE_CVM, _FAST_DDA = 0x40, 0x80

_ASKS_PIN, _ASKS_SIGNATURE, _ONLINE_IF_ODA_FAILS = 0x80, 0x40, 0x20
_CONTACT_IF_ODA_FAILS, _ONLINE_IF_EXPIRED, _CONTACT_FOR_CASHBACK = 0x10, 0x08, 0x02
_DEVICE_DID = 0x80


def run(selected: Selected) -> CardData:
    """One purchase with a Visa application; a :data:`~rig.virtual.terminal.emv.kernel.Kernel`."""
    return run_quick(selected, {})


def run_quick(selected: Selected, more: Objects) -> CardData:
    """The flow that kernels 3 and 7 share; ``more`` is what else the terminal tells the card."""
    facts, purchase = selected.facts, selected.purchase
    entries = selected.pdol()
    if all(entry.tag != 0x9F66 for entry in entries):
        raise SelectNext("the card does not ask for the terminal's qualifiers (9F66)")
    said = told(purchase, facts, selected.scheme) | {0x9F66: qualifiers(selected), 0x84: selected.aid} | dict(more)
    answer = _options(selected, fill(entries, said))
    need(answer, *_REQUIRED)
    found, static = answer, b""
    if answer.get(0x94):
        found, static = _records(selected, answer)
    check_lengths(found)
    objects = found | said  # what the terminal said counts, whatever the card says of it
    del objects[0x9F34]  # there is no CVM list in this kernel, hence no result of one
    track2(objects)
    kind = kind_of(objects[0x9F27])
    if kind is Cryptogram.ARQC:
        return card_data(EntryMode.CONTACTLESS, selected.scheme, objects, facts, _cvm(objects, selected))
    if kind is not Cryptogram.TC:
        raise CardRefused("the card declined")
    if said[0x9F66][1] & _ONLINE_REQUIRED:
        raise CardRefused("the card approved by itself where the issuer was wanted")
    decision = _offline(selected, objects, static)
    cvm = _cvm(objects, selected)
    if cvm is Cvm.ONLINE_PIN:
        decision = Decision.ONLINE
    return card_data(EntryMode.CONTACTLESS, selected.scheme, objects, facts, cvm, decision)


def qualifiers(selected: Selected) -> bytes:
    """9F66: what the terminal can do, and what the amount demands."""
    facts, amount = selected.facts, selected.purchase.amount
    able = _QVSDC | _CONTACT | (_ONLINE_PIN if facts.online_pin else 0) | (_SIGNATURE if facts.signature else 0)
    online = not facts.offline_capable or amount > facts.limits.floor or amount == 0
    demands = (_ONLINE_REQUIRED if online else 0) | (_CVM_REQUIRED if verification_due(selected) else 0)
    return bytes([able, demands, _DEVICE_CVM, _FAST_DDA if facts.offline_capable else 0])


def verification_due(selected: Selected) -> bool:
    """Whether the cardholder must be verified for this amount."""
    return selected.purchase.amount >= selected.facts.limits.cvm


def _options(selected: Selected, data: bytes) -> dict[int, bytes]:
    """The answer to GET PROCESSING OPTIONS, and what its status words mean (C-3, 5.4.1)."""
    try:
        return strict(apdu.command(selected.transceive, apdu.get_processing_options(data)), 0x77)
    except apdu.StatusError as error:
        if error.status == _OTHER_INTERFACE:
            raise CardRefused(str(error), other_interface=True) from error
        if error.status == _NOT_SATISFIED:
            raise SelectNext(str(error)) from error
        if error.status == _SEE_PHONE:
            raise SeePhone(str(error)) from error
        raise CardRefused(str(error)) from error


def _records(selected: Selected, answer: dict[int, bytes]) -> tuple[dict[int, bytes], bytes]:
    try:
        found, static = apdu.read_records(selected.transceive, answer[0x94], answer)
    except apdu.StatusError as error:
        raise CardRefused(str(error)) from error
    return answer | found, static


def _offline(selected: Selected, objects: Objects, static: bytes) -> Decision:
    """Whether the card's own approval counts: authenticated, not expired, made for this use; else what 9F6C says.

    Raises:
        CardRefused: it does not, and the issuer is not to be asked either.
    """
    control = objects.get(0x9F6C, b"\0\0")[0]
    why = _authenticate(selected, objects, static)
    if why:
        if control & _ONLINE_IF_ODA_FAILS:
            return Decision.ONLINE
        raise CardRefused(f"the card is not authentic: {why}", bool(control & _CONTACT_IF_ODA_FAILS))
    if not risk.usable(objects, selected.purchase, selected.facts):
        raise CardRefused("the card's usage control forbids this purchase")
    if risk.expired(objects, selected.purchase):
        if control & _ONLINE_IF_EXPIRED:
            return Decision.ONLINE
        raise CardRefused("the card is expired")
    return Decision.OFFLINE_APPROVED


def _authenticate(selected: Selected, objects: Objects, static: bytes) -> str:
    """fDDA; what failed, or nothing."""
    today = selected.purchase.when.date()
    prepared = prepare(Method.FDDA, objects, static, selected.aid, selected.facts, today)
    why = prepared.why
    if prepared.key is not None:
        try:
            check_fast(prepared.key, objects.get(0x9F4B, b""), objects)
        except AuthenticationFailed as failure:
            why = str(failure)
    selected.note("terminal_oda", method=Method.FDDA, ok=not why, why=why)
    return why


def _cvm(objects: Objects, selected: Selected) -> Cvm:
    """How the card wants its holder verified (C-3, 5.7)."""
    facts: Facts = selected.facts
    asked = objects.get(0x9F6C)
    if asked is None:
        asked = bytes([_ASKS_SIGNATURE if verification_due(selected) else 0, 0])
    if selected.purchase.cashback and asked[0] & _CONTACT_FOR_CASHBACK:
        raise CardRefused("the card gives no cashback contactless", other_interface=True)
    if asked[0] & _ASKS_PIN and facts.online_pin:
        return Cvm.ONLINE_PIN
    if asked[1] & _DEVICE_DID:
        return Cvm.DEVICE
    if asked[0] & _ASKS_SIGNATURE and facts.signature:
        return Cvm.SIGNATURE
    if verification_due(selected):
        raise CardRefused("the amount asks for a verification of the cardholder, and the card has none")
    return Cvm.NONE
