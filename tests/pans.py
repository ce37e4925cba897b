"""PANs for tests, computed: none stands in a file, and no test is parametrized with one."""

from __future__ import annotations

from rig.history import Redactor, TestRange

PREFIX = "476173"


def check_digit(body: str) -> str:
    """The digit that makes ``body`` + digit right (ISO/IEC 7812-1, annex B), by adding up from the right."""
    doubled = (int(digit) * 2 for digit in body[::-2])
    plain = sum(int(digit) for digit in body[-2::-2])
    total = plain + sum(value // 10 + value % 10 for value in doubled)
    return str(-total % 10)


def make_pan(prefix: str = PREFIX, length: int = 16, serial: int = 1) -> str:
    """A PAN with a right check digit."""
    body = prefix + str(serial).zfill(length - 1 - len(prefix))
    assert len(body) == length - 1, "the serial is too long"
    return body + check_digit(body)


def redactor(*prefixes: str, key: bytes = bytes(32)) -> Redactor:
    """A redactor for these ranges, or for that of :data:`PREFIX`."""
    return Redactor(key, [TestRange(prefix) for prefix in prefixes or (PREFIX,)])
