"""A magnetic stripe as the card: an emulator on a serial port, which plays a track to the terminal's head.

In a bench file::

    presenters:
      stripe: {driver: stripe, port: stripe.tty}

The dialect is the rig's own, made for its virtual terminal and for an emulator built to speak it; no product is known
to, and nobody has tried one. A swipe is a line: track 2 of ISO/IEC 7813 between its sentinels, ``;PAN=YYMMSVC…?``, and
a carriage return; the answer is ``ok`` and a carriage return, or ``bad`` for what the head could not read. An empty
line takes back a swipe that no sale has used.

A swipe is over when it has been answered: there is no card to be torn away, nor an answer to be spoiled. The port is
opened for each, since it may come and go with the terminal's power.
"""

from __future__ import annotations

import termios
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import serial

from rig.cards.bureau import CardBureau
from rig.cards.faults import CardFault
from rig.cards.presenter import Capability, Moment, Observe, check_faults
from rig.cards.profile import CardProfile, Interface
from rig.errors import BenchBusy, CallerMistake, DeviceGone, DeviceMute, DeviceNonsense

ANSWER_S = 2.0
_END = b"\r"
_LONGEST_ANSWER = 16
_DISCRETIONARY = "00000"
_CURE = "check the cable, and that what holds the terminal's head has power"


class StripePresenter:
    """Swipes one card at a time.

    Args:
        port: the emulator's serial port, any path; nothing is opened before a card is armed.
        bureau: says which cards are this bench's.
        observe: takes `card_armed` and `card_removed`.
        moment: taken as every presenter's, and never called: a stripe has no moments.
    """

    interface = Interface.STRIPE
    capabilities: frozenset[Capability] = frozenset()

    def __init__(self, port: Path, bureau: CardBureau, observe: Observe, moment: Moment) -> None:
        self._port, self._bureau, self._observe = port, bureau, observe
        self._card: CardProfile | None = None
        self._lock = threading.RLock()

    def arm(self, card: CardProfile, faults: Sequence[CardFault] = ()) -> None:
        """Swipe the card; returns when the head has read it. See `Presenter.arm`.

        Raises:
            CallerMistake: the card has no stripe, may not be used on this bench, or a fault is asked for.
            DeviceGone, BenchBusy, DeviceMute: the port is not there, is somebody else's, or nothing answers.
            DeviceNonsense: the head could not read the track, or something else answers.
        """
        check_faults(str(self._port), self.capabilities, faults)
        self._check(card)
        with self._lock:
            answer = self._ask(track_of(card))
            if answer != b"ok":
                what = "the head could not read the track" if answer == b"bad" else "no head for stripes answers"
                raise DeviceNonsense(str(self._port), what, "swipe again; is it the right port?")
            self._card = card
            face = self._bureau.public_face(card)
            self._observe("card_armed", {**face, "uid": None, "interface": str(self.interface)})

    def remove(self, why: str = "asked") -> dict[str, Any]:
        """Take a swipe back that no sale has used. See `Presenter.remove`.

        The proof: `target` ("released": the head keeps no track), `head` ("ok", or "absent" where there is no port and
        so nothing that could keep one), and `card`, the name of what was swiped last or None.
        """
        with self._lock:
            card, self._card = self._card, None
            try:
                head = self._ask(b"").decode("ascii", "replace")
            except DeviceGone:
                head = "absent"
            if head not in ("ok", "absent"):
                raise DeviceNonsense(str(self._port), "no head for stripes answers", "is it the right port?")
            proof = {"card": card.name if card else None, "target": "released", "head": head}
            if card:
                self._observe("card_removed", {"why": why, "proof": proof})
            return proof

    def identify(self) -> dict[str, Any]:
        """The port, and the card that was swiped last, if any: name, masked PAN, token."""
        face: Mapping[str, str] | None = self._bureau.public_face(self._card) if self._card else None
        return {"device": "stripe", "port": str(self._port), "card": face}

    def close(self) -> None:
        """Take back what was swiped; a second call does nothing."""
        if self._card:
            self.remove("closed")

    def _check(self, card: CardProfile) -> None:
        if self.interface not in card.interfaces:
            raise CallerMistake(card.name, "it has no stripe", f"it has {', '.join(card.interfaces)}")
        if not self._bureau.redactor.allows(card.pan):
            raise CallerMistake(
                card.name, "field pan: this is no test PAN of this bench", "use a range listed under test_pans"
            )

    def _ask(self, line: bytes) -> bytes:
        """Send a line; returns the answer without its end."""
        try:
            with serial.Serial(str(self._port), 9600, timeout=ANSWER_S, exclusive=True) as port:
                port.reset_input_buffer()
                port.write(line + _END)
                answer: bytes = port.read_until(_END, _LONGEST_ANSWER)
        except (OSError, termios.error) as error:
            if "exclusively lock" in str(error):
                raise BenchBusy(str(self._port), "another program holds the port", "end it; lsof names it") from error
            what = f"the port is not there: {getattr(error, 'strerror', None) or type(error).__name__}"
            raise DeviceGone(str(self._port), what, _CURE) from error
        if not answer:
            raise DeviceMute(str(self._port), "nothing answers to a swipe", _CURE)
        return answer.removesuffix(_END)


def track_of(card: CardProfile) -> bytes:
    """Track 2 of the card's stripe with its sentinels; it says the same as the chip's (57)."""
    return f";{card.pan}={card.expiry}{card.service_code}{_DISCRETIONARY}?".encode()
