"""A line session to a VISA instrument, without the traps of pyvisa 1.16 over pyvisa-py 0.8.

What the stock session does, and what this one does about it (pyvisa-py 0.8.1, ``tcpip.py``):

1. Opening a refused port succeeds, the first write raises: ``SO_ERROR`` is asked after opening.
2. A dead peer looks like a slow one: the socket is peeked at, and its end is told at once.
3. After a timeout the next query reads the late answer: the session is dropped and opened anew.
4. Exclusive access is silently ignored: a lock file in the bench's lock folder, held by ``flock``.
5. Two threads read each other's answers: one query at a time.
6. Nagle's algorithm costs 44 ms a write-then-query: ``TCP_NODELAY``.
7. A blank greeting shifts every answer by one: it is drained, and blank lines are never answers.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import re
import select
import socket
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import pyvisa
from pyvisa.constants import BufferOperation, StatusCode
from pyvisa.resources import MessageBasedResource

from rig.errors import BenchBusy, CallerMistake, DeviceGone, DeviceMute, DeviceNonsense
from rig.instruments.transcript import Observe, unobserved

_MAX_BLANK_LINES = 8
_GREETING_S = 0.05


@functools.cache
def _manager() -> pyvisa.ResourceManager:
    return pyvisa.ResourceManager("@py")


class VisaLine:
    """Asks a line, gets a line. Owned by one process (lock file), safe to use from its threads.

    Args:
        resource: VISA address, such as ``TCPIP::10.0.0.5::23::SOCKET`` or ``ASRL/dev/ttyUSB0::INSTR``.
        name: what the bench calls the instrument.
        lock_folder: where the lock files of this machine's instruments are.
        timeout_s: longest wait for an answer, and for a connection.
        termination: what ends a line that is sent; answers end with LF, a CR before it is dropped.
        observe: told every line.

    Raises:
        BenchBusy: another process owns the instrument.
        DeviceGone: nothing answers at the address.
    """

    def __init__(
        self,
        resource: str,
        *,
        name: str,
        lock_folder: Path,
        timeout_s: float = 1.0,
        termination: str = "\r\n",
        observe: Observe = unobserved,
    ) -> None:
        self.name = name
        self.resource = resource
        self._timeout_s = timeout_s
        self._termination = termination
        self._observe = observe
        self._mutex = threading.RLock()
        self._instrument: MessageBasedResource | None = None
        self._lock = _own(resource, name, lock_folder)
        try:
            self._opened()
        except BaseException:
            self._lock.close()
            raise

    def query(self, command: str) -> str:
        """Send a line and return its answer, stripped.

        Raises:
            DeviceMute: no answer in time. The session is opened anew for the next query.
            DeviceGone: the connection ended.
            DeviceNonsense: the answer is not ASCII, or nothing but blank lines.
        """
        with self._mutex:
            instrument = self._opened()
            self._observe("instrument_tx", {"device": self.name, "line": command})
            asked = time.perf_counter()
            try:
                instrument.write(command)
                self._await_input(command)
                answer = self._read_line(instrument, command)
            except pyvisa.VisaIOError as error:
                alive = self._alive()
                self._drop()
                if error.error_code == StatusCode.error_timeout and alive:
                    raise self._mute(command) from error
                raise self._gone(f"the connection ended on {command!r}") from error
            except OSError as error:
                self._drop()
                raise self._gone(f"the connection failed on {command!r}: {error.strerror or error}") from error
            elapsed_ms = round((time.perf_counter() - asked) * 1000, 2)
            self._observe("instrument_rx", {"device": self.name, "line": answer, "ms": elapsed_ms})
            return answer

    def close(self) -> None:
        """End the session and free the instrument."""
        with self._mutex:
            self._drop()
            self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Opening.

    def _opened(self) -> MessageBasedResource:
        """The live session; one whose peer has left since the last query is replaced."""
        if self._lock.closed:
            raise CallerMistake(self.name, "its session is closed", "open it again before asking")
        if self._instrument is not None:
            self._discard_strays()
            if self._alive():
                return self._instrument
            self._drop()
        self._instrument = self._open()
        if connection := self._socket():
            self._welcome(connection)
        else:
            self._instrument.flush(BufferOperation.discard_receive_buffer)
        return self._instrument

    def _welcome(self, connection: socket.socket) -> None:
        """Make sure that the connection stands, and drop its greeting: what comes until a short silence.

        Not by pyvisa-py's ``clear``, which reads for ever from a peer that left.
        """
        if refused := connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._drop()
            raise self._gone(os.strerror(refused))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        deadline = time.monotonic() + self._timeout_s
        while time.monotonic() < deadline and select.select([connection], [], [], _GREETING_S)[0]:
            try:
                greeting = connection.recv(4096)
            except OSError:
                greeting = b""
            if not greeting:
                self._drop()
                raise self._gone("it accepts the connection and ends it; perhaps it serves somebody else")

    def _open(self) -> MessageBasedResource:
        milliseconds = int(self._timeout_s * 1000)
        try:
            instrument = _manager().open_resource(
                self.resource,
                open_timeout=milliseconds,
                timeout=milliseconds,
                read_termination="\n",
                write_termination=self._termination,
            )
        except Exception as error:  # pyvisa-py raises the bare class for a host that is not there
            raise self._gone(str(error)) from error
        if not isinstance(instrument, MessageBasedResource):
            instrument.close()
            raise CallerMistake(self.name, f"{self.resource} is no line session", "use a SOCKET or INSTR address")
        return instrument

    def _drop(self) -> None:
        if self._instrument is not None:
            with contextlib.suppress(pyvisa.Error, OSError):
                self._instrument.close()
            self._instrument = None

    # Reading.

    def _read_line(self, instrument: MessageBasedResource, command: str) -> str:
        for _ in range(_MAX_BLANK_LINES):
            raw = instrument.read_raw()
            try:
                answer = raw.decode("ascii").strip()
            except UnicodeDecodeError:
                self._drop()
                raise DeviceNonsense(
                    self.name, f"answered {raw!r} to {command!r}", "is it the right instrument, baud rate, dialect?"
                ) from None
            if answer:
                return answer
        self._drop()
        raise DeviceNonsense(self.name, f"answered {command!r} with blank lines alone", "another dialect?")

    def _await_input(self, command: str) -> None:
        """Wait for the first byte of the answer: pyvisa-py would spin until its timeout on a peer that left."""
        connection = self._socket()
        if connection is None:
            return
        ready, _, _ = select.select([connection], [], [], self._timeout_s)
        if not ready:
            self._drop()
            raise self._mute(command)
        if connection.recv(1, socket.MSG_PEEK) == b"":
            self._drop()
            raise self._gone(f"the connection ended on {command!r}")

    def _discard_strays(self) -> None:
        """What came unasked since the last answer answers nothing."""
        connection = self._socket()
        if connection is None or self._instrument is None:
            return
        with contextlib.suppress(pyvisa.VisaIOError):
            self._instrument.flush(BufferOperation.discard_receive_buffer)
        with contextlib.suppress(OSError):
            while connection.recv(4096, socket.MSG_DONTWAIT):
                pass

    def _alive(self) -> bool:
        connection = self._socket()
        if connection is None:
            return self._instrument is not None
        try:
            return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False

    def _socket(self) -> socket.socket | None:
        """The TCP socket below a SOCKET resource: pyvisa has no public way to it."""
        if self._instrument is None:
            return None
        sessions = getattr(self._instrument.visalib, "sessions", {})
        interface = getattr(sessions.get(self._instrument.session), "interface", None)
        return interface if isinstance(interface, socket.socket) else None

    def _mute(self, command: str) -> DeviceMute:
        return DeviceMute(
            self.name,
            f"no answer to {command!r} in {self._timeout_s:g} s at {self.resource}",
            "check its line termination, or power-cycle it",
        )

    def _gone(self, what: str) -> DeviceGone:
        return DeviceGone(
            self.name, f"{self.resource}: {what}", "check its power, its cable and the address in the bench file"
        )


def _own(resource: str, name: str, folder: Path) -> IO[str]:
    """Hold the instrument's lock file; it is free when the file is closed, however the process ends."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (re.sub(r"[^A-Za-z0-9.]+", "-", resource).strip("-") + ".lock")
    lock = path.open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        holder = lock.read().strip() or "another process"
        lock.close()
        raise BenchBusy(name, f"{resource} is held by {holder}", "end it, or wait for it") from None
    lock.truncate(0)
    lock.write(f"process {os.getpid()} since {time.strftime('%Y-%m-%d %H:%M:%S')}\n")
    lock.flush()
    return lock
