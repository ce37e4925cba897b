"""A session over a websocket whose every message is a JSON object: one is asked, its answer comes with its number.

Amarisoft's remote API speaks so. The number (``message_id``) is what keeps answers apart from the notifications that
come in between, and a late answer apart from the next one.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, NoReturn, TypeVar

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from rig.errors import BenchTrouble, CallerMistake, DeviceGone, DeviceMute, DeviceNonsense
from rig.instruments.owned import own
from rig.instruments.transcript import Observe, unobserved

_Result = TypeVar("_Result")
_ORIGIN = "pos-rig"
"""Amarisoft's server refuses a handshake without an origin; any will do."""
_MAX_MESSAGE = 16 * 1024 * 1024
_GOODBYE_S = 0.2
"""How long the end of a connection may take: one that is dropped for its silence is not waited for."""
_SHOWN = 200
"""So much of a message goes into the transcript: a whole configuration is no line."""

Message = Mapping[str, Any]
Welcome = Callable[["JsonSocket", Message], None]
"""Called with the server's first message on each connection: logs in where it asks for it, refuses a wrong server."""


class JsonSocket:
    """Asks an object, gets an object. Owned by one process (lock file), safe to use from its threads.

    A connection that has ended since the last answer is opened anew, and after any trouble too.

    Args:
        address: ``ws://HOST:PORT``.
        name: what the bench calls the instrument.
        lock_folder: where the lock files of this machine's instruments are.
        welcome: told the server's first message, each time.
        timeout_s: longest wait for an answer, and for a connection.
        observe: told every message, cut short.

    Raises:
        CallerMistake: an address of another form.
        BenchBusy: another process owns the instrument.
        DeviceGone, DeviceMute, DeviceNonsense: nothing answers at the address, or no websocket does.
    """

    def __init__(
        self,
        address: str,
        *,
        name: str,
        lock_folder: Path,
        welcome: Welcome,
        timeout_s: float = 1.0,
        observe: Observe = unobserved,
    ) -> None:
        self.name = name
        self.resource = address
        self._timeout_s = timeout_s
        self._welcome = welcome
        self._observe = observe
        self._mutex = threading.RLock()
        self._connection: ClientConnection | None = None
        self._open = contextlib.ExitStack()
        self._asked = 0
        self._lock: IO[str] = own(address, name, lock_folder)
        try:
            self._opened()
        except BaseException:
            self._lock.close()
            raise

    def ask(self, message: Message) -> Message:
        """Send a message and return its answer, which may hold ``error``.

        Raises:
            DeviceMute: no answer in time.
            DeviceGone: the connection failed or ended.
            DeviceNonsense: what came is no JSON object.
        """
        with self._mutex:
            connection = self._opened()
            return self._guarded(f"{message.get('message')!r}", lambda: self._exchange(connection, message))

    def close(self) -> None:
        """End the session and free the instrument."""
        with self._mutex:
            self._drop()
            self._lock.close()

    def _opened(self) -> ClientConnection:
        if self._lock.closed:
            raise CallerMistake(self.name, "its session is closed", "open it again before asking")
        if self._connection is not None and self._connection.close_code is None:
            return self._connection
        self._drop()
        self._connection = connection = self._guarded("the handshake", self._connect)
        first = self._guarded("the handshake", lambda: self._received(connection, self._timeout_s))
        try:
            self._welcome(self, first)
        except BaseException:
            self._drop()
            raise
        return connection

    def _connect(self) -> ClientConnection:
        try:
            return self._open.enter_context(
                connect(
                    self.resource,
                    origin=Origin(_ORIGIN),
                    proxy=None,
                    compression=None,
                    ping_interval=None,
                    open_timeout=self._timeout_s,
                    close_timeout=_GOODBYE_S,
                    max_size=_MAX_MESSAGE,
                )
            )
        except InvalidURI as error:
            raise CallerMistake(self.name, f"{self.resource!r} is no address of it", "write ws://HOST:PORT") from error
        except InvalidHandshake as error:
            raise DeviceNonsense(
                self.name, f"{self.resource} is no websocket: {error}", "is it the port of the remote API (com_addr)?"
            ) from error
        except (OSError, UnicodeError) as error:
            self._raise_gone(str(getattr(error, "strerror", None) or error) or "no connection in time", error)

    def _exchange(self, connection: ClientConnection, message: Message) -> Message:
        self._asked += 1
        number = self._asked
        self._note("instrument_tx", message)
        asked = time.perf_counter()
        connection.send(json.dumps({**message, "message_id": number}))
        deadline = time.monotonic() + self._timeout_s
        while True:
            answer = self._received(connection, max(deadline - time.monotonic(), 0))
            if answer.get("message_id") == number:
                self._note("instrument_rx", answer, ms=round((time.perf_counter() - asked) * 1000, 2))
                return answer

    def _received(self, connection: ClientConnection, timeout_s: float) -> Message:
        text = connection.recv(timeout=timeout_s)
        try:
            message = json.loads(text)
        except ValueError:
            message = None
        if not isinstance(message, dict):
            raise DeviceNonsense(self.name, f"says {text[:_SHOWN]!r}", "is it the port of the remote API (com_addr)?")
        return message

    def _guarded(self, asked: str, act: Callable[[], _Result]) -> _Result:
        """Name what a connection may do instead of answering; it is of no use afterwards."""
        try:
            return act()
        except TimeoutError as error:
            self._drop()
            raise DeviceMute(
                self.name,
                f"no answer to {asked} in {self._timeout_s:g} s at {self.resource}",
                "is the box busy? see it",
            ) from error
        except (ConnectionClosed, OSError, UnicodeError) as error:
            self._drop()
            self._raise_gone(f"the connection ended on {asked}: {error}", error)
        except BenchTrouble:
            self._drop()
            raise

    def _drop(self) -> None:
        self._connection = None
        with contextlib.suppress(OSError):
            self._open.close()

    def _note(self, kind: str, message: Message, **more: float) -> None:
        line = json.dumps({key: value for key, value in message.items() if key not in ("message_id", "res")})
        self._observe(kind, {"device": self.name, "line": line[:_SHOWN], **more})

    def _raise_gone(self, what: str, error: Exception) -> NoReturn:
        raise DeviceGone(
            self.name, f"{self.resource}: {what}", "check its power, its cable and the address in the bench file"
        ) from error
