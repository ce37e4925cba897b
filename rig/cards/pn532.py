"""A PN532 on a serial port as the card: nfcpy drives the chip, the ISO-DEP and EMV layers are ours.

In a bench file::

    presenters:
      contactless: {driver: pn532, port: /dev/ttyUSB0}

The chip listens as a type A target in raw mode (NXP UM0701-02, 7.3.14 TgInitAsTarget), so every block is answered from
here: that allows protocol faults and needs a fast line (an FTDI's `latency_timer` at 1; nfcpy raises the rate to
921600 baud). The 4-byte UID begins with 08, which the chip prescribes.

Proven against the simulated chip of this project, which is written from the manual, and not yet on a real PN532. That
holds for the wrong checksum above all: it needs the firmware to leave TxMode as the host has set it.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rig.cards.bureau import CardBureau
from rig.cards.chip_session import Callbacks, ChipSession
from rig.cards.emv.card import Cryptogram, EmvCard, Exchange
from rig.cards.faults import CardFault
from rig.cards.masking import without_number
from rig.cards.presenter import Capability, Moment, Observe, check_faults
from rig.cards.profile import CardProfile, Interface
from rig.cards.session import CardSession
from rig.cards.tty import LINE_ERRORS, Device, InterruptibleTty, open_device, told_as_trouble
from rig.errors import CallerMistake, DeviceNonsense, RigError
from rig.wire.isodep_blocks import FRAME_SIZES

MAX_FSCI = 8  # frames of 256 bytes


class Pn532Presenter:
    """Emulates one card at a time.

    Args:
        port: the chip's serial port, any path.
        bureau: issues the cards.
        observe: takes the events of `rig.cards.presenter.Presenter`, and `card_returned` (card, why): one that was torn
            away is there again.
        moment: called at the moments of `rig.cards.presenter.Moment`.

    Raises:
        DeviceGone, BenchBusy, DeviceMute, DeviceNonsense: the port holds no working PN532.
    """

    interface = Interface.CONTACTLESS
    capabilities = frozenset(Capability)

    def __init__(self, port: Path, bureau: CardBureau, observe: Observe, moment: Moment) -> None:
        self._name, self._bureau, self._observe, self._moment = str(port), bureau, observe, moment
        self._device, self._tty = self._open(port)
        self._session: ChipSession | None = None
        self._lock = threading.RLock()
        self._closed = False

    def arm(self, card: CardProfile, faults: Sequence[CardFault] = ()) -> None:
        """Put the card into the field; one that was there is removed first. See `Presenter.arm`."""
        check_faults(self._name, self.capabilities, faults)
        self._check(card)
        with self._lock:
            if self._session:
                self.remove("replaced")
            issued = self._bureau.issue(card)
            uid = uid_of(card)
            session = self._session_with(issued, uid, faults, self._callbacks(card))
            session.start()
            self._session = session
            face = self._bureau.public_face(card)
            self._observe("card_armed", {**face, "uid": uid.hex().upper(), "interface": str(self.interface)})

    def remove(self, why: str = "asked") -> dict[str, Any]:
        """Take the card away and read back that the chip is silent. See `Presenter.remove`.

        The proof: `target` ("released" or "activated") and `in_field` (a reader's field is still felt) as the chip
        says them, `chip`, and `card`, the name of what was removed or None.
        """
        with self._lock:
            session, self._session = self._session, None
            if session:
                session.end()
            proof = {"card": session.card.profile.name if session else None, **self._silence()}
            if session:
                self._observe("card_removed", {"why": why, "proof": proof})
                self._complain(session)
            return proof

    def identify(self) -> dict[str, Any]:
        """The chip, and the card that is presented, if any: name, masked PAN, token, UID."""
        with self._lock:
            face = None
            if self._session:
                profile = self._session.card.profile
                face = {**self._bureau.public_face(profile), "uid": uid_of(profile).hex().upper()}
            return {"device": self._device.chipset_name, "port": self._name, "card": face}

    def close(self) -> None:
        """Take the card away, put the chip to sleep and give the port back; a second call does nothing."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            try:
                if self._session:
                    self.remove("closed")
            finally:
                try:
                    with told_as_trouble(self._name):
                        self._device.close()
                finally:
                    self._tty.close()

    # --- what another chip, or the same in another mode, does in its own way -------------------------------------

    def _open(self, port: Path) -> tuple[Device, InterruptibleTty]:
        return open_device(port)

    def _session_with(self, card: EmvCard, uid: bytes, faults: Sequence[CardFault], told: Callbacks) -> ChipSession:
        return CardSession(self._name, self._device, self._tty, card, uid, told, faults)

    def _check(self, card: CardProfile) -> None:
        """Raises CallerMistake for a card that the chip cannot be."""
        if card.behaviour.frame_size_integer > MAX_FSCI:
            raise CallerMistake(
                card.name, f"field behaviour.frame_size_integer: a PN532 takes frames of {FRAME_SIZES[MAX_FSCI]} bytes",
                f"write {MAX_FSCI} or less",
            )  # fmt: skip

    def _silence(self) -> dict[str, Any]:
        with told_as_trouble(self._name):
            try:
                return silence(self._device, self._name)
            except LINE_ERRORS:  # late answers to commands that were given up, perhaps: let them pass
                self._tty.quieten()
                return silence(self._device, self._name)

    def _complain(self, session: ChipSession) -> None:
        trouble = session.trouble
        if isinstance(trouble, RigError):
            self._observe("bench_fault", {"device": trouble.device, "what": trouble.what, "cure": trouble.cure})
        if trouble:
            raise trouble

    # --- called by the session, in its thinking thread -----------------------------------------------------------

    def _callbacks(self, card: CardProfile) -> Callbacks:
        return Callbacks(
            before_answer=partial(self._before_answer, card),
            after_answer=partial(self._after_answer, card),
            fault=partial(self._observe, "card_fault"),
            torn=self._remove_torn,
            returned=lambda why: self._observe("card_returned", {"card": card.name, "why": why}),
        )

    def _remove_torn(self, session: ChipSession, why: str) -> None:
        with self._lock:
            if self._session is session:
                self.remove(why)

    def _before_answer(self, card: CardProfile, exchange: Exchange) -> None:
        if exchange.selected:
            self._moment("card_selected", {"card": card.name})
        if exchange.cryptogram:
            self._moment("card_cryptogram", self._signed(card, exchange.cryptogram))

    def _after_answer(self, card: CardProfile, exchange: Exchange, sent: bool) -> None:
        response = without_number(exchange.response, card) if sent else b""
        self._observe("card_apdu", {"command": exchange.command, "response": response, "name": exchange.name})
        if exchange.cryptogram and sent:
            signed = self._signed(card, exchange.cryptogram)
            self._observe("card_cryptogram", signed)
            self._moment("card_answered", signed)

    def _signed(self, card: CardProfile, cryptogram: Cryptogram) -> Mapping[str, Any]:
        return {"token": self._bureau.public_face(card)["token"], **cryptogram.told}


def silence(device: Device, name: str) -> dict[str, Any]:
    """Make the chip no card and no reader, and read back that it is so. Raises DeviceNonsense when it is not."""
    device.mute()
    state, _, _ = device.chipset.tg_get_target_status()
    status = device.chipset.get_general_status()
    if state:
        raise DeviceNonsense(name, "the chip still answers as a card", "power-cycle the reader")
    return {"target": "released", "in_field": bool(status[1]), "chip": device.chipset_name}


def uid_of(card: CardProfile) -> bytes:
    """The UID that the card shows: 08 and three bytes of its name's hash, so that it stays the same."""
    return b"\x08" + hashlib.sha256(card.name.encode()).digest()[:3]
