"""One purchase with a card in the chip slot, up to what only the host can say.

Source: EMV Book 3, chapter 10, in its order: application initiation, records, offline data authentication,
restrictions, cardholder verification, risk management, terminal and card action analysis. How it ends after the host
has answered: :mod:`rig.virtual.terminal.contact_completion`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from rig.virtual.terminal.contact_completion import Completing
from rig.virtual.terminal.contact_pin import OfflinePin
from rig.virtual.terminal.contact_selection import ChipFailed, candidates, select
from rig.virtual.terminal.emv import apdu
from rig.virtual.terminal.emv.actions import Cryptogram, decide
from rig.virtual.terminal.emv.card import CardData, CardRefused, Cvm, Decision, EntryMode, Purchase, Transceive
from rig.virtual.terminal.emv.cvm import Verified, verify
from rig.virtual.terminal.emv.facts import Facts
from rig.virtual.terminal.emv.generate import generate, processing_options
from rig.virtual.terminal.emv.kernel import Note, Selected, SelectNext, entries_of, fill
from rig.virtual.terminal.emv.objects import Malformed, Objects, check_lengths, need, told, unique
from rig.virtual.terminal.emv.oda import FAILED, Method, Prepared, method_of, prepare
from rig.virtual.terminal.emv.outcome import card_data
from rig.virtual.terminal.emv.risk import floor_limit, restrictions, velocity
from rig.virtual.terminal.emv.tvr import Tvr
from rig.wire.errors import WireError
from rig.wire.oda import AuthenticationFailed, PublicKey, check_dynamic
from rig.wire.tlv import parse

__all__ = ["ChipFailed", "contact_facts", "read_card"]

_REQUIRED = (0x57, 0x5A, 0x5F24, 0x8C, 0x8D)
"""Book 3, table 26; track 2 too, since the host's dialect has DE35."""
_REQUIRED_AT_END = (0x9F26, 0x9F27, 0x9F36, 0x9F10)
_NOT_SATISFIED = 0x6985
_DEFAULT_DDOL = bytes.fromhex("9F3704")
_PLAIN_PIN = 0x80
_COUNTER, _LAST_ONLINE = 0x9F36, 0x9F13


def contact_facts(facts: Mapping[str, Facts], floor_limit: int) -> dict[str, Facts]:
    """What the terminal is at its slot: it takes offline PINs there (9F33), and has another floor limit."""
    return {
        name: replace(each, capabilities=_with_pin(each.capabilities), limits=replace(each.limits, floor=floor_limit))
        for name, each in facts.items()
    }


def read_card(transceive: Transceive, purchase: Purchase, facts: Mapping[str, Facts], note: Note) -> CardData:
    """Run one contact purchase up to the first cryptogram.

    Args:
        transceive: the card, which has answered to reset.
        purchase: what is to be paid.
        facts: what the terminal is for each scheme, by its name.
        note: takes development events: terminal_application, terminal_oda, terminal_actions.

    Raises:
        CardLost: it was pulled.
        CardRefused: it declined, or its data is wrong.
        ChipFailed: a technical failure before an application was chosen, or none in common.
    """
    last: Exception | None = None
    for candidate in candidates(transceive):
        try:
            control = select(transceive, candidate)
            aid, scheme = control[0x84], candidate.scheme
            note("terminal_application", aid=aid.hex().upper(), scheme=scheme.name, kernel="contact")
            return _run(Selected(transceive, scheme, aid, control, purchase, facts[scheme.name], note))
        except (ChipFailed, SelectNext) as refusal:
            note("terminal_application_refused", aid=candidate.aid.hex().upper(), why=str(refusal))
            last = last if isinstance(last, SelectNext) else refusal
    if isinstance(last, SelectNext):
        raise CardRefused(str(last)) from last
    raise ChipFailed(str(last) if last else "no application in common") from last


def _run(selected: Selected) -> CardData:
    try:
        return _purchase(selected)
    except apdu.StatusError as error:
        raise CardRefused(str(error)) from error


def _purchase(selected: Selected) -> CardData:
    objects, pdol, static = _read(selected)
    facts, purchase = selected.facts, selected.purchase
    method = method_of(objects[0x82], facts)
    prepared = prepare(method, objects, static, selected.aid, facts, purchase.when.date())
    tvr = prepared.tvr | _dynamic(selected, objects, prepared)
    tvr |= restrictions(objects, objects, purchase, facts)
    verified = _cardholder(selected, objects)
    tvr |= verified.tvr | floor_limit(purchase, facts) | _velocity(selected, objects)
    objects |= {0x95: tvr.encode(), 0x9F34: verified.results}
    asked = decide(objects, tvr, facts)
    selected.note("terminal_actions", tvr=tvr.encode().hex(), asked=asked.name)
    key = prepared.key if prepared.method is Method.CDA else None
    data = fill(entries_of(objects[0x8C]), objects)
    got = generate(selected.transceive, asked, data, objects[0x9F37], pdol, key)
    completing = Completing(selected, objects | got.objects, tvr, pdol + data, key)
    if prepared.method is Method.CDA:
        why = got.why or prepared.why
        selected.note("terminal_oda", method=Method.CDA, ok=not why, why=why)
    if got.why:
        completing.give_up(got.kind)
        raise CardRefused(f"the card is not authentic: {got.why}")
    if got.kind is Cryptogram.AAC:
        raise CardRefused("the card declined" if asked is not Cryptogram.AAC else f"declined, TVR {tvr.encode().hex()}")
    need(completing.objects, *_REQUIRED_AT_END)
    check_lengths(completing.objects)
    online = got.kind is Cryptogram.ARQC
    return card_data(
        EntryMode.CONTACT, selected.scheme, completing.objects, facts, verified.cvm,
        Decision.ONLINE if online else Decision.OFFLINE_APPROVED, completing.finish if online else None,
    )  # fmt: skip


