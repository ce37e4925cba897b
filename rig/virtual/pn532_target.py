"""The ISO-DEP card inside the simulated PN532's firmware, as the host meets it through TgGetData and TgSetData.

NXP UM0701-02, 7.3.15 and 7.3.16. The answer to select is the chip's own and cannot be changed but for its historical
bytes: frames of 64 bytes to the card, FWI 9, NAD and CID.
"""

from __future__ import annotations

from collections.abc import Callable

from rig.virtual.picc import SelfDrivenCard
from rig.wire.errors import WireError
from rig.wire.isodep import Ats
from rig.wire.pn532 import Command, Status

ATS = bytes.fromhex("0575339203")


class FirmwareAts(Ats):
    """The chip's answer to select. It offers higher bit rates, which the simulated card does not take up."""

    def encode(self) -> bytes:
        """The fixed bytes."""
        return ATS


class FirmwareTarget:
    """From TgInitAsTarget to the reader's DESELECT or the end of its field.

    Attributes:
        active: a reader has activated it and has not let go of it.
    """

    def __init__(self, send: Callable[[bytes], None], clock: Callable[[], float]) -> None:
        self.active = False
        self._commands: list[bytes] = []
        ats = FirmwareAts(fsci=5, fwi=9, sfgi=2, cid=True)
        self._card = SelfDrivenCard(ats, send, self._commands.append, self._released, clock)

    @property
    def deadline(self) -> float | None:
        """When it must ask the reader for more time."""
        return self._card.deadline

    def heard(self, block: bytes) -> None:
        """A block from the reader."""
        self.active = self.active or block[:1] == b"\xe0"
        self._card.heard(block)

    def tick(self) -> None:
        """Ask for time when it is due."""
        self._card.tick()

    def outcome(self, waiting: Command) -> bytes | None:
        """The answer to the host's TgGetData or TgSetData that waits; None while there is none."""
        if waiting is Command.TG_SET_DATA and not self._card.sending:
            return bytes([Status.OK])
        if waiting is Command.TG_GET_DATA and self._commands:
            return bytes([Status.OK]) + self._commands.pop(0)
        if waiting is Command.TG_GET_DATA and not self.active:
            return bytes([Status.RELEASED])
        return None

    def answer(self, response: bytes) -> bool:
        """Begin to send the host's answer; False when the reader waits for none."""
        try:
            self._card.answer(response)
        except WireError:
            return False
        return True

    def reset(self) -> None:
        """The field went before anybody activated it."""
        self.active = False
        self._commands.clear()
        self._card.reset()

    def _released(self) -> None:
        self.active = False
