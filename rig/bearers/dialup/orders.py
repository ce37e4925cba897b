"""What others ask of a loop that alone may touch a device: done by its own thread, between two other things."""

from __future__ import annotations

import contextlib
import queue
import socket
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

from rig.rpc import Handler

_ORDER_S = 15.0


class Orders:
    """Wait for it among other descriptors, and call :meth:`do` when it is ready."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[tuple[Callable[[], Mapping[str, Any]], Future[Mapping[str, Any]]]] = queue.Queue()
        self._wake_reader, self._wake_writer = socket.socketpair()

    def fileno(self) -> int:
        """For select."""
        return self._wake_reader.fileno()

    def wake(self) -> None:
        """Have the loop look again."""
        with contextlib.suppress(OSError):
            self._wake_writer.send(b"!")

    def handler(self, act: Callable[..., Mapping[str, Any]]) -> Handler:
        """A verb that has the loop's thread do it, and hands on what comes of it."""

        def order(**arguments: Any) -> Mapping[str, Any]:
            done: Future[Mapping[str, Any]] = Future()
            self._waiting.put((lambda: act(**arguments), done))
            self.wake()
            return done.result(_ORDER_S)

        return order

    def do(self, ready: bool) -> None:
        """Do what was asked until now; ``ready``: select said so."""
        if ready:
            self._wake_reader.recv(4096)
        with contextlib.suppress(queue.Empty):
            while True:
                act, done = self._waiting.get_nowait()
                try:
                    done.set_result(act())
                except Exception as error:  # noqa: BLE001 - whatever it is belongs to who asked
                    done.set_exception(error)
