"""What puts a card into the terminal's field, whatever does it: an emulator, an actuator, a multiplexer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

from rig.cards.profile import CardProfile, Interface
from rig.errors import CallerMistake

if TYPE_CHECKING:
    from rig.cards.faults import CardFault

Observe = Callable[[str, Mapping[str, Any]], object]
"""Takes an event of the history, ``card_armed`` for example, and its fields."""

Moment = Callable[[str, Mapping[str, Any]], object]
"""Called at a named moment while the card waits: ``card_selected`` and ``card_cryptogram`` before the answer to SELECT
AID or GPO leaves the card, ``card_answered`` when the cryptogram has left it. May take its time, may call `remove`."""


class Capability(Enum):
    """What a presenter can do beyond putting a card there and taking it away. A bench file's capabilities say
    ``card: tear`` and so on; a case that needs more than the bench has is skipped by name."""

    MOMENTS = "moments"
    """It stops at the named moments."""
    TEAR = "tear"
    """It can take the card away in the middle of an exchange."""
    RESPONSES = "responses"
    """It makes the answers itself, so their content can be spoiled."""
    PROTOCOL_FAULTS = "protocol-faults"
    """It answers each ISO-DEP block itself, so ATS, chaining and waiting times can be wrong on purpose."""
    WRONG_CHECKSUMS = "wrong-checksums"
    """It can make the checksum of such a block itself, so that it is wrong."""


class Presenter(Protocol):
    """Puts one card at a time to one interface of the terminal.

    Its events: `card_armed` (name, masked PAN, token, uid, interface), `card_apdu`, `card_cryptogram` (token, atc,
    cryptogram, information: 9F27; for each that the terminal was given, two in a slot), `card_fault` (fault, command,
    what: it has happened now), `card_returned` (card, why: torn away, there again), `card_removed` (why, proof),
    `bench_fault`.
    """

    @property
    def interface(self) -> Interface:
        """Where it presents."""

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What it can do; a fault that needs more is skipped by name."""

    def arm(self, card: CardProfile, faults: Sequence[CardFault] = ()) -> None:
        """Put the card there; returns when a terminal would find it. Each fault happens at its command, once.

        Raises:
            CallerMistake: the card may not be used on this bench, or a fault needs what the presenter cannot do.
            BenchTrouble: the presenter does not do it.
        """

    def remove(self, why: str = "asked") -> dict[str, Any]:
        """Take the card away, at any time, from any thread, once or twice; returns the proof that it is gone.

        Raises:
            BenchTrouble: the presenter does not do it, or failed while the card was there.
        """

    def identify(self) -> dict[str, Any]:
        """What is presented now: the device, and the card with its masked PAN, or None."""

    def close(self) -> None:
        """Take the card away and give the device back."""


def check_faults(presenter: str, capabilities: frozenset[Capability], faults: Sequence[CardFault]) -> None:
    """Raises CallerMistake naming the first fault that a presenter with these capabilities cannot do."""
    for fault in faults:
        if fault.needs not in capabilities:
            raise CallerMistake(
                presenter, f"it cannot do: {fault.name}", f"mark the case with needs('card: {fault.needs.value}')"
            )
