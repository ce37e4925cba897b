"""What a card does when its issuer's script tells it to (EMV Book 3, 6.5.1 to 6.5.3 and 6.5.10)."""

from __future__ import annotations

from rig.cards.emv.apdu import CardError, CommandApdu, StatusWord
from rig.cards.emv.personal import Personal
from rig.cards.memory import PIN_TRIES, CardMemory

STORED_VALUE = 0x9F79
"""The balance of UnionPay's electronic cash, n 12."""
_MAC = 8
_OWN = frozenset({0x9F13, 0x9F17, 0x9F36})  # the card alone counts these
_UNBLOCK_PIN = 0x00


def obey(name: str, command: CommandApdu, personal: Personal, memory: CardMemory) -> None:
    """Carry out one command whose MAC is right. Raises CardError for what this card cannot do."""
    blocked = [aid for aid in memory.now.blocked if aid != personal.application.aid]
    match name:
        case "APPLICATION BLOCK":
            memory.change(blocked=(*blocked, personal.application.aid))
        case "APPLICATION UNBLOCK":
            memory.change(blocked=tuple(blocked))
        case "CARD BLOCK":
            memory.change(card_blocked=True)
        case "PIN CHANGE/UNBLOCK" if command.p2 == _UNBLOCK_PIN:
            memory.change(pin_tries=PIN_TRIES)
        case "PUT DATA":
            _put(command.tag, command.data[:-_MAC], personal, memory)
        case _:
            raise CardError(StatusWord.WRONG_PARAMETERS)


def _put(tag: int, value: bytes, personal: Personal, memory: CardMemory) -> None:
    if tag in _OWN or tag < 0x100:
        raise CardError(StatusWord.DATA_NOT_FOUND)
    limit = personal.application.offline_limit
    if tag != STORED_VALUE or limit is None:
        memory.change(stored={**memory.now.stored, f"{tag:04X}": value.hex().upper()})
        return
    balance = value.hex()
    if len(value) != 6 or not balance.isdecimal() or int(balance) > limit:
        raise CardError(StatusWord.WRONG_DATA)
    memory.change(spent={**memory.now.spent, personal.application.aid: limit - int(balance)})
