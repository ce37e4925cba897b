"""How the terminal's messages lie on the wire: its host's dialect, and their codes under session keys.

Where the dialect has a message authentication code and the terminal a master key, it signs on before its first request
and gets its session keys with the answer; they are in memory alone, so that it signs on after every boot, and whenever
the host says that a code was wrong (A0).
"""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

from rig.virtual.terminal.bearers import Log
from rig.virtual.terminal.settings import Settings
from rig.wire.errors import WireError
from rig.wire.iso8583 import Message, sealing
from rig.wire.iso8583.registry import find_dialect
from rig.wire.keys.session import SessionKeys

WRONG_CODE = "A0"
"""DE39: the message authentication code was wrong."""

_KEYS = 62


class WrongCode(WireError):
    """An answer whose code is wrong, or that says that the request's was."""


class Protection:
    """Writes requests and reads answers. Raises CallerMistake for an unknown dialect."""

    def __init__(self, settings: Settings, log: Log) -> None:
        self.dialect = find_dialect(settings.dialect)
        self._settings = settings
        self._log = log
        self._keys: SessionKeys | None = None
        self._signed_on = False
        self._traces = itertools.count(1)

    @property
    def must_sign_on(self) -> bool:
        """Whether there are session keys to be had first."""
        return self.dialect.mac is not None and self._settings.master_key is not None and not self._signed_on

    def sign_on(self) -> Message:
        """The request for session keys."""
        usage = self.dialect.usage
        code = next(code for code, wish in usage.codes.items() if wish == "sign-on")
        fields: dict[int, str | bytes] = {11: f"{next(self._traces):06d}"}
        if usage.original == 90:
            fields[7] = f"{datetime.now(UTC):%m%d%H%M%S}"
        fields |= {41: self._settings.terminal_id, 42: self._settings.merchant_id}
        return Message("0800", fields | usage.numbering("network", "000000", code))

    def take(self, answer: Message) -> None:
        """Use the session keys of an answer. Raises WireError where they are wrong."""
        keys = answer.data(_KEYS) if self.dialect.is_binary(_KEYS) else bytes.fromhex(answer.text(_KEYS))
        master = self._settings.master_key
        self._keys = SessionKeys.unwrap(master, keys) if keys and master is not None else None
        self._signed_on = True
        self._log("terminal_signed_on", keys=self._keys is not None)

    def write(self, message: Message) -> bytes:
        """The bytes of a request, header included. Raises WireError."""
        if self._keys is None or message.mti[1] == "8":
            return self.dialect.header + self.dialect.encode(message)
        return self.dialect.header + sealing.seal(self.dialect, message, self._keys.mac)

    def read(self, payload: bytes) -> Message:
        """An answer out of its bytes. Raises WireError, and WrongCode where it cannot be believed."""
        _, data = self.dialect.split(payload)
        message = self.dialect.decode(data)
        if message.text(39) == WRONG_CODE:
            self._signed_on = False
            raise WrongCode("the host says that the code was wrong")
        if self._keys is None or message.mti[1] == "8":
            return message
        if not sealing.is_sealed(message) or not sealing.verify(self.dialect, data, message, self._keys.mac):
            raise WrongCode("the answer's code is wrong")
        return message
