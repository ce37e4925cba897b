"""Cardholder verification by the card's list (8E), and the PIN block of an online PIN.

Source: EMV Book 3, 10.5 and annex C3; ISO 9564-1, 8.3 (format 0).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rig.virtual.terminal.emv.card import Cvm, Purchase
from rig.virtual.terminal.emv.facts import Facts
from rig.virtual.terminal.emv.objects import Malformed, Objects
from rig.virtual.terminal.emv.tvr import NOTHING_WRONG, Tvr

NOT_PERFORMED = bytes.fromhex("3F0000")
NONE_FITTED = bytes.fromhex("3F0001")
NO_CVM_NEEDED = bytes.fromhex("3F0002")
DEVICE_VERIFIED = bytes.fromhex("010002")
"""9F34 of a phone that verified its owner, as contactless kernel 2 tells it."""

_VERIFICATION_SUPPORTED = 0x10
_GO_ON = 0x40
_UNKNOWN, _FAILED, _SUCCESSFUL = 0, 1, 2
_FAIL_CVM = 0x00
_METHODS = {
    0x01: (Cvm.OFFLINE_PIN,), 0x02: (Cvm.ONLINE_PIN,), 0x03: (Cvm.OFFLINE_PIN, Cvm.SIGNATURE),
    0x04: (Cvm.OFFLINE_PIN,), 0x05: (Cvm.OFFLINE_PIN, Cvm.SIGNATURE), 0x1E: (Cvm.SIGNATURE,), 0x1F: (Cvm.NONE,),
}  # fmt: skip
_RESULTS = {Cvm.NONE: _SUCCESSFUL, Cvm.OFFLINE_PIN: _SUCCESSFUL, Cvm.ONLINE_PIN: _UNKNOWN, Cvm.SIGNATURE: _UNKNOWN}

Perform = Callable[[Cvm], bool]
"""Does a verification; whether it succeeded. A signature and an online PIN are judged later: they succeed."""


@dataclass(frozen=True)
class Verified:
    """How the cardholder was verified: ``results`` is 9F34, ``tvr`` what went wrong."""

    cvm: Cvm
    results: bytes
    tvr: Tvr = NOTHING_WRONG


def verify(
    objects: Objects, purchase: Purchase, methods: frozenset[Cvm], perform: Perform = lambda _: True
) -> Verified:
    """Go through the card's list with the methods that the terminal has for this amount.

    Raises:
        Malformed: the list is.
    """
    if not objects[0x82][0] & _VERIFICATION_SUPPORTED:
        return Verified(Cvm.NONE, NOT_PERFORMED)
    found = objects.get(0x8E)
    if found is None:
        return Verified(Cvm.NONE, NOT_PERFORMED, Tvr.DATA_MISSING)
    if len(found) < 8 or len(found) % 2:
        raise Malformed(f"a CVM list of {len(found)} bytes")
    if len(found) == 8:
        return Verified(Cvm.NONE, NOT_PERFORMED)
    return _go_through(found, objects, purchase, methods, perform)


def _go_through(
    listed: bytes, objects: Objects, purchase: Purchase, methods: frozenset[Cvm], perform: Perform
) -> Verified:
    tvr, results = NOTHING_WRONG, NONE_FITTED
    for at in range(8, len(listed), 2):
        code, condition = listed[at], listed[at + 1]
        wanted = _METHODS.get(code & 0x3F)
        has_it = wanted is not None and methods.issuperset(wanted)
        if not _condition_holds(condition, listed, objects, purchase, has_it):
            continue
        if wanted is None and code & 0x3F != _FAIL_CVM:
            tvr |= Tvr.UNRECOGNISED_CVM
        elif wanted is not None and has_it:
            tvr |= Tvr.ONLINE_PIN_ENTERED if Cvm.ONLINE_PIN in wanted else NOTHING_WRONG
            if all(perform(method) for method in wanted):
                return Verified(wanted[-1], bytes([code, condition, _RESULTS[wanted[-1]]]), tvr)
            results = bytes([code, condition, _FAILED])
        elif wanted is not None and not has_it and wanted[0] in (Cvm.ONLINE_PIN, Cvm.OFFLINE_PIN):
            tvr |= Tvr.PIN_PAD_MISSING
        if code & 0x3F == _FAIL_CVM:
            results = bytes([code, condition, _FAILED])
        if not code & _GO_ON:
            break
    return Verified(Cvm.NONE, results, tvr | Tvr.CARDHOLDER_NOT_VERIFIED)


def _condition_holds(condition: int, listed: bytes, objects: Objects, purchase: Purchase, has_it: bool) -> bool:
    """Table 40 of annex C3; an unknown condition does not hold. This terminal gives out no cash but cashback."""
    match condition:
        case 0x00:
            return True
        case 0x02:
            return not purchase.cashback
        case 0x03:
            return has_it
        case 0x05:
            return bool(purchase.cashback)
        case 0x06 | 0x07 | 0x08 | 0x09:
            at = 0 if condition < 0x08 else 4
            limit = int.from_bytes(listed[at : at + 4], "big")
            own_currency = objects.get(0x9F42) == bytes.fromhex(f"0{purchase.currency}")
            return own_currency and (purchase.amount > limit if condition & 1 else purchase.amount < limit)
    return False


def methods_for(purchase: Purchase, facts: Facts) -> frozenset[Cvm]:
    """What a contactless terminal does for this amount: below its CVM limit nothing, from there on everything."""
    if purchase.amount < facts.limits.cvm:
        return frozenset({Cvm.NONE} if facts.no_cvm else ())
    able = {Cvm.ONLINE_PIN: facts.online_pin, Cvm.SIGNATURE: facts.signature}
    return frozenset(method for method, has_it in able.items() if has_it)


def pin_block(facts: Facts, pan: str) -> bytes | None:
    """DE52: the cardholder's PIN as a format 0 block under the PIN pad's key; ``None`` without a key."""
    key, pin = facts.pin_pad.key, facts.pin_pad.pin
    if key is None:
        return None
    clear = int(f"0{len(pin):X}{pin}".ljust(16, "F"), 16) ^ int(pan[-13:-1].rjust(16, "0"), 16)
    from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES  # 20 ms that booting need not wait for
    from cryptography.hazmat.primitives.ciphers import Cipher, modes

    cipher = Cipher(TripleDES(key), modes.ECB()).encryptor()
    return cipher.update(clear.to_bytes(8, "big")) + cipher.finalize()
