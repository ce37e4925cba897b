"""The cards of a bench in use: which presenter takes which card, what it does wrong, and the proof that it did."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from pathlib import Path

from rig.bench.devices import Devices, require
from rig.cards.faults import CardFault
from rig.cards.presenter import Presenter, check_faults
from rig.cards.profile import Allows, CardProfile, Interface, load_card
from rig.errors import BenchTrouble, CallerMistake
from rig.faults import LateProof, Proof


class Carding:
    """Presents cards. Faults pull them, and second ones, on the devices' own threads.

    Args:
        folder: where the bench's card profiles are.
        allows: its test ranges.
        devices: its devices; their presenters' `card_fault` events are counted there.
    """

    def __init__(self, folder: Path, allows: Allows, devices: Devices) -> None:
        self._folder = folder
        self._allows = allows
        self._devices = devices
        self._lock = threading.RLock()
        self._faults: list[CardFault] = []
        self._used: dict[int, Presenter] = {}
        self._first: Presenter | None = None

    def profile(self, card: str) -> CardProfile:
        """A card by its name. Raises CallerMistake for one that is unknown, wrong, or no test card."""
        return load_card(card, self._folder, self._allows)

    def choose(self, card: CardProfile, interface: Interface | None = None) -> Presenter:
        """The presenter for a card: of the interface that is asked for, or of the first of the card's own.

        Raises:
            CallerMistake: the card has not that interface.
            BenchTrouble: the bench cannot present it.
        """
        if interface is not None and interface not in card.interfaces:
            raise CallerMistake(card.name, f"it has no {interface} interface", f"it has {', '.join(card.interfaces)}")
        wanted = [interface] if interface is not None else card.interfaces
        for each in wanted:
            if able := self._able(each):
                return able[0]
        raise BenchTrouble(
            f"presenter for {card.name}", f"none for {' or '.join(wanted)}", "see presenters in the file"
        )

    def arm(self, fault: CardFault) -> LateProof:
        """The next card that is presented does this at its command."""
        before = self._devices.card_faults[fault.name]
        with self._lock:
            self._faults.append(fault)

        def prove() -> Proof:
            times = self._devices.card_faults[fault.name] - before
            return Proof(times > 0, {"times": times, "at": str(fault.at)})

        return prove

    def present(self, card: CardProfile, presenter: Presenter) -> None:
        """Put a card there with the faults that were armed for it.

        Raises:
            CallerMistake: the presenter cannot do one of them.
            BenchTrouble: the presenter failed.
        """
        with self._lock:
            faults, self._faults = self._faults, []
            check_faults(presenter.interface, presenter.capabilities, faults)
            self._used[id(presenter)] = self._first = presenter
        presenter.arm(card, faults)

    def present_by(self, card: str, interface: Interface) -> Proof:
        """Put a card to another interface of the terminal, beside what is there."""
        profile = self.profile(card)
        presenter = self.choose(profile, interface)
        with self._lock:
            self._used[id(presenter)] = presenter
        presenter.arm(profile)
        return Proof(True, {"card": card, "interface": str(interface)})

    def put_second(self, card: str) -> Proof:
        """A second card in the field, beside the one of the sale."""
        able = self._able(Interface.CONTACTLESS)
        second = require(able[1] if len(able) > 1 else None, "second presenter")
        with self._lock:
            self._used[id(second)] = second
        second.arm(self.profile(card))
        there = second.identify()["card"]
        return Proof(there is not None and there["card"] == card, {"second": there})

    def pull(self) -> Proof:
        """The card of the sale leaves the terminal."""
        evidence = require(self._first, "presented card").remove()
        return Proof(evidence["target"] == "released" and evidence["card"] is not None, dict(evidence))

    def remove(self) -> None:
        """Take every card away that was presented, and forget faults that no card met.

        Raises:
            BenchTrouble: of the first presenter that failed; the others have removed theirs all the same.
        """
        with self._lock:
            self._faults.clear()
            used, self._used = list(self._used.values()), {}
        with ExitStack() as each_of_them:  # calls the last first, and raises what came last
            for presenter in used:
                each_of_them.callback(presenter.remove)

    def _able(self, interface: Interface) -> list[Presenter]:
        return [each for each in self._devices.presenters.values() if each.interface == interface]
