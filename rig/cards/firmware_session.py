"""One card in the field whose blocks the chip answers by itself: the host sees whole commands only.

`rig.cards.chip_session` has the two threads. The chip keeps the reader waiting (S(WTX)) while the one thinks, so a
moment may take its time here too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

import nfc.clf.pn53x

from rig.cards.chip_session import Callbacks, ChipSession, FieldGone, Interrupted, Result
from rig.cards.emv.card import EmvCard, Exchange
from rig.cards.faults import CardFault, Misbehaviour
from rig.cards.session import SEL_RES, SENS_RES
from rig.cards.tty import Device, InterruptibleTty
from rig.cards.turn import Answer
from rig.wire.pn532 import Status

AUTOMATIC_PICC = 0x20  # SetParameters, fISO14443-4_PICC: the chip answers RATS and does ISO-DEP
PASSIVE_PICC = 0x05  # TgInitAsTarget: passive, and ISO/IEC 14443-4 cards only
INITIAL_RF_ON = 0x04  # CIU_TxAuto, as libnfc writes it before the chip becomes a target
LET_GO = (0x0A, Status.INVALID_STATE, Status.WRONG_CONTEXT, Status.RELEASED, 0x31)
TOLD_S = 1.0  # longest time that the chip may take for a command that waits for no reader


class FirmwareSession(ChipSession):
    """A card whose blocks the chip makes. See `ChipSession`.

    Args:
        faults: what it does wrong, each once: tears before and after an answer, and spoiled answers.
    """

    def __init__(
        self, port: str, device: Device, tty: InterruptibleTty, card: EmvCard, uid: bytes, told: Callbacks,
        faults: Sequence[CardFault] = (),
    ) -> None:  # fmt: skip
        super().__init__(port, device, tty, card, uid, told)
        self._device = device
        self._misbehaviour = Misbehaviour(tuple(faults))

    def _one_activation(self) -> None:
        self._chipset.set_parameters(AUTOMATIC_PICC)
        self._chipset.write_register("CIU_TxAuto", INITIAL_RF_ON)
        shown = SENS_RES + self._uid[1:] + SEL_RES
        self._wait(lambda: self._chipset.tg_init_as_target(PASSIVE_PICC, shown, bytes(18), bytes(10), timeout=TOLD_S))
        self.card.reset()
        try:
            while True:
                self._one_command(self._command())
        except FieldGone:
            return

    def _command(self) -> bytes:
        command, more = b"", True
        while more:
            part, more = self._target(lambda: self._chipset.tg_get_data(TOLD_S))
            command += bytes(part)
        return command

    def _one_command(self, apdu: bytes) -> None:
        thought = self._in_mind(self._think, apdu)
        sent = False
        try:
            either: list[Future[Any]] = [thought, self._stop]
            wait(either, return_when=FIRST_COMPLETED)
            if self._stop.done() or thought.exception():
                raise Interrupted  # `trouble` holds why; the card falls silent
            answer = thought.result()
            if not answer.tear("before"):
                self._target(lambda: self._chipset.tg_set_data(answer.exchange.response, TOLD_S))
                sent = True
        finally:
            self._conclude(thought, sent)
        self._leave_if_torn(answer)

    def _leave_if_torn(self, answer: Answer) -> None:
        """The chip is no card any more; one that comes back listens anew, where no block of before finds it."""
        if (tear := answer.tear("before") or answer.tear("after")) is None:
            return
        self._device.mute()
        self._report({tear: "silent until it is activated anew" if tear.comes_back else "gone"}, answer.exchange)
        if tear.comes_back:
            self._in_mind(self._told.returned, tear.name)
            raise FieldGone
        self._in_mind(self._told.torn, self, tear.name)
        wait([self._stop])
        raise Interrupted

    def _target(self, command: Callable[[], Result]) -> Result:
        """A command of the activated card. The reader may let go of it meanwhile, which is FieldGone."""
        if self._stop.done():
            raise Interrupted
        try:
            return command()
        except nfc.clf.pn53x.Chipset.Error as error:
            if error.errno in LET_GO:
                raise FieldGone from error
            raise
        except OSError:
            if self._stop.done():
                raise Interrupted from None
            raise

    def _conclude(self, thought: Future[Answer], sent: bool) -> None:
        self._in_mind(lambda: self._told.after_answer(thought.result().exchange, sent))
        if thought.done() and not thought.exception():
            self._report(thought.result().spoilt(sent), thought.result().exchange)

    def _report(self, happened: Mapping[CardFault, str], exchange: Exchange) -> None:
        for fault, what in happened.items():
            self._in_mind(self._told.fault, {"fault": fault.name, "command": exchange.name, "what": what})

    # --- the thread that thinks --------------------------------------------------------------------------------------

    def _think(self, apdu: bytes) -> Answer:
        wait([self._stop], self.card.profile.behaviour.command_ms / 1000)
        exchange = self.card.process(apdu)
        answer = Answer.spoiled(exchange, self._misbehaviour.due(exchange.name))
        self._told.before_answer(answer.exchange)
        return answer
