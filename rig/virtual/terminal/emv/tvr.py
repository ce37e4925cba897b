"""Terminal verification results (tag 95, EMV Book 3 annex C5): five bytes of what the terminal found wrong."""

from __future__ import annotations

from enum import IntFlag


class Tvr(IntFlag):
    """The bits that this terminal can set; bit 8 of byte 1 is the highest of forty."""

    ODA_NOT_PERFORMED = 0x80_00_00_00_00
    SDA_FAILED = 0x40_00_00_00_00
    DATA_MISSING = 0x20_00_00_00_00
    DDA_FAILED = 0x08_00_00_00_00
    CDA_FAILED = 0x04_00_00_00_00
    SDA_SELECTED = 0x02_00_00_00_00
    VERSIONS_DIFFER = 0x00_80_00_00_00
    EXPIRED = 0x00_40_00_00_00
    NOT_YET_EFFECTIVE = 0x00_20_00_00_00
    SERVICE_NOT_ALLOWED = 0x00_10_00_00_00
    NEW_CARD = 0x00_08_00_00_00
    CARDHOLDER_NOT_VERIFIED = 0x00_00_80_00_00
    UNRECOGNISED_CVM = 0x00_00_40_00_00
    PIN_TRIES_EXCEEDED = 0x00_00_20_00_00
    PIN_PAD_MISSING = 0x00_00_10_00_00
    PIN_NOT_ENTERED = 0x00_00_08_00_00
    ONLINE_PIN_ENTERED = 0x00_00_04_00_00
    FLOOR_LIMIT_EXCEEDED = 0x00_00_00_80_00
    LOWER_OFFLINE_LIMIT_EXCEEDED = 0x00_00_00_40_00
    UPPER_OFFLINE_LIMIT_EXCEEDED = 0x00_00_00_20_00
    CHOSEN_AT_RANDOM = 0x00_00_00_10_00
    MERCHANT_FORCED_ONLINE = 0x00_00_00_08_00
    ISSUER_AUTHENTICATION_FAILED = 0x00_00_00_00_40
    SCRIPT_FAILED_BEFORE = 0x00_00_00_00_20
    SCRIPT_FAILED_AFTER = 0x00_00_00_00_10

    def encode(self) -> bytes:
        """The value of tag 95."""
        return int(self).to_bytes(5, "big")


NOTHING_WRONG = Tvr(0)
