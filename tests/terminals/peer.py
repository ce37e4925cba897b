"""A terminal that follows a script, byte for byte, at the other end of a real line.

A script is a list of steps::

    > 06 70 00      the ECR must send exactly this message
    < 80 00 00      send this message
    >> 06           the ECR must send exactly these raw bytes (on a serial line: outside of frames)
    << 15           send these raw bytes
    quiet           nothing comes for a while
    release         let a moment go on that waits for it
    end             the ECR must close the line
    close, reset    close the line; break it

On a serial line messages are framed and acknowledged. What went wrong is raised by ``finish``.
"""

from __future__ import annotations

import os
import select
import socket
import struct
import threading
import tty
from collections.abc import Iterable
from types import TracebackType
from typing import Protocol, Self

from rig.wire.zvt import encode_frame

Script = list[str]
_PATIENCE_S = 5.0
_QUIET_S = 0.05

REGISTER: Script = ["> 0600 06 000000 8E 0978", "< 800000", "< 060F 0A 1900 2952000001 490978", "> 800000"]
NOTHING_STORED: Script = ["> 0620 05 000000 0303", "< 800000", "< 061E 01 83", "> 800000"]
UP: Script = REGISTER + NOTHING_STORED
PAY: Script = ["> 0601 0A 04 000000001234 49 0978", "< 800000"]


def stored(receipt: int, trace: int, amount: int, result: int = 0) -> Script:
    """The dialogue in which the terminal tells what it stored last."""
    status = f"27{result:02X} 04{amount:012d} 0B{trace:06d} 87{receipt:04d}"
    return ["> 0620 05 000000 0303", "< 800000", f"< 040F 10 {status}", "> 800000", "< 060F 00", "> 800000"]


class _Line(Protocol):
    def receive(self, count: int) -> bytes: ...
    def send(self, data: bytes) -> None: ...
    def quiet(self) -> bool: ...
    def close(self) -> None: ...
    def reset(self) -> None: ...


class Peer:
    """Runs scripts in a thread: the first connection follows the first script, and so on."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self._thread: threading.Thread | None = None
        self._trouble: BaseException | None = None

    def plays(self, *scripts: Iterable[str]) -> Self:
        self._thread = threading.Thread(target=self._play, args=(scripts,), daemon=True)
        self._thread.start()
        return self

    def finish(self) -> None:
        """Wait for the end of the scripts, and raise what went wrong."""
        assert self._thread is not None
        self._thread.join(2 * _PATIENCE_S)
        if self._trouble is not None:
            raise self._trouble
        assert not self._thread.is_alive(), "the script waits for more"

    def forget(self) -> None:
        """Leave the scripts where they are: how often the ECR asks is its own business."""
        self._thread = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None and self._thread is not None:
                self.finish()
        finally:
            self.close()

    def close(self) -> None:
        raise NotImplementedError

    def _accept(self) -> _Line:
        raise NotImplementedError

    def _play(self, scripts: tuple[Iterable[str], ...]) -> None:
        try:
            for script in scripts:
                line = self._accept()
                for step in script:
                    self._step(line, step)
                line.close()
        except BaseException as error:  # noqa: BLE001 - handed to the test's own thread
            self._trouble = error

    def _step(self, line: _Line, step: str) -> None:
        verb, _, rest = step.partition(" ")
        match verb:
            case ">":
                self._expect_message(line, bytes.fromhex(rest))
            case "<":
                self._send_message(line, bytes.fromhex(rest))
            case ">>":
                _expect(line, bytes.fromhex(rest), step)
            case "<<":
                line.send(bytes.fromhex(rest))
            case "quiet":
                assert line.quiet(), "the ECR spoke, or closed, where it should wait"
            case "release":
                self.released.set()
            case "end":
                assert line.receive(1) == b"", "the ECR spoke where it should close"
            case "close":
                line.close()
            case "reset":
                line.reset()
            case _:
                raise AssertionError(f"no such step: {step}")

    def _expect_message(self, line: _Line, message: bytes) -> None:
        _expect(line, message, message.hex(" "))

    def _send_message(self, line: _Line, message: bytes) -> None:
        line.send(message)


def _expect(line: _Line, data: bytes, what: str) -> None:
    got = b""
    while len(got) < len(data):
        piece = line.receive(len(data) - len(got))
        if not piece:
            break
        got += piece
    assert got == data, f"expected {what}, got {got.hex(' ')}"


class TcpPeer(Peer):
    """Listens on a port of the loopback interface."""

    def __init__(self) -> None:
        super().__init__()
        self._address = ("127.0.0.1", 0)
        self._lines: list[_TcpLine] = []
        self.listen()

    @classmethod
    def at(cls, port: int) -> TcpPeer:
        """A terminal that is off: it will listen on this port."""
        peer = cls.__new__(cls)
        Peer.__init__(peer)
        peer._address = ("127.0.0.1", port)
        peer._lines = []
        return peer

    def listen(self) -> None:
        self._server = socket.create_server(self._address)
        self._server.settimeout(_PATIENCE_S)

    @property
    def port(self) -> int:
        port: int = self._server.getsockname()[1]
        return port

    def close(self) -> None:
        self._server.close()
        for line in self._lines:
            line.close()

    def _accept(self) -> _Line:
        connection, _ = self._server.accept()
        self._lines.append(_TcpLine(connection))
        return self._lines[-1]


class _TcpLine:
    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        connection.settimeout(_PATIENCE_S)

    def receive(self, count: int) -> bytes:
        return self._socket.recv(count)

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def quiet(self) -> bool:
        return not select.select([self._socket], [], [], _QUIET_S)[0]

    def close(self) -> None:
        self._socket.close()

    def reset(self) -> None:
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()


class SerialPeer(Peer):
    """Holds the master side of a pseudo-terminal."""

    def __init__(self) -> None:
        super().__init__()
        self._master, self._slave = os.openpty()
        tty.setraw(self._master)
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self._closed = False

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            os.close(self._slave)
            os.close(self._master)

    def reset(self) -> None:
        self.close()

    def receive(self, count: int) -> bytes:
        ready, _, _ = select.select([self._master], [], [], _PATIENCE_S)
        return os.read(self._master, count) if ready else b""

    def send(self, data: bytes) -> None:
        os.write(self._master, data)

    def quiet(self) -> bool:
        return not select.select([self._master], [], [], _QUIET_S)[0]

    def _accept(self) -> _Line:
        return _SharedLine(self)

    def _expect_message(self, line: _Line, message: bytes) -> None:
        super()._expect_message(line, encode_frame(message))
        line.send(b"\x06")

    def _send_message(self, line: _Line, message: bytes) -> None:
        line.send(encode_frame(message))
        _expect(line, b"\x06", f"the acknowledgement of {message.hex(' ')}")


class _SharedLine:
    """The end of a script is not the end of the port."""

    def __init__(self, port: SerialPeer) -> None:
        self._port = port

    def receive(self, count: int) -> bytes:
        return self._port.receive(count)

    def send(self, data: bytes) -> None:
        self._port.send(data)

    def quiet(self) -> bool:
        return self._port.quiet()

    def close(self) -> None:
        return None

    def reset(self) -> None:
        self._port.close()
