"""A physical test card in the simulated air: its radio and its ISO-DEP are here, its chip is another process.

That process, the bench's own cards, is met at a socket in the runtime folder, which speaks the protocol of a virtual
smart card reader (`rig.wire.vpcd`): what a reader in the air asks for goes there, and the answer comes back.
"""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Callable
from pathlib import Path

from rig.virtual.air import Air, Antenna, Identity
from rig.virtual.picc import SelfDrivenCard
from rig.wire.errors import WireError
from rig.wire.isodep import Ats
from rig.wire.vpcd import Control, Decoder, encode

SENS_RES, SEL_RES = b"\x04\x00", 0x20


def uid_of(name: str) -> bytes:
    """A card's UID, four bytes that stay the same; 3A, because 08 begins the random ones (ISO/IEC 14443-3, 6.5.4)."""
    return b"\x3a" + hashlib.sha256(name.encode()).digest()[:3]


class PlasticCard:
    """One card, which may be carried from one air to another, or lie in none.

    Args:
        name: its name.
        path: the socket where its chip connects.
        clock: monotonic seconds.
    """

    def __init__(self, name: str, path: Path, clock: Callable[[], float]) -> None:
        self.name, self.path = name, path
        self._identity = Identity(SENS_RES, uid_of(name), SEL_RES)
        self._air: Air | None = None
        self._antenna: Antenna | None = None
        self._protocol = SelfDrivenCard(Ats(), self._transmit, self._ask, lambda: None, clock)
        self._decoder = Decoder()
        self._chip: socket.socket | None = None
        self._owed: list[bool] = []  # for each answer that is to come: whether a reader still waits for it
        path.unlink(missing_ok=True)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(str(path))
        path.chmod(0o600)
        self.listener.listen()

    @property
    def deadline(self) -> float | None:
        """When `tick` must be called at the latest."""
        return self._protocol.deadline

    def tick(self) -> None:
        """Ask the reader for more time when it is due."""
        self._protocol.tick()

    def carry(self, air: Air | None) -> None:
        """Take the card to another air, or out of all."""
        if air is self._air:
            return
        if self._air is not None and self._antenna is not None:
            self._air.leave(self._antenna)
        self._forget()
        self._air, self._antenna = air, None
        if air is not None:
            self._antenna = air.join(self.name, self)
            air.listen(self._antenna, self._identity)

    # --- the chip ----------------------------------------------------------------------------------------------------

    def accept(self) -> socket.socket:
        """The chip has come; a former one is gone."""
        self.lose()
        self._chip, _ = self.listener.accept()
        self._decoder, self._owed = Decoder(), [False]
        self._send(bytes([Control.ATR]))
        return self._chip

    def receive(self) -> bool:
        """Take what the chip says; False when it is gone."""
        try:
            data = self._chip.recv(4096) if self._chip else b""
        except OSError:
            data = b""
        if not data:
            self.lose()
            return False
        for message in self._decoder.feed(data):
            if self._owed and self._owed.pop(0):
                self._answer(message)
        return True

    def lose(self) -> None:
        """The chip is gone: the card is dead."""
        if self._chip:
            self._chip.close()
        self._chip = None

    def close(self) -> None:
        """Give the socket back."""
        self.lose()
        self.listener.close()
        self.path.unlink(missing_ok=True)

    # --- the air -----------------------------------------------------------------------------------------------------

    def heard(self, frame: bytes) -> None:
        """A block from a reader."""
        if self._chip:
            self._protocol.heard(frame)

    def field_lost(self) -> None:
        """The reader's field is gone, and the card without power."""
        self._forget()

    def card_came(self) -> None:
        """Another card came; nothing to this one."""

    def _forget(self) -> None:
        self._protocol.reset()
        self._owed = [False] * len(self._owed)
        self._send(bytes([Control.RESET]))

    def _transmit(self, block: bytes) -> None:
        if self._air is not None and self._antenna is not None:
            self._air.send(self._antenna, block)

    def _ask(self, command: bytes) -> None:
        self._owed.append(True)
        self._send(command)

    def _answer(self, response: bytes) -> None:
        try:
            self._protocol.answer(response)
        except WireError:
            return  # the reader has gone on

    def _send(self, message: bytes) -> None:
        if self._chip:
            try:
                self._chip.sendall(encode(message))
            except OSError:
                self.lose()
