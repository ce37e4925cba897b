"""Response codes (DE39) that this host gives: ISO 8583:1987, table of response codes, as POS dialects use them."""

from __future__ import annotations

APPROVED = "00"
WRONG_MERCHANT = "03"
DO_NOT_HONOUR = "05"
PARTLY_APPROVED = "10"
INVALID = "12"
WRONG_AMOUNT = "13"
NO_SUCH_CARD = "14"
UNKNOWN_ORIGINAL = "25"
MALFORMED = "30"
NO_FUNDS = "51"
EXPIRED = "54"
WRONG_PIN = "55"
TOO_LATE = "68"
PIN_TRIES_EXCEEDED = "75"
WRONG_BATCH = "77"
ISSUER_OUT = "91"
DUPLICATE = "94"
TOTALS_DIFFER = "95"
BROKEN = "96"
UNKNOWN_TERMINAL = "97"
WRONG_MAC = "A0"

APPROVALS = (APPROVED, PARTLY_APPROVED)
"""After these the host holds money."""
