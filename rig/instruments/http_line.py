"""A line session over HTTP: each line is the path of a GET, each answer its body.

A box whose firmware has a web server, as Mini-Circuits builds it, takes a command as ``GET /:CHAN:1:SETATT:30``, and
with a password as ``GET /PWD=secret;:CHAN:1:SETATT:30``. What it does not know it answers with its web page. No proxy
is asked and no redirection followed: the box is on the bench.
"""

from __future__ import annotations

import http.client
import select
import threading
import time
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from rig.errors import CallerMistake, DeviceGone, DeviceMute, DeviceNonsense
from rig.instruments.owned import own
from rig.instruments.transcript import Observe, unobserved

_MAX_ANSWER = 4096
"""A line of a box has some ten characters; its web page has more, and says enough by its beginning."""
_SHOWN = 60
_FORBIDDEN = frozenset({401, 403})


class HttpLine:
    """Asks a path, gets a line. Owned by one process (lock file), safe to use from its threads.

    The connection is kept where the box keeps it. One that has ended since the last answer is opened anew, and after
    any trouble too, so that a late answer is never read by the next question.

    Args:
        address: ``http://HOST`` or ``http://HOST:PORT``.
        name: what the bench calls the instrument.
        lock_folder: where the lock files of this machine's instruments are.
        timeout_s: longest wait for an answer, and for a connection.
        password: the box's, empty where it has none. It never goes into the transcript.
        observe: told every line.

    Raises:
        CallerMistake: an address of another form.
        BenchBusy: another process owns the instrument.
        DeviceGone: nothing answers at the address.
    """

    def __init__(
        self,
        address: str,
        *,
        name: str,
        lock_folder: Path,
        timeout_s: float = 1.0,
        password: str = "",
        observe: Observe = unobserved,
    ) -> None:
        self.name = name
        self.resource = address
        self._timeout_s = timeout_s
        self._prefix = f"/PWD={password};" if password else "/"
        self._observe = observe
        self._mutex = threading.RLock()
        host, port = _host_and_port(address, name)
        self._connection = http.client.HTTPConnection(host, port, timeout=timeout_s)
        self._lock: IO[str] = own(address, name, lock_folder)
        try:
            self._connect()
        except BaseException:
            self._lock.close()
            raise

    def query(self, command: str) -> str:
        """Ask and return the answer, stripped.

        Raises:
            DeviceMute: no answer in time.
            DeviceGone: the connection failed or ended.
            DeviceNonsense: no HTTP, no success, not ASCII, a web page, or nothing.
        """
        with self._mutex:
            if self._lock.closed:
                raise CallerMistake(self.name, "its session is closed", "open it again before asking")
            if self._ended():
                self._connection.close()
            if self._connection.sock is None:
                self._connect()
            self._observe("instrument_tx", {"device": self.name, "line": command})
            asked = time.perf_counter()
            try:
                answer = self._answer(command)
            except BaseException:
                self._connection.close()
                raise
            elapsed_ms = round((time.perf_counter() - asked) * 1000, 2)
            self._observe("instrument_rx", {"device": self.name, "line": answer, "ms": elapsed_ms})
            return answer

    def close(self) -> None:
        """End the session and free the instrument."""
        with self._mutex:
            self._connection.close()
            self._lock.close()

    def _connect(self) -> None:
        try:
            self._connection.connect()
        except (OSError, UnicodeError) as error:
            raise self._gone(str(error) if isinstance(error, TimeoutError) else _reason(error)) from error

    def _ended(self) -> bool:
        """Whether the kept connection is of no use: its end can be read from it, or what nobody asked for."""
        connection = self._connection.sock
        if connection is None:
            return False
        waiting = select.poll()
        waiting.register(connection, select.POLLIN)
        return bool(waiting.poll(0))

    def _answer(self, command: str) -> str:
        try:
            self._connection.request("GET", self._prefix + command, headers={"Accept": "text/plain, */*"})
            response = self._connection.getresponse()
            body = response.read(_MAX_ANSWER)
        except TimeoutError as error:
            raise DeviceMute(
                self.name,
                f"no answer to {command!r} in {self._timeout_s:g} s at {self.resource}",
                "is HTTP on in its network settings? power-cycle it",
            ) from error
        except OSError as error:
            raise self._gone(f"the connection ended on {command!r}: {_reason(error)}") from error
        except http.client.IncompleteRead as error:
            raise self._gone(f"the connection ended in the answer to {command!r}") from error
        except http.client.HTTPException as error:
            raise self._nonsense(command, f"no HTTP: {str(error)[:_SHOWN]!r}") from error
        if not response.isclosed():  # more than anybody wants to read, or of no stated length
            self._connection.close()
        return self._line_in(command, response.status, body)

    def _line_in(self, command: str, status: int, body: bytes) -> str:
        if status in _FORBIDDEN:
            raise DeviceNonsense(self.name, f"refuses {command!r} with HTTP {status}", "write its password in settings")
        try:
            answer = body.decode("ascii").strip()
        except UnicodeDecodeError:
            raise self._nonsense(command, repr(body[:_SHOWN])) from None
        if status != http.client.OK or not answer or len(answer.splitlines()) > 1 or answer.startswith("<"):
            raise self._nonsense(command, f"HTTP {status} {answer[:_SHOWN]!r}")
        return answer

    def _nonsense(self, command: str, answered: str) -> DeviceNonsense:
        return DeviceNonsense(
            self.name, f"answered {answered} to {command!r}", "is it the right box, and the right password, if any?"
        )

    def _gone(self, what: str) -> DeviceGone:
        return DeviceGone(
            self.name, f"{self.resource}: {what}", "check its power, its cable and the address in the bench file"
        )


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__


def _host_and_port(address: str, name: str) -> tuple[str, int]:
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port or http.client.HTTP_PORT
    except ValueError:
        host = None
    if not host or parts.scheme != "http" or parts.path not in ("", "/") or parts.query or parts.username:
        raise CallerMistake(name, f"{address!r} is no address of a box", "write http://HOST or http://HOST:PORT")
    return host, port
