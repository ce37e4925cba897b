"""GET DATA: what a card tells outside its records (EMV Book 3, 6.5.7)."""

from __future__ import annotations

from rig.cards.counter import TransactionCounter
from rig.cards.emv.apdu import CardError, StatusWord
from rig.cards.emv.flow import offline_left
from rig.cards.emv.personal import Personal
from rig.cards.emv.scripts import STORED_VALUE
from rig.cards.memory import CardMemory
from rig.cards.profile import Interface
from rig.wire import tlv

COUNTER, LAST_ONLINE, PIN_TRIES, LOG_FORMAT = 0x9F36, 0x9F13, 0x9F17, 0x9F4F
_LOG = bytes.fromhex("9F36029A039F21039F02065F2A029F2701")


def get_data(tag: int, personal: Personal | None, counter: TransactionCounter, memory: CardMemory) -> bytes:
    """The data object as BER-TLV.

    Args:
        tag: P1 and P2.
        personal: the selected application; without one the card tells its counter alone.
        counter: the card's.
        memory: the card's.

    Raises:
        CardError: this card has no such object.
    """
    value = counter.value.to_bytes(2, "big") if tag == COUNTER else None
    if value is None and personal is not None:
        value = _of_application(tag, personal, memory)
    if value is None:
        raise CardError(StatusWord.DATA_NOT_FOUND)
    return tlv.encode(tag, value)


def _of_application(tag: int, personal: Personal, memory: CardMemory) -> bytes | None:
    left = offline_left(personal, memory)
    if tag == STORED_VALUE and personal.application.scheme == "unionpay" and left is not None:
        return bytes.fromhex(f"{left:012d}")
    if personal.interface is not Interface.CONTACT:
        return None
    own = {LAST_ONLINE: memory.now.last_online.to_bytes(2, "big"), LOG_FORMAT: _LOG}
    if "offline-pin" in (personal.application.cvm or ()):
        own[PIN_TRIES] = bytes([memory.now.pin_tries])
    stored = memory.now.stored.get(f"{tag:04X}")
    return own.get(tag) or (bytes.fromhex(stored) if stored else None)