def _read(selected: Selected) -> tuple[dict[int, bytes], bytes, bytes]:
    """GET PROCESSING OPTIONS and the records: all data objects, the PDOL's values as sent, the static data."""
    said = told(selected.purchase, selected.facts, selected.scheme) | {0x84: selected.aid}
    pdol = fill(selected.pdol(), said)
    try:
        options = processing_options(selected.transceive, pdol)
    except apdu.StatusError as error:
        if error.status == _NOT_SATISFIED:
            raise SelectNext(str(error)) from error
        raise
    found, static = apdu.read_records(selected.transceive, options[0x94], options)
    objects = options | found | said  # what the terminal said counts, whatever the card says of it
    need(objects, *_REQUIRED)
    check_lengths(objects)
    return objects, pdol, static


def _dynamic(selected: Selected, objects: Objects, prepared: Prepared) -> Tvr:
    """DDA by INTERNAL AUTHENTICATE (Book 2, 6.5), where that is the method; what it adds to the TVR."""
    why, method = prepared.why, prepared.method
    if method is Method.DDA and prepared.key is not None:
        why = _authenticate(selected, objects, prepared.key)
    if method in (Method.SDA, Method.DDA):
        selected.note("terminal_oda", method=method, ok=not why, why=why)
    return FAILED[method] if method is Method.DDA and why else Tvr(0)


def _authenticate(selected: Selected, objects: Objects, key: PublicKey) -> str:
    """Let the card sign; what is wrong with that, or nothing."""
    entries = entries_of(objects.get(0x9F49, _DEFAULT_DDOL))
    if all(entry.tag != 0x9F37 for entry in entries):
        return "the card's DDOL asks for no unpredictable number"
    data = fill(entries, objects)
    try:
        answer = apdu.command(selected.transceive, apdu.internal_authenticate(data))
        check_dynamic(key, _signature(answer), data)
    except (apdu.StatusError, AuthenticationFailed, WireError, Malformed) as failure:
        return str(failure)
    return ""


def _signature(answer: bytes) -> bytes:
    """9F4B out of the answer to INTERNAL AUTHENTICATE, in either format (Book 3, 6.5.9.4)."""
    outer = parse(answer)
    if len(outer) == 1 and outer[0].tag == 0x80:
        return outer[0].value
    if len(outer) == 1 and outer[0].tag == 0x77:
        return unique(outer[0].value).get(0x9F4B, b"")
    raise Malformed("the answer is neither a template 77 nor an object 80")


def _cardholder(selected: Selected, objects: Objects) -> Verified:
    """Go through the card's list; at a slot every method is for every amount."""
    facts = selected.facts
    pin = OfflinePin(selected.transceive, facts.pin_pad.pin)
    able = {
        Cvm.OFFLINE_PIN: bool(bytes.fromhex(facts.capabilities)[1] & _PLAIN_PIN),
        Cvm.ONLINE_PIN: facts.online_pin,
        Cvm.SIGNATURE: facts.signature,
        Cvm.NONE: facts.no_cvm,
    }
    methods = frozenset(method for method, has_it in able.items() if has_it)
    verified = verify(objects, selected.purchase, methods, lambda method: method is not Cvm.OFFLINE_PIN or pin.verify())
    return replace(verified, tvr=verified.tvr | pin.tvr)


def _velocity(selected: Selected, objects: Objects) -> Tvr:
    if 0x9F14 not in objects or 0x9F23 not in objects:
        return Tvr(0)
    return velocity(objects, _counter(selected, _COUNTER), _counter(selected, _LAST_ONLINE))


def _counter(selected: Selected, tag: int) -> int | None:
    try:
        found = unique(apdu.command(selected.transceive, apdu.get_data(tag))).get(tag)
    except (apdu.StatusError, WireError, Malformed):
        return None
    return int.from_bytes(found, "big") if found else None


def _with_pin(capabilities: str) -> str:
    able = bytearray(bytes.fromhex(capabilities))
    able[1] |= _PLAIN_PIN
    return able.hex().upper()
