"""A scripted card at the far end of the slot's socket, which remembers every byte that the slot sends."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
from collections.abc import Callable
from pathlib import Path

from rig.wire.vpcd import Control, Decoder, control, encode

ATR = bytes.fromhex("3B6500002063CB6600")
Process = Callable[[bytes], bytes | None]
"""A response; ``None``: the card is pulled instead."""


class CardInSlot:
    """Inserted when it is made; ``atr`` None is a chip that is dead."""

    def __init__(self, slot: Path, process: Process = lambda _: b"\x6d\x00", atr: bytes | None = ATR) -> None:
        self._process = process
        self._atr = atr
        self.heard: queue.Queue[bytes] = queue.Queue()
        self.commands: list[bytes] = []
        self.out = threading.Event()
        self._line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._line.connect(str(slot))
        threading.Thread(target=self._serve, daemon=True).start()

    def next(self) -> bytes:
        """The slot's next message."""
        return self.heard.get(timeout=5)

    def pull(self) -> None:
        """Out of the slot."""
        with contextlib.suppress(OSError):
            self._line.shutdown(socket.SHUT_RDWR)

    def say(self, message: bytes) -> None:
        """Send something by itself."""
        self._line.sendall(encode(message))

    def _serve(self) -> None:
        decoder = Decoder()
        with self._line, contextlib.suppress(OSError):
            while data := self._line.recv(4096):
                for message in decoder.feed(data):
                    self._meet(message)
        self.out.set()

    def _meet(self, message: bytes) -> None:
        told = control(message)
        answer: bytes | None = None
        if told is Control.ATR:
            answer = self._atr
        elif told is None:
            self.commands.append(message)
            answer = self._process(message)
            if answer is None:
                self.pull()
        self.heard.put(message)
        if answer is not None:
            self.say(answer)
