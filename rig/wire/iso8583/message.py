"""One message of ISO 8583: its type, its data elements, and what people call it.

Types as in ISO 8583:1987: version, class, function, origin. In the normal form of this project binary elements are
bytes and all others text exactly as wide as the element is, whatever a dialect makes of them on the wire; track 2 has
``=`` between number and expiry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rig.wire.errors import WireError

BINARY = frozenset({52, 55, 64, 96, 128})
"""The data elements whose value is ``bytes`` in every dialect; one may add to them."""

NUMERIC = frozenset({*range(2, 28), 32, 33, 53, *range(66, 91), 92, 93, 99, 100})
"""The data elements of digits only."""


@dataclass(frozen=True)
class Message:
    """One message: its type (four digits) and its data elements by number.

    DE52, 55, 64, 96 and 128 are bytes, the rest text exactly as wide as the element is.
    """

    mti: str
    fields: Mapping[int, str | bytes] = field(default_factory=dict)

    def text(self, number: int, default: str = "") -> str:
        """A text element, or ``default`` where the message has none."""
        value = self.fields.get(number, default)
        return value if isinstance(value, str) else default

    def data(self, number: int) -> bytes:
        """A binary element; empty where the message has none."""
        value = self.fields.get(number, b"")
        return value if isinstance(value, bytes) else b""

    @property
    def name(self) -> str:
        """What people call this message: "sale request", "reversal repeat", "settlement response"."""
        return message_name(self.mti, self.text(3))


def check_mti(mti: str) -> None:
    """Raises WireError where a type is not four digits."""
    if len(mti) != 4 or not (mti.isascii() and mti.isdigit()):
        raise WireError("a message type is four digits")


# Message types ---------------------------------------------------------------------------------------------------

_CLASSES = {"1": "authorisation", "2": "financial", "3": "batch upload", "4": "reversal", "5": "settlement",
            "6": "administration", "8": "network management"}  # fmt: skip
_FUNCTIONS = {"0": "request", "1": "response", "2": "advice", "3": "advice response"}
_PROCESSING = {"00": "sale", "20": "void"}


def is_repeat(mti: str) -> bool:
    """Whether a type says that its message was sent before (0201, 0401, 0421 …)."""
    check_mti(mti)
    return mti[3] in "135"


def is_response(mti: str) -> bool:
    """Whether a type is an answer (0210, 0430 …)."""
    check_mti(mti)
    return mti[2] in "13"


def is_advice(mti: str) -> bool:
    """Whether a type tells of what was done already (0220, 0221, 0420 …) rather than ask for it."""
    check_mti(mti)
    return mti[2] == "2"


def response_mti(mti: str) -> str:
    """The type of the answer: 0200 and 0201 → 0210, 0420 and 0421 → 0430. Raises WireError for an answer's type."""
    if is_response(mti) or mti[2] not in "02":
        raise WireError(f"{mti} is no request and has no answer")
    return f"{mti[:2]}{int(mti[2]) + 1}0"


def mti_class(mti: str) -> str:
    """Version and class of a type, the same for a message, its repeat and its answer: ``"02"`` or ``"04"``."""
    check_mti(mti)
    return mti[:2]


def message_name(mti: str, processing: str = "") -> str:
    """What people call a message, from its type and processing code (DE3)."""
    check_mti(mti)
    subject = _CLASSES.get(mti[1], f"class {mti[1]}")
    if mti[1] == "2":
        subject = _PROCESSING.get(processing[:2], subject)
    function = _FUNCTIONS.get(mti[2], f"function {mti[2]}")
    return f"{subject} {'repeat' if function == 'request' and is_repeat(mti) else function}"
