"""The framing between a client and an adb server: pure, no I/O.

A request is its length as four hexadecimal digits, and its text; an answer is ``OKAY`` or ``FAIL`` with a text of the
same form. Behind the ``OKAY`` of a ``shell:`` service comes what the command prints, until the connection ends.

Source: the Android Open Source Project, ``packages/modules/adb``: ``OVERVIEW.TXT``, ``SERVICES.TXT``.
"""

from __future__ import annotations

from rig.wire.errors import WireError

STATUS_BYTES = 4
LENGTH_BYTES = 4
_MAX_TEXT = 0xFFFF


def request(service: str) -> bytes:
    """The bytes that ask for a service, such as ``host:transport-any``.

    Raises:
        WireError: it is too long.
    """
    data = service.encode()
    if len(data) > _MAX_TEXT:
        raise WireError(f"{len(data)} bytes are more than adb takes")
    return f"{len(data):04x}".encode("ascii") + data


def parse_status(status: bytes) -> bool:
    """Whether a service was granted.

    Raises:
        WireError: neither ``OKAY`` nor ``FAIL``.
    """
    if status not in (b"OKAY", b"FAIL"):
        raise WireError(f"{status!r} is neither OKAY nor FAIL")
    return status == b"OKAY"


def parse_length(digits: bytes) -> int:
    """How many bytes follow.

    Raises:
        WireError: no four hexadecimal digits.
    """
    if len(digits) != LENGTH_BYTES or any(digit not in b"0123456789abcdefABCDEF" for digit in digits):
        raise WireError(f"{digits!r} is no length")
    return int(digits, 16)
