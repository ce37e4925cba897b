"""A card's data objects, as they follow from its profile (EMV Book 3 annex A; AIP: annex C1; CVM list: annex C3)."""

from __future__ import annotations

from typing import Literal

from rig.cards.application import Application
from rig.cards.profile import CardProfile, Interface
from rig.units import CURRENCY_NUMERIC
from rig.wire import tlv

Authentication = Literal["none", "sda", "dda", "cda", "fdda"]

ISSUER_COUNTRY = "0276"
APPLICATION_VERSION = {"visa": "0096", "mastercard": "0002", "unionpay": "0030"}
IN_ANSWER = frozenset({0x9F6C, 0x9F6E})
"""What a contactless Visa or UnionPay card says in the answer to GPO; `tags` may give it another value there."""

# AIP, byte 1; byte 2 bit 8 is "EMV mode is supported" of contactless Mastercard cards (Book C-2, A.1.16).
_SDA, _DDA, _CVM, _RISK, _ISSUER, _DEVICE, _CDA = 0x40, 0x20, 0x10, 0x08, 0x04, 0x02, 0x01
_EMV_MODE = 0x80
_AUTHENTICATIONS: dict[Authentication, int] = {"none": 0, "sda": _SDA, "dda": _DDA, "cda": _DDA | _CDA, "fdda": _DDA}

_TRY_NEXT, _IF_SUPPORTED = 0x40, 0x03
_RULES = {"online-pin": 0x02, "offline-pin": 0x01, "signature": 0x1E, "no-cvm": 0x1F}


def quick(application: Application, interface: Interface) -> bool:
    """Whether the application gives its cryptogram at once, in the answer to GPO: Visa and UnionPay, contactless."""
    return interface is Interface.CONTACTLESS and application.scheme != "mastercard"


def authentication(application: Application, interface: Interface) -> Authentication:
    """The offline data authentication that the application can do on this interface.

    The fast one is for contactless Visa and UnionPay alone and is the dynamic one on the contacts; contactless
    Mastercard cards do the static and the combined one (Book C-2, 4.6).
    """
    can: Authentication = application.authentication
    if quick(application, interface):
        return "fdda" if can == "fdda" else "none"
    if interface is Interface.CONTACTLESS:
        return can if can in ("sda", "cda") else "none"
    return "dda" if can == "fdda" else can


def asks_for_external_authenticate(application: Application) -> bool:
    """Whether the issuer's answer comes by EXTERNAL AUTHENTICATE; Mastercard takes it with the second GENERATE AC."""
    return application.scheme != "mastercard"


def interchange_profile(application: Application, interface: Interface) -> bytes:
    """The AIP (82): what the card can do. It is signed, and sent as it was signed."""
    can = _AUTHENTICATIONS[authentication(application, interface)]
    if quick(application, interface):
        return bytes([can, 0])
    can |= _RISK
    if application.cvm is not None:
        can |= _CVM
    if interface is Interface.CONTACTLESS:
        return bytes([can | (_DEVICE if knows_holder_by_device(application) else 0), _EMV_MODE])
    return bytes([can | (_ISSUER if asks_for_external_authenticate(application) else 0), 0])


def knows_holder_by_device(application: Application) -> bool:
    """Whether the phone itself has made sure of its owner (CDCVM)."""
    return application.cvm is not None and "device" in application.cvm


def cvm_list(application: Application) -> bytes | None:
    """8E: no amounts, then the methods in their order; None where the card has no list."""
    if application.cvm is None:
        return None
    methods = [each for each in application.cvm if each != "device"]
    rules = [
        bytes([_RULES[each] | (0 if each == methods[-1] else _TRY_NEXT), 0 if each == "no-cvm" else _IF_SUPPORTED])
        for each in methods
    ]
    return bytes(8) + b"".join(rules)


def track2(profile: CardProfile) -> bytes:
    """57: number, separator, expiry, service code, five discretionary zeros."""
    return _packed(f"{profile.pan}D{profile.expiry}{profile.service_code}00000")


def identity(profile: CardProfile) -> dict[int, bytes]:
    """Track 2 and the cardholder's name, which stand in an unsigned record as on real cards."""
    return {0x57: track2(profile), 0x5F20: profile.cardholder.encode()}


def static_objects(profile: CardProfile, application: Application, interface: Interface) -> dict[int, bytes]:
    """What the card's issuer vouches for, in the order in which the records hold it, `tags` of the profile last."""
    codes = application.action_codes
    objects: dict[int, bytes | None] = {
        0x5A: _packed(profile.pan),
        0x5F24: _last_day(profile.expiry),
        0x5F25: bytes.fromhex(profile.effective + "01"),
        0x5F28: bytes.fromhex(ISSUER_COUNTRY),
        0x5F34: bytes.fromhex(profile.psn),
        0x9F07: bytes.fromhex(application.usage_control),
        0x9F08: bytes.fromhex(APPLICATION_VERSION[application.scheme]),
    }
    if not quick(application, interface):
        objects |= {
            0x5F30: bytes.fromhex("0" + profile.service_code),
            0x8E: cvm_list(application),
            0x9F0D: bytes.fromhex(codes.default),
            0x9F0E: bytes.fromhex(codes.denial),
            0x9F0F: bytes.fromhex(codes.online),
            0x9F42: bytes.fromhex("0" + CURRENCY_NUMERIC[profile.account.currency]),
            0x9F44: b"\x00" if profile.account.currency == "JPY" else b"\x02",
        }
    if authentication(application, interface) != "none":
        objects[0x9F4A] = b"\x82"
    return {tag: value for tag, value in objects.items() if value is not None} | _added(application, interface)


def adds_records(application: Application) -> bool:
    """Whether the profile puts data objects of its own into the records of a contactless Visa or UnionPay card, which
    then shows them to a terminal that goes online too."""
    return bool(_added(application, Interface.CONTACTLESS))


def encode(objects: dict[int, bytes]) -> list[bytes]:
    """Each object as BER-TLV."""
    return [tlv.encode(tag, value) for tag, value in objects.items()]


def _added(application: Application, interface: Interface) -> dict[int, bytes]:
    in_answer = IN_ANSWER if quick(application, interface) else frozenset()
    return {tag: value for tag, value in application.objects.items() if tag not in in_answer}


def _packed(digits: str) -> bytes:
    """Digits two a byte, filled up with F on the right (format cn)."""
    return bytes.fromhex(digits + "F" * (len(digits) % 2))


def _last_day(year_month: str) -> bytes:
    """The last day of a month, YYMMDD, as cards have it in 5F24."""
    year, month = int(year_month[:2]), int(year_month[2:])
    days = 31 if month in (1, 3, 5, 7, 8, 10, 12) else 30
    if month == 2:
        days = 28 if year % 4 else 29
    return bytes.fromhex(f"{year_month}{days:02d}")
