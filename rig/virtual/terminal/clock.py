"""The terminal's clock: set by the network at boot, and the measure of whether the host's certificate is valid.

A terminal without a battery wakes up in 1970 or where it was made; so it believes the first time server that it
reaches, and asks again when the host's certificate is not valid by what it was told.
"""

from __future__ import annotations

import contextlib
import secrets
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rig.virtual.terminal.bearers import Attempt, Log
from rig.wire.errors import WireError
from rig.wire.sntp import PORT, decode_time_answer, encode_time_question

_TRY_S = 0.5
_TRIES = 2


class NotValidNow(OSError):
    """By this clock the certificate is not valid yet, or no more."""


class Clock:
    """Seconds since 1970, as far as the terminal knows.

    Args:
        attempts: the bearers that are there now; none where the terminal has a clock of its own.
        log: the terminal's development log.
    """

    def __init__(self, attempts: Callable[[], Iterable[Attempt]], log: Log) -> None:
        self._attempts = attempts
        self._log = log
        self._ahead_s = 0.0
        self._doubted = threading.Event()

    def start(self) -> None:
        """Ask for the time, and do not wait for it."""
        threading.Thread(target=self.ask, name="clock", daemon=True).start()

    def now(self) -> float:
        """The time."""
        return time.time() + self._ahead_s

    def ask(self) -> bool:
        """Ask every bearer's time server in turn; returns whether one answered."""
        return any(self.ask_over(attempt) for attempt in self._attempts())

    def ask_over(self, attempt: Attempt) -> bool:
        """Ask one bearer's time server; returns whether it answered."""
        if attempt.time_server is None:
            return False
        for _ in range(_TRIES):
            with contextlib.suppress(OSError, WireError), attempt.datagrams() as connection:
                number = secrets.randbits(63) + 1
                connection.connect((attempt.time_server, PORT))
                connection.settimeout(min(_TRY_S, attempt.remaining()))
                connection.send(encode_time_question(number))
                answer = decode_time_answer(connection.recv(4096))
                if answer.originate == number:
                    self._ahead_s = answer.transmit - time.time()
                    self._doubted.clear()
                    self._log("terminal_clock_set", bearer=attempt.bearer, ahead_s=round(self._ahead_s, 3))
                    return True
        return False

    def require_valid(self, certificate: Mapping[str, Any] | None, attempt: Attempt) -> None:
        """See that a certificate (as ``getpeercert`` gives it) is valid now. In doubt the time is asked for anew, once.

        Raises:
            NotValidNow: it is not.
        """
        if not certificate:
            return
        begin = ssl.cert_time_to_seconds(certificate["notBefore"])
        end = ssl.cert_time_to_seconds(certificate["notAfter"])
        if not begin <= self.now() <= end:
            self.ask_over(attempt)
        if not begin <= self.now() <= end:
            told = f"{certificate['notBefore']} to {certificate['notAfter']}"
            raise NotValidNow(f"the host's certificate is valid from {told}, and by the terminal's clock it is not now")
