"""ZVT result codes (PA00P015, chapter "Error-Messages") and how the host's answers become them."""

from __future__ import annotations

APPROVED = 0x00
CARD_UNREADABLE = 0x64
PROCESSING_ERROR = 0x66
NOT_REGISTERED = 0x6B
ABORTED = 0x6C
WRONG_CURRENCY = 0x6E
NOT_POSSIBLE = 0x83
CARD_REFUSED = 0x78
MALFORMED = NOT_ACKNOWLEDGED = 0x9A
"""The cash register did not follow the protocol: a command without sense, a result without acknowledgement."""
HOST_UNREACHABLE = 0x9B
HOST_MUTE = 0xA1
ALREADY_REVERSED = 0xB4
REVERSAL_IMPOSSIBLE = 0xB5
END_OF_DAY_OPEN = 0xF0
"""A settlement waits for its answer."""
SYSTEM_ERROR = INTERRUPTED = 0xFF
"""The terminal failed, or the power went, before the end."""


def approves(rc: str) -> bool:
    """Whether a response code (DE39) approves the whole amount."""
    return rc == "00"


def leaves_money_at_host(rc: str) -> bool:
    """Whether the host holds money after this response code; 10 approves a part, which this terminal cannot take."""
    return rc in ("00", "10")


def result_of(rc: str) -> int:
    """The result code for the host's response code: 00 to 99 are the host's own, everything else is an error."""
    return int(rc) if len(rc) == 2 and rc.isascii() and rc.isdigit() and rc != "00" else PROCESSING_ERROR
