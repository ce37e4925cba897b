"""Where test cards are personalised: a profile, its issuer's keys, certificates and a counter make a card."""

from __future__ import annotations

from pathlib import Path

from rig.cards.counter import TransactionCounter
from rig.cards.emv.authority import CardAuthority
from rig.cards.emv.card import EmvCard
from rig.cards.emv.personal import personalise
from rig.cards.keys import IssuerKeys
from rig.cards.memory import CardMemory
from rig.cards.profile import CardProfile, Interface
from rig.errors import CallerMistake
from rig.history import Redactor


class CardBureau:
    """Issues cards from the bench's state directory.

    Args:
        state: holds `issuer-keys.json`, the keys of the certificates, and under `cards/` a counter (`NAME.atc`) and a
            memory (`NAME.memory`) a card.
        redactor: knows the bench's test ranges.
    """

    def __init__(self, state: Path, redactor: Redactor) -> None:
        self._state = state
        self._redactor = redactor
        self._authority = CardAuthority(state)

    def issue(self, profile: CardProfile, interface: Interface = Interface.CONTACTLESS) -> EmvCard:
        """The card, ready for the field or the slot. Its first issue may make RSA keys, which takes a moment.

        Raises:
            CallerMistake: its PAN is not a test PAN of this bench, or it has no chip on this interface; the message
                does not hold the PAN.
        """
        if not self._redactor.allows(profile.pan):
            raise CallerMistake(
                profile.name, "field pan: this is no test PAN of this bench", "use a range listed under test_pans"
            )
        if interface is Interface.STRIPE or interface not in profile.interfaces:
            can = ", ".join(profile.interfaces)
            raise CallerMistake(profile.name, f"it is no {interface} chip card: it has {can}", "see its interfaces")
        keys = IssuerKeys.load_or_create(self._state, [profile.bank]).of(profile.bank)
        personals = [
            personalise(profile, application, interface, keys, self._authority) for application in profile.applications
        ]
        counter = TransactionCounter(self._file(profile, "atc"))
        return EmvCard(profile, interface, personals, counter, self._memory(profile))

    @property
    def redactor(self) -> Redactor:
        """What knows the bench's test ranges, and its tokens."""
        return self._redactor

    def renew(self, profile: CardProfile) -> None:
        """Make the card forget what it spent offline and what its issuer blocked; its counter goes on."""
        self._memory(profile).forget()

    def public_face(self, profile: CardProfile) -> dict[str, str]:
        """What a history may say of a card: its name, its masked PAN, its token."""
        return {
            "card": profile.name,
            "masked": self._redactor.mask(profile.pan),
            "token": self._redactor.token(profile.pan),
        }

    def _memory(self, profile: CardProfile) -> CardMemory:
        return CardMemory(self._file(profile, "memory"))

    def _file(self, profile: CardProfile, suffix: str) -> Path:
        return self._state / "cards" / f"{profile.name}.{suffix}"
