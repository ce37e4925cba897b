"""The SIM cards of a simulated modem: slots, one of them in use, and the PIN.

Source: 3GPP TS 27.007, 8.3 (+CPIN), 5.6 (+CIMI), 9.2.1 (errors). The subscribers are of the test network 001 01 of
ITU-T E.212.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rig.errors import CallerMistake

_TRIES = 3
TEST_IMSI = "001010000000001"


@dataclass
class Sim:
    """A card.

    Attributes:
        imsi: its subscriber.
        pin: what must be given before it serves; None where it is switched off.
        unlocked: whether it was given.
        tries: how many are left.
    """

    imsi: str = TEST_IMSI
    pin: str | None = None
    unlocked: bool = False
    tries: int = _TRIES

    @property
    def ready(self) -> bool:
        """Whether it serves."""
        return self.tries > 0 and (self.pin is None or self.unlocked)


class SimSlots:
    """The slots, of which one is in use.

    Args:
        slots: settings of :class:`Sim`, or None for an empty slot.

    Raises:
        CallerMistake: no slot at all, or a setting that a card does not have.
    """

    def __init__(self, slots: Sequence[dict[str, str] | None] = ({},)) -> None:
        for slot in slots:
            if slot is not None and slot.keys() - {"imsi", "pin"}:
                raise CallerMistake("device radio", f"sims has {slot}", "use imsi and pin; an empty slot is null")
        if not slots:
            raise CallerMistake("device radio", "sims is empty", "name one slot at least; an empty one is null")
        self._cards = [None if slot is None else Sim(slot.get("imsi", TEST_IMSI), slot.get("pin")) for slot in slots]
        self.used = 0
        self.pulled = False

    @property
    def count(self) -> int:
        """How many slots there are."""
        return len(self._cards)

    @property
    def card(self) -> Sim | None:
        """The card in the slot in use; None where there is none, or it was pulled."""
        return None if self.pulled else self._cards[self.used]

    @property
    def ready(self) -> bool:
        """Whether the network would know the subscriber."""
        return self.card is not None and self.card.ready

    def trouble(self) -> list[str] | None:
        """The answer to a command that needs a card that serves; None where there is one."""
        card = self.card
        if card is None:
            return ["+CME ERROR: 10"]
        if card.ready:
            return None
        return ["+CME ERROR: 12" if card.tries == 0 else "+CME ERROR: 11"]

    def restart(self) -> None:
        """The modem was off: a PIN must be given anew."""
        for card in self._cards:
            if card is not None:
                card.unlocked = False

    def state(self) -> list[str]:
        """The answer to ``AT+CPIN?``."""
        card = self.card
        if card is None:
            return ["+CME ERROR: 10"]
        word = "READY" if card.ready else "SIM PUK" if card.tries == 0 else "SIM PIN"
        return [f"+CPIN: {word}", "OK"]

    def enter(self, pin: str) -> list[str]:
        """The answer to ``AT+CPIN="…"``. No PUK is ever right here: a card that is blocked stays so."""
        card = self.card
        if card is None:
            return ["+CME ERROR: 10"]
        if card.ready:
            return ["+CME ERROR: 3"]
        if card.tries == 0:
            return ["+CME ERROR: 16"]
        if pin == card.pin:
            card.unlocked, card.tries = True, _TRIES
            return ["OK"]
        card.tries -= 1
        return ["+CME ERROR: 16" if card.tries else "+CME ERROR: 12"]
