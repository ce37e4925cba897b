"""What keys are for: message codes checked and made, PINs read, session keys given out.

Keys are those of the session that a sign-on began, or, where the terminal has a base derivation key, those of the one
transaction whose key serial number comes in DE62 (DUKPT). What has no key is not judged: a message is taken as it
comes, a PIN is not compared, and ``not_judged`` in ``request_received`` names it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from rig.acquirer.request import Request
from rig.acquirer.terminal_keys import NO_KEYS, TerminalKeys, TerminalKeyStore
from rig.wire.errors import WireError
from rig.wire.iso8583 import Dialect, Message, sealing
from rig.wire.keys import dukpt, dukpt_aes, pin_block
from rig.wire.keys.mac import MacAlgorithm, key_lengths

_PIN, _KSN = 52, 62


@dataclass(frozen=True)
class LineKeys:
    """The keys of one request and its answer; None where there is none."""

    request_code: bytes | None = field(default=None, repr=False)
    answer_code: bytes | None = field(default=None, repr=False)
    pin: bytes | None = field(default=None, repr=False)


NONE = LineKeys()


class Security:
    """The host's side of a dialect's cryptography."""

    def __init__(self, dialect: Dialect, keys: TerminalKeyStore) -> None:
        self._dialect = dialect
        self._keys = keys

    def keys_for(self, message: Message) -> LineKeys:
        """The keys of a request, by its terminal; none for what has neither code nor PIN.

        Raises WireError where a KSN is none.
        """
        if (self._dialect.mac is None and _PIN not in message.fields) or message.mti[1] == "8":
            return NONE
        keys = self._keys.of(message.text(41).rstrip())
        if keys.bdk is not None and _KSN in message.fields:
            return _of_one_transaction(keys, self._ksn(message), self._dialect.mac)
        return NONE if keys is NO_KEYS else LineKeys(keys.mac, keys.mac, keys.pin)

    def _ksn(self, message: Message) -> bytes:
        try:
            return message.data(_KSN) or bytes.fromhex(message.text(_KSN))
        except ValueError:
            raise WireError("DE62 is no key serial number") from None

    def code_is_right(self, request: Request, data: bytes, keys: LineKeys) -> bool | None:
        """Whether a request's message authentication code is right; None where the dialect has none, or there is no
        key, or it is network management, which goes without."""
        if self._dialect.mac is None or request.kind == "network" or keys.request_code is None:
            return None
        message = request.message
        try:
            return sealing.is_sealed(message) and sealing.verify(self._dialect, data, message, keys.request_code)
        except WireError:
            return False

    @staticmethod
    def pin(request: Request, keys: LineKeys) -> str | None:
        """The online PIN; None where there is none or no key, empty where the block is none under this key."""
        block = request.message.data(_PIN)
        if not block or keys.pin is None:
            return None
        try:
            return pin_block.decrypt(block, request.pan, keys.pin)
        except WireError:
            return ""

    def not_judged(self, request: Request, keys: LineKeys) -> list[str]:
        """What of a request nobody could judge."""
        unjudged = []
        if self._dialect.mac is not None and request.kind != "network" and keys.request_code is None:
            unjudged.append("message authentication code: no key")
        if _PIN in request.message.fields and keys.pin is None:
            unjudged.append("PIN: no key")
        return unjudged

    def encode(self, answer: Message, keys: LineKeys) -> bytes:
        """An answer's bytes, with its code where the dialect has one and there is a key. Raises WireError."""
        if self._dialect.mac is None or answer.mti[1] == "8" or keys.answer_code is None:
            return self._dialect.encode(answer)
        return sealing.seal(self._dialect, answer, keys.answer_code)

    def new_session(self, tid: str) -> str | bytes | None:
        """New session keys for DE62 of a sign-on's answer; None where the terminal has no master key."""
        data = self._keys.new_session(tid, self._dialect.mac)
        if data is None or self._dialect.is_binary(_KSN):
            return data
        return data.hex().upper()

    def change_underneath(self, tid: str) -> bool:
        """New session keys that the terminal is not told of; whether it had some that they replace."""
        had = self._keys.of(tid).mac is not None
        self._keys.change(tid, self._dialect.mac)
        return had


def _of_one_transaction(keys: TerminalKeys, ksn: bytes, algorithm: MacAlgorithm | None) -> LineKeys:
    """The keys that DUKPT derives for one KSN; a code that wants a shorter key takes its first bytes."""
    assert keys.bdk is not None
    session = (dukpt_aes if keys.scheme == "aes" else dukpt).session_keys(keys.bdk, ksn)
    length = key_lengths(algorithm)[-1] if algorithm and algorithm != "aes-cmac" else len(session.mac_request)
    return LineKeys(session.mac_request[:length], session.mac_response[:length], session.pin)
