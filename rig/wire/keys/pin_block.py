"""PIN blocks: ISO 9564-1 formats 0, 3 (with the card number, triple DES) and 4 (with it, AES)."""

from __future__ import annotations

import secrets

from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES

from rig.wire.errors import WireError
from rig.wire.keys import des

_SHORTEST, _LONGEST = 4, 12


def encode(pin: str, pan: str, form: int = 0) -> bytes:
    """The clear block of format 0 or 3, eight bytes. Raises WireError for a PIN or card number of another form."""
    if form not in (0, 3):
        raise WireError(f"PIN block format {form} has no clear form of eight bytes")
    _check_pin(pin)
    fill = "F" * 10 if form == 0 else "".join(secrets.choice("ABCDEF") for _ in range(10))
    digits = (f"{form}{len(pin):X}{pin}" + fill)[:16]
    return _xor(bytes.fromhex(digits), _account(pan))


def decode(block: bytes, pan: str) -> str:
    """The PIN of a clear block of format 0 or 3. Raises WireError where it is none: another key, or another card."""
    if len(block) != des.BLOCK:
        raise WireError(f"a PIN block of {len(block)} bytes")
    digits = _xor(block, _account(pan)).hex().upper()
    form, length = digits[0], int(digits[1], 16)
    pin, fill = digits[2 : 2 + length], digits[2 + length :]
    right_fill = set(fill) <= {"F"} if form == "0" else set(fill) <= set("ABCDEF")
    if form not in "03" or not _SHORTEST <= length <= _LONGEST or not pin.isdigit() or not right_fill:
        raise WireError("no PIN block of format 0 or 3: another key, or another card")
    return pin


def encrypt(pin: str, pan: str, key: bytes, form: int = 0) -> bytes:
    """The block as it travels: 8 bytes for formats 0 and 3 (triple DES key), 16 for 4 (AES key). Raises WireError."""
    if form != 4:
        return des.encrypt(key, encode(pin, pan, form))
    _check_pin(pin)
    head = f"4{len(pin):X}{pin}".ljust(16, "A")
    return _aes(key, _xor(_aes(key, bytes.fromhex(head) + secrets.token_bytes(8)), _account_4(pan)))


def decrypt(data: bytes, pan: str, key: bytes) -> str:
    """The PIN of a block as it travels, by its length. Raises WireError where key or card is another."""
    if len(data) == des.BLOCK:
        return decode(des.decrypt(key, data), pan)
    if len(data) != 16:
        raise WireError(f"an encrypted PIN block of {len(data)} bytes")
    digits = _unaes(key, _xor(_unaes(key, data), _account_4(pan))).hex().upper()
    length = int(digits[1], 16)
    pin, fill = digits[2 : 2 + length], digits[2 + length : 16]
    right_fill = set(fill) <= {"A"}
    if digits[0] != "4" or not _SHORTEST <= length <= _LONGEST or not pin.isdigit() or not right_fill:
        raise WireError("no PIN block of format 4: another key, or another card")
    return pin


def _account(pan: str) -> bytes:
    """Twelve digits of the card number, the check digit left out."""
    if len(pan) < 13 or not (pan.isascii() and pan.isdigit()):
        raise WireError("no card number to make a PIN block with")
    return bytes.fromhex(f"0000{pan[-13:-1]}")


def _account_4(pan: str) -> bytes:
    if not 1 <= len(pan) <= 19 or not (pan.isascii() and pan.isdigit()):
        raise WireError("no card number to make a PIN block with")
    return bytes.fromhex(f"{max(len(pan) - 12, 0)}{pan.rjust(12, '0')}".ljust(32, "0"))


def _check_pin(pin: str) -> None:
    if not (_SHORTEST <= len(pin) <= _LONGEST and pin.isascii() and pin.isdigit()):
        raise WireError("a PIN has 4 to 12 digits")


def _aes(key: bytes, block: bytes) -> bytes:
    return _cipher(key).encryptor().update(block)


def _unaes(key: bytes, block: bytes) -> bytes:
    return _cipher(key).decryptor().update(block)


def _cipher(key: bytes) -> Cipher[modes.ECB]:
    if len(key) not in (16, 24, 32):
        raise WireError(f"a key of {len(key)} bytes: AES wants 16, 24 or 32")
    return Cipher(AES(key), modes.ECB())  # one block: the standard's own way


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
