"""A PN532 on a serial port as the card, with the chip's own ISO-DEP.

In a bench file::

    presenters:
      contactless: {driver: pn532-firmware, port: /dev/ttyUSB0}

The chip answers RATS, chains, and keeps the reader waiting by itself (NXP UM0701-02: SetParameters 7.2.9,
TgInitAsTarget 7.3.14, TgGetData 7.3.15, TgSetData 7.3.16): no line is too slow for that, so this is the driver for
ordinary transactions. What it costs: the answer to select is always 05 75 33 92 03 whatever the card's profile says
(frames of 64 bytes, FWI 9), blocks cannot be wrong on purpose, and an answer leaves whole or not at all. A PN533 has
no such mode.

Proven against the simulated chip of this project, which is written from the manual, and not yet on a real PN532.
"""

from __future__ import annotations

from collections.abc import Sequence

from rig.cards.chip_session import Callbacks, ChipSession
from rig.cards.emv.card import EmvCard
from rig.cards.faults import CardFault, Tear
from rig.cards.firmware_session import FirmwareSession
from rig.cards.pn532 import Pn532Presenter
from rig.cards.presenter import Capability
from rig.cards.profile import CardProfile
from rig.errors import CallerMistake


class Pn532FirmwarePresenter(Pn532Presenter):
    """Emulates one card at a time. Arguments and errors are those of `Pn532Presenter`."""

    capabilities = frozenset({Capability.MOMENTS, Capability.TEAR, Capability.RESPONSES})

    def arm(self, card: CardProfile, faults: Sequence[CardFault] = ()) -> None:
        """Put the card into the field. See `Presenter.arm`; an answer cannot be torn in its middle."""
        for fault in faults:
            if isinstance(fault, Tear) and fault.place == "inside":
                raise CallerMistake(
                    self._name, f"it cannot do: {fault.name}; the chip sends an answer whole", "use the driver pn532"
                )
        super().arm(card, faults)

    def _session_with(self, card: EmvCard, uid: bytes, faults: Sequence[CardFault], told: Callbacks) -> ChipSession:
        return FirmwareSession(self._name, self._device, self._tty, card, uid, told, faults)

    def _check(self, card: CardProfile) -> None:
        """The chip's frames are its own; what the profile says of them does not matter."""
