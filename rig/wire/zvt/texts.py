"""What ZVT's codes mean, in English.

Source: PA00P015, chapters "Error-Messages" and "Intermediate Status Information".
"""

from __future__ import annotations

from collections.abc import Mapping

_RESULTS: Mapping[int, str] = {
    0x00: "no error",
    0x64: "card not readable",
    0x65: "card data not present",
    0x66: "processing error",
    0x67: "function not permitted for this card",
    0x6A: "card expired",
    0x6B: "card number invalid",
    0x6C: "aborted by key or time-out",
    0x6D: "card blocked",
    0x6E: "wrong currency",
    0x6F: "currency not supported",
    0x71: "credit not sufficient",
    0x77: "end of day not possible",
    0x78: "card error",
    0x7A: "outdated card",
    0x83: "function not possible",
    0x85: "key missing",
    0x89: "PIN pad defective",
    0x9A: "ZVT protocol error",
    0x9B: "communication error with the host",
    0x9C: "please wait",
    0xA0: "receiver not ready",
    0xA1: "remote station does not answer",
    0xA3: "no connection",
    0xB1: "memory full",
    0xB2: "merchant journal full",
    0xB4: "already reversed",
    0xB5: "reversal not possible",
    0xB7: "pre-authorisation incorrect",
    0xC2: "diagnosis required",
    0xC3: "maximum amount exceeded",
    0xCC: "printer not ready",
    0xDC: "card inserted",
    0xF0: "open end of day: the terminal is locked",
    0xFF: "system error",
}

_INTERMEDIATE: Mapping[int, str] = {
    0x00: "waiting for the amount to be confirmed",
    0x01: "please watch the PIN pad",
    0x02: "please watch the PIN pad",
    0x03: "not accepted",
    0x04: "waiting for the host's answer",
    0x05: "sending an auto-reversal",
    0x06: "sending post-bookings",
    0x07: "card not admitted",
    0x08: "card unknown",
    0x09: "card expired",
    0x0A: "insert or present the card",
    0x0B: "please remove the card",
    0x0C: "card not readable",
    0x0D: "processing error",
    0x0E: "please wait",
    0x0F: "beginning an automatic end of day",
    0x14: "not sufficient credit",
    0x15: "incorrect PIN",
    0x17: "please wait",
    0x1B: "please try again",
    0xC7: "please present the card again",
    0xD2: "connecting to the host",
}


def result_text(code: int) -> str:
    """The meaning of a result code (field 27), of an abort's reason, or of ``84 code``."""
    return _RESULTS.get(code, f"code {code:02X}")


def intermediate_text(code: int) -> str:
    """The meaning of an intermediate status (04 FF)."""
    return _INTERMEDIATE.get(code, f"status {code:02X}")
