"""Session keys as a sign-on brings them to a terminal: the PIN key and the MAC key, each under the master key.

Each takes 20 bytes: 16 of the key under the master key (triple DES, ECB; one of 8 bytes is followed by zeros), and the
first four bytes of eight zeros encrypted under the key itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from rig.wire.errors import WireError
from rig.wire.keys import des

_ROOM, _CHECK = 16, 4
_EACH = _ROOM + _CHECK


@dataclass(frozen=True)
class SessionKeys:
    """A PIN key and a MAC key, 8 or 16 bytes each."""

    pin: bytes = field(repr=False)
    mac: bytes = field(repr=False)

    def wrap(self, master: bytes) -> bytes:
        """The 40 bytes of an answer. Raises WireError for a key of another length."""
        return _wrap(master, self.pin) + _wrap(master, self.mac)

    @classmethod
    def unwrap(cls, master: bytes, data: bytes) -> SessionKeys:
        """Read them. Raises WireError where the form or a check value is wrong."""
        if len(data) != 2 * _EACH:
            raise WireError(f"session keys of {len(data)} bytes, expecting {2 * _EACH}")
        return cls(_unwrap(master, data[:_EACH], "PIN"), _unwrap(master, data[_EACH:], "MAC"))


def _wrap(master: bytes, key: bytes) -> bytes:
    if len(key) not in (8, 16):
        raise WireError(f"a session key of {len(key)} bytes, expecting 8 or 16")
    sealed = des.encrypt(master, key)
    return sealed + bytes(_ROOM - len(sealed)) + _check(key)


def _unwrap(master: bytes, data: bytes, name: str) -> bytes:
    sealed = data[:_ROOM]
    key = des.decrypt(master, sealed[:8] if sealed[8:] == bytes(8) else sealed)
    if _check(key) != data[_ROOM:]:
        raise WireError(f"the check value of the {name} key is wrong: another master key?")
    return key


def _check(key: bytes) -> bytes:
    return des.encrypt(key, bytes(des.BLOCK))[:_CHECK]
