"""One card in the field, answered block by block.

`rig.cards.chip_session` has the two threads. While the one thinks, the other asks the reader for more waiting time
(S(WTX)). What the card is to do wrong (`rig.cards.faults`) the first chooses, and the second does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

import nfc.clf.pn53x

from rig.cards.chip_session import Callbacks, ChipSession, FieldGone, Interrupted, Result
from rig.cards.emv.card import EmvCard, Exchange
from rig.cards.faults import CardFault, Misbehaviour, Tear
from rig.cards.tty import Device, InterruptibleTty
from rig.cards.turn import Answer, Turn, misshapen, with_wrong_checksum
from rig.wire.isodep import Ats, CardSide, Deselected, Granted, Reply, Request

__all__ = ["SEL_RES", "SENS_RES", "Callbacks", "CardSession", "FieldGone", "Interrupted", "Result", "ats_of"]

SENS_RES, SEL_RES = b"\x04\x00", b"\x20"  # a 4-byte UID, ISO 14443-4 compliant
MODE_PASSIVE = 0x01
CIU_MODE_TYPE_A_ONLY = 0x3F  # the mode detector off: no FeliCa activation (as nfcpy's listen_tta does)
TX_CHECKSUM = 0x80  # in CIU_TxMode: the chip makes the checksum (PN512 data sheet, TxModeReg)
MAX_BLOCK = 262  # what TgResponseToInitiator takes
GRANT = 4  # the multiplier asked for: generous, because the card asks again long before it is over
MAX_PATIENCE_S = 2.4  # half of what a reader can grant at most


class Torn(Exception):
    """The card has just left the terminal."""

    def __init__(self, tear: Tear, exchange: Exchange) -> None:
        super().__init__(tear.name)
        self.tear, self.exchange = tear, exchange


class CardSession(ChipSession):
    """A card whose blocks are made here, so that every fault can be carried out. See `ChipSession`.

    Args:
        faults: what it does wrong, each once.
    """

    def __init__(
        self, port: str, device: Device, tty: InterruptibleTty, card: EmvCard, uid: bytes, told: Callbacks,
        faults: Sequence[CardFault] = (),
    ) -> None:  # fmt: skip
        super().__init__(port, device, tty, card, uid, told)
        self._misbehaviour = Misbehaviour(tuple(faults))
        self._ats = ats_of(card)
        self._patience_s = self._ats.frame_waiting_s / 2

    def _one_activation(self) -> None:
        block = self._wait_for_activation()
        self.card.reset()
        try:
            self._talk(CardSide(self._ats), block)
        except FieldGone:
            return
        except Torn as torn:
            self._be_away(torn)

    def _wait_for_activation(self) -> bytes:
        self._chipset.write_register("CIU_Mode", CIU_MODE_TYPE_A_ONLY)
        parameters = SENS_RES + self._uid[1:] + SEL_RES
        answer = self._wait(
            lambda: self._chipset.tg_init_as_target(MODE_PASSIVE, parameters, bytes(18), bytes(10), timeout=1.0)
        )
        return answer[1:]

    def _talk(self, side: CardSide, block: bytes) -> None:
        """One conversation, from the first block to DESELECT or the end of the field."""
        turn: Turn | None = None
        try:
            while True:
                reaction = side.receive(block)
                match reaction:
                    case Request(apdu):
                        turn = Turn(self._in_mind(self._think, apdu))
                        self._answer_or_extend(side, turn)
                    case Granted() if turn:
                        self._answer_or_extend(side, turn)
                    case Reply(ready):
                        self._send_in(turn, side, ready)
                    case Deselected(last):
                        self._send(last)
                        return
                if turn and turn.answered and side.all_sent:
                    over, turn = turn, None
                    self._conclude(over, sent=True)
                    self._leave_if_torn(over, "after")
                block = self._receive()
        finally:
            if turn:
                self._conclude(turn, sent=False)

    def _answer_or_extend(self, side: CardSide, turn: Turn) -> None:
        self._wait_for_thought(turn)
        if not turn.thought.done():
            turn.multiplier = GRANT
            self._send(side.extend(GRANT))
            return
        if turn.thought.exception():
            raise Interrupted  # `trouble` holds why; the card falls silent
        self._leave_if_torn(turn, "before")
        if turn.storms():
            self._send(side.extend(1))
            return
        self._pause(turn.lateness_s(self._ats.frame_waiting_s))
        turn.answering, response = True, turn.answer.exchange.response
        if turn.answer.tear("inside"):
            self._send(side.answer(response, first=len(response) // 2))
            self._leave_if_torn(turn, "inside")
        self._send_in(turn, side, side.answer(response))

    def _wait_for_thought(self, turn: Turn) -> None:
        either: list[Future[Any]] = [turn.thought, self._stop]
        wait(either, min(self._patience_s * turn.multiplier, MAX_PATIENCE_S), FIRST_COMPLETED)
        if self._stop.done():
            raise Interrupted

    def _pause(self, seconds: float) -> None:
        if seconds and wait([self._stop], seconds).done:
            raise Interrupted

    def _send_in(self, turn: Turn | None, side: CardSide, block: bytes) -> None:
        """Send a block of an answer, or what a fault makes of it; the reader's recovery asks for it again."""
        kind = turn.bad_block() if turn and turn.answering else None
        if kind is None:
            self._send(block)
            if turn and turn.answering:
                turn.answered = True
        elif kind == "bad-crc":
            self._send_with_wrong_checksum(block)
        elif bad := misshapen(block, kind, side.reader_takes):
            self._send(bad[:MAX_BLOCK])

    def _send_with_wrong_checksum(self, block: bytes) -> None:
        mode = self._chipset.read_register("CIU_TxMode")
        self._chipset.write_register("CIU_TxMode", mode & ~TX_CHECKSUM)
        try:
            self._send(with_wrong_checksum(block))
        finally:
            self._chipset.write_register("CIU_TxMode", mode | TX_CHECKSUM)

    def _leave_if_torn(self, turn: Turn, place: str) -> None:
        if tear := turn.answer.tear(place):
            raise Torn(tear, turn.answer.exchange)

    def _be_away(self, torn: Torn) -> None:
        """Say nothing more: until somebody removes the card, or, if it comes back, until the reader's field is off."""
        name = torn.tear.name
        what = "silent until the field is off" if torn.tear.comes_back else "gone"
        self._report({torn.tear: what}, torn.exchange)
        if not torn.tear.comes_back:
            self._in_mind(self._told.torn, self, name)
            wait([self._stop])
            raise Interrupted
        try:
            while True:
                self._receive()
        except FieldGone:
            self._in_mind(self._told.returned, name)

    def _conclude(self, turn: Turn, sent: bool) -> None:
        def tell() -> None:
            self._told.after_answer(turn.answer.exchange, sent)

        self._in_mind(tell)
        if turn.thought.done() and not turn.thought.exception():
            self._report(turn.happened | turn.answer.spoilt(sent), turn.answer.exchange)

    def _report(self, happened: Mapping[CardFault, str], exchange: Exchange) -> None:
        for fault, what in happened.items():
            self._in_mind(self._told.fault, {"fault": fault.name, "command": exchange.name, "what": what})

    def _send(self, block: bytes) -> None:
        try:
            self._chipset.tg_response_to_initiator(block)
        except nfc.clf.pn53x.Chipset.Error as error:
            raise self._meaning(error) from error

    def _receive(self) -> bytes:
        return self._wait(lambda: self._chipset.tg_get_initiator_command(timeout=1.0))

    def _think(self, apdu: bytes) -> Answer:
        wait([self._stop], self.card.profile.behaviour.command_ms / 1000)
        exchange = self.card.process(apdu)
        answer = Answer.spoiled(exchange, self._misbehaviour.due(exchange.name))
        self._told.before_answer(answer.exchange)
        return answer


def ats_of(card: EmvCard) -> Ats:
    """What the card answers to select, as its profile has it."""
    behaviour = card.profile.behaviour
    return Ats(
        fsci=behaviour.frame_size_integer,
        fwi=behaviour.frame_waiting_integer,
        sfgi=behaviour.start_up_guard_integer,
        cid=behaviour.cid,
        historical=bytes.fromhex(behaviour.historical),
    )
