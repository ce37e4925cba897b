"""Contactless kernel 2, M/Chip: records first, then one cryptogram by GENERATE AC, signed together with it (CDA).

Source: EMV Contactless Book C-2, EMV mode (no magnetic-stripe mode). The card's keys are recovered before the
cryptogram is asked for, so that what is wrong with them stands in the TVR that the cryptogram covers; a signature that
is wrong after it ends the application.
"""

from __future__ import annotations

from dataclasses import dataclass

from rig.virtual.terminal.emv import apdu
from rig.virtual.terminal.emv.actions import Cryptogram, decide
from rig.virtual.terminal.emv.card import CardData, CardRefused, Cvm, Decision, EntryMode
from rig.virtual.terminal.emv.cvm import DEVICE_VERIFIED, NO_CVM_NEEDED, Verified, methods_for, verify
from rig.virtual.terminal.emv.generate import generate, processing_options
from rig.virtual.terminal.emv.kernel import Selected, SelectNext, entries_of, fill
from rig.virtual.terminal.emv.objects import Objects, check_lengths, need, told, track2
from rig.virtual.terminal.emv.oda import Method, Prepared, method_of, prepare
from rig.virtual.terminal.emv.outcome import card_data
from rig.virtual.terminal.emv.risk import floor_limit, restrictions

_REQUIRED = (0x57, 0x5A, 0x5F24, 0x8C)
_REQUIRED_AT_END = (0x9F26, 0x9F27, 0x9F36, 0x9F10)
_OF_CRYPTOGRAM = (*_REQUIRED_AT_END, 0x9F4B, 0x9F4C)
_DEVICE_CAN = 0x02
_DEVICE_SAYS_YES = 0x02


@dataclass(frozen=True)
class _Read:
    """What is known before the cryptogram: all data objects, the PDOL's values as sent, and the authentication."""

    objects: dict[int, bytes]
    pdol: bytes
    prepared: Prepared


def run(selected: Selected) -> CardData:
    """One purchase with a Mastercard application; a :data:`~rig.virtual.terminal.emv.kernel.Kernel`."""
    purchase, facts = selected.purchase, selected.facts
    read = _read(selected)
    verified = _cardholder(read.objects, selected)
    tvr = read.prepared.tvr | verified.tvr | floor_limit(purchase, facts)
    tvr |= restrictions(read.objects, read.objects, purchase, facts)
    objects = read.objects | {0x95: tvr.encode(), 0x9F34: verified.results}
    asked = decide(objects, tvr, facts)
    if asked is Cryptogram.TC and not read.prepared.ok:
        asked = Cryptogram.ARQC  # nothing goes offline that is not authentic
    kind, objects = _cryptogram(selected, read, objects, asked)
    if kind is Cryptogram.AAC:
        raise CardRefused("the card declined" if asked is not Cryptogram.AAC else f"declined, TVR {tvr.encode().hex()}")
    decision = Decision.OFFLINE_APPROVED if kind is Cryptogram.TC else Decision.ONLINE
    return card_data(EntryMode.CONTACTLESS, selected.scheme, objects, facts, verified.cvm, decision)


def _read(selected: Selected) -> _Read:
    """GET PROCESSING OPTIONS, the records, and the card's key out of them."""
    facts = selected.facts
    said = told(selected.purchase, facts, selected.scheme) | {0x84: selected.aid}
    pdol = fill(selected.pdol(), said)
    try:
        options = processing_options(selected.transceive, pdol)
    except apdu.StatusError as error:
        raise SelectNext(str(error)) from error
    try:
        found, static = apdu.read_records(selected.transceive, options[0x94], options)
    except apdu.StatusError as error:
        raise CardRefused(str(error)) from error
    objects = options | found | said  # what the terminal said counts, whatever the card says of it
    need(objects, *_REQUIRED)
    check_lengths(objects)
    track2(objects)
    method = method_of(objects[0x82], facts, (Method.CDA, Method.SDA))
    prepared = prepare(method, objects, static, selected.aid, facts, selected.purchase.when.date())
    return _Read(objects, pdol, prepared)


def _cryptogram(
    selected: Selected, read: _Read, objects: dict[int, bytes], asked: Cryptogram
) -> tuple[Cryptogram, dict[int, bytes]]:
    """The one GENERATE AC; what it gave, and all objects with it."""
    prepared = read.prepared
    data = fill(entries_of(objects[0x8C]), objects)
    try:
        got = generate(selected.transceive, asked, data, objects[0x9F37], read.pdol, prepared.key)
    except apdu.StatusError as error:
        raise CardRefused(str(error)) from error
    why = got.why or prepared.why
    if prepared.method is not None:
        selected.note("terminal_oda", method=prepared.method, ok=not why, why=why)
    if got.why:
        raise CardRefused(f"the card is not authentic: {got.why}")
    objects = objects | {tag: got.objects[tag] for tag in _OF_CRYPTOGRAM if tag in got.objects}
    if got.kind is not Cryptogram.AAC:
        need(objects, *_REQUIRED_AT_END)
        check_lengths(objects)
    return got.kind, objects


def _cardholder(objects: Objects, selected: Selected) -> Verified:
    """A phone asks its owner where the amount wants it; a card has its list."""
    purchase, facts = selected.purchase, selected.facts
    if objects[0x82][0] & _DEVICE_CAN or objects.get(0x9F71, b"")[2:3] == bytes([_DEVICE_SAYS_YES]):
        due = purchase.amount >= facts.limits.cvm
        return Verified(Cvm.DEVICE, DEVICE_VERIFIED) if due else Verified(Cvm.NONE, NO_CVM_NEEDED)
    return verify(objects, purchase, methods_for(purchase, facts))
