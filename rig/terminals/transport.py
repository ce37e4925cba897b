"""Bytes to and from a terminal: a TCP connection, or a serial line.

In a bench file::

    terminal: {tcp: {host: 192.0.2.7, port: 20007}}
    terminal: {serial: {port: /dev/ttyUSB0, baud: 9600}}
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import termios
from typing import Protocol

import serial

from rig.errors import DeviceGone

_PIECE = 4096


class NotSent(DeviceGone):
    """The bytes did not leave, at least not all of them: whatever they asked for will not be done."""


class Transport(Protocol):
    """One line to one device."""

    name: str

    @property
    def is_open(self) -> bool:
        """Whether the line was opened and not closed since."""
        ...

    def open(self) -> None:
        """Open the line; does nothing when it is open. Raises DeviceGone."""
        ...

    def send(self, data: bytes) -> None:
        """Send all of ``data``. Raises NotSent."""
        ...

    def receive(self, timeout_s: float) -> bytes:
        """What has come in; empty when nothing came in time. Raises DeviceGone when the line ended."""
        ...

    def hang_up(self) -> None:
        """End the line from another thread: whoever waits for it sees it gone at once. Never raises."""
        ...

    def close(self) -> None:
        """Close the line. Never raises."""
        ...


class TcpTransport:
    """A TCP connection that is opened by the ECR, as PA00P016 has it."""

    def __init__(self, host: str, port: int = 20007, connect_timeout_s: float = 2.0) -> None:
        self.name = f"{host}:{port}"
        self._address = (host, port)
        self._connect_timeout_s = connect_timeout_s
        self._socket: socket.socket | None = None

    @property
    def is_open(self) -> bool:
        """Whether the connection was opened and not closed since."""
        return self._socket is not None

    def open(self) -> None:
        """Connect. Raises DeviceGone when nobody answers in time."""
        if self._socket is not None:
            return
        try:
            self._socket = socket.create_connection(self._address, self._connect_timeout_s)
        except OSError as error:
            raise DeviceGone(
                self.name, f"no connection: {error}", "the terminal's power, its cable, its address and port"
            ) from error
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data: bytes) -> None:
        """Send all of ``data``. Raises NotSent when the connection took less than all of it."""
        try:
            self._connected().settimeout(self._connect_timeout_s)
            self._connected().sendall(data)
        except OSError as error:
            raise NotSent(
                self.name, f"the connection took no message: {error}", "the terminal may have restarted"
            ) from error

    def receive(self, timeout_s: float) -> bytes:
        """What has come in. Raises DeviceGone when the terminal closed or broke the connection."""
        try:
            self._connected().settimeout(max(timeout_s, 0.000_001))
            data = self._connected().recv(_PIECE)
        except (TimeoutError, BlockingIOError):
            return b""
        except OSError as error:
            raise DeviceGone(self.name, f"the connection broke: {error}", "the terminal may have restarted") from error
        if not data:
            raise DeviceGone(self.name, "the terminal closed the connection", "it may have restarted or given up")
        return data

    def hang_up(self) -> None:
        """Shut the connection down."""
        connection = self._socket
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _connected(self) -> socket.socket:
        if self._socket is None:
            raise NotSent(self.name, "the connection is closed", "connect first")
        return self._socket


class SerialTransport:
    """A serial line, 8 data bits, no parity, 2 stop bits, no handshake, as PA00P016 has it.

    The port is locked, since two programs on one line destroy each other's frames. RTS and DTR are left alone:
    a pseudo-terminal has none and answers ENOTTY.
    """

    def __init__(self, port: str, baud: int = 9600) -> None:
        self.name = port
        self._baud = baud
        self._port: serial.Serial | None = None
        self._hung_up = os.eventfd(0, os.EFD_NONBLOCK)

    @property
    def is_open(self) -> bool:
        """Whether the port was opened and not closed since."""
        return self._port is not None

    def open(self) -> None:
        """Open and lock the port. Raises DeviceGone when it is not there or somebody else has it."""
        if self._port is not None:
            return
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._hung_up)
        try:
            self._port = serial.Serial(
                self.name, self._baud, stopbits=serial.STOPBITS_TWO, timeout=0, write_timeout=5, exclusive=True
            )
        except (OSError, ValueError, termios.error) as error:
            raise DeviceGone(
                self.name, f"the port does not open: {error}", "the adapter, its name, or whoever else has it open"
            ) from error

    def send(self, data: bytes) -> None:
        """Send all of ``data``. Raises NotSent when the port took less than all of it."""
        try:
            self._opened().write(data)
        except OSError as error:
            raise NotSent(self.name, f"the port took no message: {error}", "the adapter's plug") from error

    def receive(self, timeout_s: float) -> bytes:
        """What has come in. Raises DeviceGone when the port is gone."""
        port = self._opened()
        try:
            ready, _, _ = select.select([port.fileno(), self._hung_up], [], [], max(timeout_s, 0.0))
            if self._hung_up not in ready:
                return bytes(port.read(_PIECE)) if ready else b""
        except OSError as error:
            raise DeviceGone(self.name, f"the port is gone: {error}", "the adapter's plug") from error
        raise DeviceGone(self.name, "the line was hung up", "the terminal is without power")

    def hang_up(self) -> None:
        """Wake whoever waits for the port."""
        os.eventfd_write(self._hung_up, 1)

    def close(self) -> None:
        """Close and unlock the port."""
        if self._port is not None:
            self._port.close()
            self._port = None

    def _opened(self) -> serial.Serial:
        if self._port is None:
            raise NotSent(self.name, "the port is closed", "connect first")
        return self._port
