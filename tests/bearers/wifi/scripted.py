"""A hostapd of paper: a datagram socket that answers what it was told to, and can tell events."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from pathlib import Path

Answer = str | Callable[[], str] | None


class ScriptedHostapd:
    """Answers each command as ``answers`` has it; None: not at all. Others it does not know, as hostapd says."""

    def __init__(self, path: Path, answers: dict[str, Answer]) -> None:
        self.heard: list[str] = []
        self.answers: dict[str, Answer] = {"ATTACH": "OK\n", "DETACH": None, "PING": "PONG\n", **answers}
        self.attached: list[str | bytes] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        threading.Thread(target=self._serve, daemon=True).start()

    def tell(self, event: str, level: int = 3) -> None:
        """Send an event to everybody who attached."""
        for each in self.attached:
            with contextlib.suppress(OSError):
                self._socket.sendto(f"<{level}>{event}".encode(), each)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                data, sender = self._socket.recvfrom(4096)
            except OSError:
                return
            if not data:
                return
            command = data.decode()
            self.heard.append(command)
            if command == "ATTACH":
                self.attached.append(sender)
            answer = self.answers.get(command, "UNKNOWN COMMAND\n")
            text = answer() if callable(answer) else answer
            if text is not None:
                with contextlib.suppress(OSError):
                    self._socket.sendto(text.encode(), sender)
