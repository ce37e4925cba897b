"""One session to a VISA instrument, opened when it is needed and dropped when in doubt; the traps of opening one.

The traps are listed in :mod:`rig.instruments.visa`, which asks and reads.
"""

from __future__ import annotations

import contextlib
import functools
import os
import select
import socket
import time
from pathlib import Path
from typing import Any

import pyvisa
from pyvisa.constants import BufferOperation
from pyvisa.resources import MessageBasedResource

from rig.errors import CallerMistake, DeviceGone
from rig.instruments.owned import own

_GREETING_S = 0.05


@functools.cache
def _manager() -> pyvisa.ResourceManager:
    return pyvisa.ResourceManager("@py")


class VisaSession:
    """The session below a line; its owner serves one thread at a time.

    Args:
        resource: VISA address.
        name: what the bench calls the instrument.
        lock_folder: where the lock files of this machine's instruments are.
        timeout_s: longest wait for an answer, and for a connection.
        termination: what ends a line that is sent.
        baud_rate: of a serial port; None is pyvisa's 9600.

    Raises:
        BenchBusy: another process owns the instrument.
        DeviceGone: nothing answers at the address.
    """

    def __init__(
        self, resource: str, name: str, lock_folder: Path, timeout_s: float, termination: str, baud_rate: int | None
    ) -> None:
        self._resource = resource
        self._name = name
        self._timeout_s = timeout_s
        self._options: dict[str, Any] = {"read_termination": "\n", "write_termination": termination}
        if baud_rate is not None and resource.upper().startswith("ASRL"):
            self._options["baud_rate"] = baud_rate
        self._instrument: MessageBasedResource | None = None
        self._owed = False
        self._lock = own(resource, name, lock_folder)
        try:
            self.live()
        except BaseException:
            self._lock.close()
            raise

    def live(self) -> MessageBasedResource:
        """The live session, with nothing unread; one whose peer has left since the last query is replaced.

        Raises:
            CallerMistake: the session was closed for good.
            DeviceGone: the instrument cannot be reached.
        """
        if self._lock.closed:
            raise CallerMistake(self._name, "its session is closed", "open it again before asking")
        if self._instrument is not None:
            self._discard_strays()
            if self.alive():
                return self._instrument
            self.drop()
        self._instrument = self._open()
        if connection := self.connection:
            self._welcome(connection)
        elif self._port is not None:
            self._drain()
        return self._instrument

    def drop(self, *, owed: bool = False) -> None:
        """End the session, so that the next :meth:`live` is a new one.

        Args:
            owed: an answer may still come. A new connection never sees it; on a serial port it is waited for.
        """
        self._owed = owed
        if self._instrument is not None:
            with contextlib.suppress(pyvisa.Error, OSError):
                self._instrument.close()
            self._instrument = None

    def close(self) -> None:
        """End the session for good, and free the instrument."""
        self.drop()
        self._lock.close()

    def alive(self) -> bool:
        """Whether the peer of a connection is still there; what is no connection is."""
        connection = self.connection
        if connection is None:
            return self._instrument is not None
        try:
            return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False

    def await_input(self, timeout_s: float) -> bool:
        """Wait for the first byte; True where nothing can be waited for but the read itself.

        pyvisa-py would spin until its timeout on a peer that left.

        Raises:
            OSError: the connection ended instead.
        """
        port = self._port
        if port is None or bool(getattr(self._below, "_pending_buffer", None)):
            return True
        if not select.select([port], [], [], timeout_s)[0]:
            return False
        if isinstance(port, socket.socket) and port.recv(1, socket.MSG_PEEK) == b"":
            raise ConnectionResetError("the instrument ended the connection")
        return True

    @property
    def connection(self) -> socket.socket | None:
        """The TCP socket below a SOCKET resource: pyvisa has no public way to it."""
        return self._port if isinstance(self._port, socket.socket) else None

    def gone(self, what: str) -> DeviceGone:
        """The error that says so."""
        return DeviceGone(
            self._name, f"{self._resource}: {what}", "check its power, its cable and the address in the bench file"
        )

    @property
    def _below(self) -> Any:
        if self._instrument is None:
            return None
        return getattr(self._instrument.visalib, "sessions", {}).get(self._instrument.session)

    @property
    def _port(self) -> Any:
        """The socket, or the serial port; None below a resource of another kind."""
        interface = getattr(self._below, "interface", None)
        return interface if hasattr(interface, "fileno") else None

    def _open(self) -> MessageBasedResource:
        milliseconds = int(self._timeout_s * 1000)
        try:
            instrument = _manager().open_resource(
                self._resource, open_timeout=milliseconds, timeout=milliseconds, **self._options
            )
        except Exception as error:  # pyvisa-py raises the bare class for a host that is not there
            raise self.gone(str(error)) from error
        if not isinstance(instrument, MessageBasedResource):
            instrument.close()
            raise CallerMistake(self._name, f"{self._resource} is no line session", "use a SOCKET or INSTR address")
        return instrument

    def _welcome(self, connection: socket.socket) -> None:
        """Make sure that the connection stands, and drop its greeting: what comes until a short silence.

        Not by pyvisa-py's ``clear``, which reads for ever from a peer that left.
        """
        if refused := connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self.drop()
            raise self.gone(os.strerror(refused))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        deadline = time.monotonic() + self._timeout_s
        while time.monotonic() < deadline and select.select([connection], [], [], _GREETING_S)[0]:
            try:
                greeting = connection.recv(4096)
            except OSError:
                greeting = b""
            if not greeting:
                self.drop()
                raise self.gone("it accepts the connection and ends it; perhaps it serves somebody else")

    def _drain(self) -> None:
        """A serial port keeps what was sent before it was opened; after a timeout the late answer comes still."""
        quiet_s, self._owed = (self._timeout_s if self._owed else 0.0), False
        self._discard_strays()
        deadline = time.monotonic() + 3 * quiet_s
        while quiet_s and time.monotonic() < deadline and self.await_input(quiet_s):
            self._discard_strays()

    def _discard_strays(self) -> None:
        """What came unasked since the last answer answers nothing."""
        if self._instrument is None or self._port is None:
            return
        connection = self.connection
        # Of pyvisa's ways to empty a buffer, this one works on a serial port, and that one on a socket.
        mask = BufferOperation.discard_receive_buffer if connection else BufferOperation.discard_read_buffer
        with contextlib.suppress(pyvisa.VisaIOError, OSError):
            self._instrument.flush(mask)
        if connection is not None:
            with contextlib.suppress(OSError):
                while connection.recv(4096, socket.MSG_DONTWAIT):
                    pass
