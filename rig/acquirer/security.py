"""What keys are for: message codes checked and made, PINs read, session keys given out.

What has no key is not judged: a message is taken as it comes, a PIN is not compared, and ``not_judged`` in
``request_received`` names it.
"""

from __future__ import annotations

from rig.acquirer.request import Request
from rig.acquirer.terminal_keys import TerminalKeyStore
from rig.wire.errors import WireError
from rig.wire.iso8583 import Dialect, Message, sealing
from rig.wire.keys import pin_block

_PIN = 52


class Security:
    """The host's side of a dialect's cryptography."""

    def __init__(self, dialect: Dialect, keys: TerminalKeyStore) -> None:
        self._dialect = dialect
        self._keys = keys

    def code_is_right(self, request: Request, data: bytes) -> bool | None:
        """Whether a request's message authentication code is right; None where the dialect has none, or there is no
        key, or it is network management, which goes without."""
        if self._dialect.mac is None or request.kind == "network":
            return None
        key = self._keys.of(request.tid).mac
        if key is None:
            return None
        try:
            return sealing.is_sealed(request.message) and sealing.verify(self._dialect, data, request.message, key)
        except WireError:
            return False

    def pin(self, request: Request) -> str | None:
        """The online PIN; None where there is none or no key, empty where the block is none under this key."""
        block = request.message.data(_PIN)
        key = self._keys.of(request.tid).pin if block else None
        if key is None:
            return None
        try:
            return pin_block.decrypt(block, request.pan, key)
        except WireError:
            return ""

    def not_judged(self, request: Request) -> list[str]:
        """What of a request nobody could judge."""
        has_pin = _PIN in request.message.fields
        if self._dialect.mac is None and not has_pin:
            return []
        keys, unjudged = self._keys.of(request.tid), []
        if self._dialect.mac is not None and request.kind != "network" and keys.mac is None:
            unjudged.append("message authentication code: no key")
        if has_pin and keys.pin is None:
            unjudged.append("PIN: no key")
        return unjudged

    def encode(self, answer: Message, tid: str) -> bytes:
        """An answer's bytes, with its code where the dialect has one and there is a key. Raises WireError."""
        if self._dialect.mac is None or answer.mti[1] == "8":
            return self._dialect.encode(answer)
        key = self._keys.of(tid).mac
        return self._dialect.encode(answer) if key is None else sealing.seal(self._dialect, answer, key)

    def new_session(self, tid: str) -> str | bytes | None:
        """New session keys for DE62 of a sign-on's answer; None where the terminal has no master key."""
        data = self._keys.new_session(tid, self._dialect.mac)
        if data is None or self._dialect.is_binary(62):
            return data
        return data.hex().upper()

    def change_underneath(self, tid: str) -> bool:
        """New session keys that the terminal is not told of; whether it had some that they replace."""
        had = self._keys.of(tid).mac is not None
        self._keys.change(tid, self._dialect.mac)
        return had
