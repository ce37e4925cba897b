"""A card for whatever reads through a vpcd server: any PC/SC program, or a terminal's chip slot on a socket.

In a bench file::

    presenters:
      contact: {driver: vpcd, address: "127.0.0.1:35963"}      # vsmartcard-vpcd under pcscd
      contact: {driver: vpcd, address: slot.sock, settings: {loses_power: true}}
      contactless: {driver: vpcd, address: "127.0.0.1:35963", settings: {interface: contactless}}

Connecting puts the card in, closing pulls it out. Source of the protocol: `rig.wire.vpcd`. A server asks for the ATR
as soon as it has accepted a card; one that does not has another card in its slot.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rig.cards.bureau import CardBureau
from rig.cards.emv.card import Cryptogram, Exchange
from rig.cards.faults import CardFault
from rig.cards.masking import without_number
from rig.cards.presenter import Capability, Moment, Observe, check_faults
from rig.cards.profile import CardProfile, Interface
from rig.cards.slot import SlotAddress, SlotSession, Told
from rig.errors import RigError

ATR = {
    Interface.CONTACT: bytes.fromhex("3B6500002063CB6600"),
    Interface.CONTACTLESS: bytes.fromhex("3B80800101"),
}
"""Answer to reset: T=0 with five historical bytes (ISO/IEC 7816-3), and what PC/SC part 3, 3.1.3.2.3.1, has a reader
make of an ISO/IEC 14443-4 card without historical bytes."""


class VpcdPresenter:
    """Presents one card at a time.

    Args:
        address: ``HOST:PORT``, or the path of a Unix socket. Nothing is connected before a card is armed.
        bureau: issues the cards.
        observe: takes the events of `rig.cards.presenter.Presenter`.
        moment: called at the moments of `rig.cards.presenter.Moment`.
        interface: what the reader is to take the card for: `contact`, or `contactless`.
        loses_power: the slot is dead while the terminal is off: a connection that it ends leaves a card without
            power, which is no trouble. Without it, it is: pcscd never ends one by itself.

    Raises:
        CallerMistake: the address is none.
    """

    interface = Interface.CONTACT
    capabilities = frozenset({Capability.MOMENTS, Capability.TEAR, Capability.RESPONSES})

    def __init__(
        self, address: str | Path, bureau: CardBureau, observe: Observe, moment: Moment, *,
        interface: str = Interface.CONTACT, loses_power: bool = False,
    ) -> None:  # fmt: skip
        self._address = SlotAddress.parse(address)
        self._name = str(self._address)
        self._bureau, self._observe, self._moment = bureau, observe, moment
        self._loses_power = loses_power
        self.interface = Interface(interface)
        self._session: SlotSession | None = None
        self._lock = threading.RLock()

    def arm(self, card: CardProfile, faults: Sequence[CardFault] = ()) -> None:
        """Put the card into the slot; one that was there is removed first. See `Presenter.arm`.

        Raises:
            DeviceGone: nobody listens there.
            BenchBusy: another card is in the slot.
        """
        check_faults(self._name, self.capabilities, faults)
        with self._lock:
            if self._session:
                self.remove("replaced")
            issued = self._bureau.issue(card, self.interface)
            session = SlotSession(
                self._address, ATR[self.interface], issued, faults, self._told(card), self._loses_power
            )
            session.start()
            self._session = session

    def remove(self, why: str = "asked") -> dict[str, Any]:
        """Pull the card. See `Presenter.remove`.

        The proof: `target` ("released": the connection, through which alone it answers, is shut at both ends), `slot`
        (the address), and `card`, the name of what was removed or None.
        """
        with self._lock:
            session, self._session = self._session, None
        if session:
            session.end()
        name = session.card.profile.name if session else None
        proof = {"card": name, "target": "released", "slot": self._name}
        if session:
            self._observe("card_removed", {"why": why, "proof": proof})
            self._complain(session)
        return proof

    def wait(self) -> None:
        """Until the card is out of the slot, whoever ended it; at once when there is none."""
        session = self._session
        if session:
            session.wait()

    def identify(self) -> dict[str, Any]:
        """The slot, and the card that is in it, if any: name, masked PAN, token, ATR."""
        with self._lock:
            face = None
            if self._session:
                profile = self._session.card.profile
                face = {**self._bureau.public_face(profile), "atr": ATR[self.interface].hex().upper()}
            return {"device": "vpcd", "port": self._name, "card": face}

    def close(self) -> None:
        """Pull the card; a second call does nothing."""
        if self._session:
            self.remove("closed")

    def _complain(self, session: SlotSession) -> None:
        trouble = session.trouble
        if isinstance(trouble, RigError):
            self._observe("bench_fault", {"device": trouble.device, "what": trouble.what, "cure": trouble.cure})
        if trouble:
            raise trouble

    # --- called by the session, in its thread ------------------------------------------------------------------------

    def _told(self, card: CardProfile) -> Told:
        return Told(
            seen=partial(self._seen, card),
            before_answer=partial(self._before_answer, card),
            after_answer=partial(self._after_answer, card),
            fault=partial(self._observe, "card_fault"),
            torn=self._remove_torn,
            returned=lambda why: self._observe("card_returned", {"card": card.name, "why": why}),
        )

    def _remove_torn(self, session: SlotSession, why: str) -> None:
        with self._lock:
            if self._session is session:
                self.remove(why)

    def _seen(self, card: CardProfile) -> None:
        face = self._bureau.public_face(card)
        self._observe(
            "card_armed",
            {**face, "uid": None, "atr": ATR[self.interface].hex().upper(), "interface": str(self.interface)},
        )

    def _before_answer(self, card: CardProfile, exchange: Exchange) -> None:
        if exchange.selected:
            self._moment("card_selected", {"card": card.name})
        if exchange.cryptogram and not exchange.cryptogram.last:
            self._moment("card_cryptogram", self._signed(card, exchange.cryptogram))

    def _after_answer(self, card: CardProfile, exchange: Exchange, sent: bool) -> None:
        response = without_number(exchange.response, card) if sent else b""
        self._observe("card_apdu", {"command": exchange.command, "response": response, "name": exchange.name})
        if exchange.cryptogram and sent:
            signed = self._signed(card, exchange.cryptogram)
            self._observe("card_cryptogram", signed)
            if not exchange.cryptogram.last:
                self._moment("card_answered", signed)

    def _signed(self, card: CardProfile, cryptogram: Cryptogram) -> Mapping[str, Any]:
        return {"token": self._bureau.public_face(card)["token"], **cryptogram.told}
