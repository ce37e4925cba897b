"""Presents physical test cards that a machine moves, and makes sure first that they are the right ones.

In a bench file::

    presenters:
      contactless:
        driver: grbl                # a gantry: positions of its carriage, mm
        port: /dev/serial/by-id/usb-Arduino_…
        settings:
          cards: {visa-credit: {park: [0, 0], field: [120, 40]}, unionpay-debit: {park: [0, 60], field: [120, 100]}}
          home: true
          reader: {driver: pn532, port: /dev/ttyUSB2}
      contactless:
        driver: maestro             # servo arms: pulse widths, µs
        port: /dev/serial/by-id/usb-Pololu_…-if00
        settings: {cards: {visa-credit: {channel: 0, park: 1000, field: 2000}}, settle_s: 0.3}
      contact:
        driver: relay               # solenoids on a Numato board
        port: /dev/serial/by-id/usb-Numato_…
        settings: {cards: {visa-credit: {relay: 0}}, interface: contact}

A slot's name is that of the card's profile. ``interface: contact`` is for a machine that inserts cards. With a
``reader`` at the park position each card is read there (UID, PPSE, masked number) and compared with its profile before
it moves to the terminal; a relative port of it is looked up beside the machine's. Without one, nobody knows whether
the right card lies in the slot. Cards whose application counts with GET PROCESSING OPTIONS count once more for that.

A machine cannot tear a card away at a protocol moment, nor change what it says: these presenters have no capability,
and every card fault is skipped by name. None of the three has been tried on hardware yet: the dialects are proven
against simulations of this project that were written from the same public documents.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from rig.cards.actuator.grbl import Grbl
from rig.cards.actuator.maestro import Maestro
from rig.cards.actuator.mover import Mover, Place, Settings, take
from rig.cards.actuator.park_reader import ParkReader, park_reader
from rig.cards.actuator.relay import Solenoids
from rig.cards.bureau import CardBureau
from rig.cards.faults import CardFault
from rig.cards.presenter import Capability, Moment, Observe, check_faults
from rig.cards.profile import CardProfile, Interface
from rig.cards.reading import Identification, compare
from rig.errors import BenchTrouble, CallerMistake
from rig.instruments.serial_port import SerialPort


class ActuatorPresenter:
    """Presents one of its cards at a time. Subclasses name the machine.

    Args:
        port: the machine's serial port, any path.
        bureau: knows which cards may be used on this bench.
        observe: takes `card_armed`, `card_identified`, `card_removed`, `bench_fault`, and the machine's `instrument_tx`
            and `instrument_rx`.
        moment: never called: nobody here hears what card and terminal say to each other.
        settings: see the module; what is not named here goes to the machine.

    Raises:
        CallerMistake: a setting is wrong.
        DeviceGone, BenchBusy, DeviceMute, DeviceNonsense: the port holds no such machine.
    """

    interface = Interface.CONTACTLESS
    capabilities: frozenset[Capability] = frozenset()
    machine: ClassVar[Callable[..., Mover]]
    baudrate: ClassVar[int] = 115_200
    options: ClassVar[tuple[str, ...]] = ()

    def __init__(self, port: Path, bureau: CardBureau, observe: Observe, moment: Moment, **settings: Any) -> None:
        self._name, self._bureau, self._observe = str(port), bureau, observe
        take(self._name, settings, ("cards", "interface", "reader", *self.options))
        self.interface = _interface(self._name, settings)
        place = settings.get("reader")
        self._reader: ParkReader | None = park_reader(self._name, port, place) if place is not None else None
        self._armed: CardProfile | None = None
        self._lock = threading.RLock()
        self._closed = False
        line = SerialPort(str(port), name=self._name, baudrate=self.baudrate, observe=self._tell)
        try:
            own = {name: settings[name] for name in self.options if name in settings}
            self._mover = type(self).machine(line, settings.get("cards", {}), **own)
        except BaseException:
            line.close()
            raise

    def arm(self, card: CardProfile, faults: Sequence[CardFault] = ()) -> None:
        """Read the card at rest, if there is a reader, and move it to the terminal. See `Presenter.arm`.

        Raises:
            BenchTrouble: also when the card in the slot is another one.
        """
        check_faults(self._name, self.capabilities, faults)
        if card.name not in self._mover.cards:
            raise CallerMistake(
                self._name, f"no slot holds {card.name}", f"put it in one; there are {', '.join(self._mover.cards)}"
            )
        if not self._bureau.redactor.allows(card.pan):
            raise CallerMistake(
                card.name, "field pan: this is no test PAN of this bench", "use a range listed under test_pans"
            )
        with self._lock:
            if self._armed:
                self.remove("replaced")
            self._mover.clear()
            self._mover.put(card.name, Place.PARK)
            uid = self._checked(card)
            proof = self._mover.put(card.name, Place.FIELD)
            self._armed = card
            self._observe(
                "card_armed",
                {
                    **self._bureau.public_face(card), "uid": uid, "physical": True, "interface": str(self.interface),
                    "proof": proof,
                },
            )  # fmt: skip

    def remove(self, why: str = "asked") -> dict[str, Any]:
        """Move every card away from the terminal and read back. See `Presenter.remove`.

        The proof: `card`, the name of what was removed or None, `target` ("released": the machine read back that every
        card is at rest), and what it read (`position`, mm; `pulse_us`; `relays_closed`).
        """
        with self._lock:
            card, self._armed = self._armed, None
            try:
                proof = {"card": card.name if card else None, "target": "released", **self._mover.clear()}
            except BenchTrouble as trouble:
                self._observe("bench_fault", {"device": trouble.device, "what": trouble.what, "cure": trouble.cure})
                raise
            if card:
                self._observe("card_removed", {"why": why, "proof": proof})
            return proof

    def identify(self) -> dict[str, Any]:
        """The machine, and the card that is at the terminal, if any: name, masked PAN, token."""
        with self._lock:
            face = self._bureau.public_face(self._armed) if self._armed else None
            return {**self._mover.identify(), "port": self._name, "card": face}

    def close(self) -> None:
        """Take the card away and give the port back; a second call does nothing."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            try:
                if self._armed:
                    self.remove("closed")
            finally:
                try:
                    if self._reader:
                        self._reader.close()
                finally:
                    self._mover.close()

    def _tell(self, kind: str, data: dict[str, Any]) -> None:
        self._observe(kind, data)

    def _checked(self, card: CardProfile) -> str | None:
        """The UID of the card at rest, once it is known to be the right one; None where nobody can look."""
        if self._reader is None:
            return None
        found = self._reader.identify(self._bureau.redactor)
        differences = compare(found, card, self._bureau.redactor)
        self._observe("card_identified", {"card": card.name, **_told(found), "differences": differences})
        if differences:
            raise self._trouble(card, differences)
        return found.uid.hex().upper() if found.uid else None

    def _trouble(self, card: CardProfile, differences: list[str]) -> BenchTrouble:
        trouble = BenchTrouble(
            self._name,
            f"the card at the park position is another one than {card.name}: {'; '.join(differences)}",
            f"put {card.name} into its slot",
        )
        self._observe("bench_fault", {"device": trouble.device, "what": trouble.what, "cure": trouble.cure})
        return trouble


class GrblPresenter(ActuatorPresenter):
    """A gantry under GRBL."""

    machine = Grbl
    options = ("home", "move_s")


class MaestroPresenter(ActuatorPresenter):
    """Servo arms on a Pololu Maestro."""

    machine = Maestro
    options = ("settle_s", "move_s")


class RelayPresenter(ActuatorPresenter):
    """Solenoids on a Numato relay board."""

    machine = Solenoids
    baudrate = 19_200
    options = ("settle_s",)


def _interface(device: str, settings: Settings) -> Interface:
    try:
        return Interface(settings.get("interface", Interface.CONTACTLESS))
    except ValueError:
        raise CallerMistake(device, "field interface: there is none of that name", "contact or contactless") from None


def _told(found: Identification) -> Mapping[str, Any]:
    """What the history may hold of a card that was read."""
    told = found.to_dict()
    return {name: told[name] for name in ("uid", "masked", "token", "aid", "atc", "counted")}
