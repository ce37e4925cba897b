"""Where test cards are personalised: a profile, its issuer's key and its counter make a card."""

from __future__ import annotations

from pathlib import Path

from rig.cards.counter import TransactionCounter
from rig.cards.emv.card import EmvCard
from rig.cards.keys import IssuerKeys
from rig.cards.profile import CardProfile, Interface
from rig.errors import CallerMistake
from rig.history import Redactor


class CardBureau:
    """Issues cards from the bench's state directory.

    Args:
        state: holds `issuer-keys.json` and a counter a card under `cards/`.
        redactor: knows the bench's test ranges.
    """

    def __init__(self, state: Path, redactor: Redactor) -> None:
        self._state = state
        self._redactor = redactor

    def issue(self, profile: CardProfile, interface: Interface = Interface.CONTACTLESS) -> EmvCard:
        """The card, ready for the field or the slot.

        Raises:
            CallerMistake: its PAN is not a test PAN of this bench; the message does not hold it.
        """
        if not self._redactor.allows(profile.pan):
            raise CallerMistake(
                profile.name, "field pan: this is no test PAN of this bench", "use a range listed under test_pans"
            )
        keys = IssuerKeys.load_or_create(self._state, [profile.bank])
        counter = TransactionCounter(self._state / "cards" / f"{profile.name}.atc")
        return EmvCard(profile, keys.master_key(profile.bank), counter)

    def public_face(self, profile: CardProfile) -> dict[str, str]:
        """What a history may say of a card: its name, its masked PAN, its token."""
        return {
            "card": profile.name,
            "masked": self._redactor.mask(profile.pan),
            "token": self._redactor.token(profile.pan),
        }
