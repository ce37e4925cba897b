"""One card in the field whose blocks the chip answers by itself: the host sees whole commands only.

As `rig.cards.session`, of which it is a part, it has a thread that owns the chip and one that thinks for the card. The
chip keeps the reader waiting (S(WTX)) while that thinks, so a moment may take its time here too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import replace
from typing import Any

import nfc.clf.pn53x

from rig.cards.emv.card import EmvCard, Exchange
from rig.cards.faults import CardFault, Misbehaviour, Spoil, Tear
from rig.cards.session import SEL_RES, SENS_RES, Callbacks, CardSession, FieldGone, Interrupted, Result
from rig.cards.tty import Device, InterruptibleTty
from rig.wire.pn532 import Status

AUTOMATIC_PICC = 0x20  # SetParameters, fISO14443-4_PICC: the chip answers RATS and does ISO-DEP
PASSIVE_PICC = 0x05  # TgInitAsTarget: passive, and ISO/IEC 14443-4 cards only
INITIAL_RF_ON = 0x04  # CIU_TxAuto, as nfcpy and libnfc write it before the chip becomes a target
LET_GO = (0x0A, Status.INVALID_STATE, Status.WRONG_CONTEXT, Status.RELEASED, 0x31)
TOLD_S = 1.0  # longest time that the chip may take for a command that waits for no reader

TellFault = Callable[[Mapping[str, Any]], object]
"""Takes `fault`, `command` and `what` of a fault that has happened."""


class FirmwareSession(CardSession):
    """A card from the moment it listens until it is removed.

    Args:
        tell: hears of each fault, in the thread that thinks.
    """

    def __init__(
        self, port: str, device: Device, tty: InterruptibleTty, card: EmvCard, uid: bytes, told: Callbacks,
        faults: Sequence[CardFault], tell: TellFault,
    ) -> None:  # fmt: skip
        super().__init__(port, device, tty, card, uid, told)
        self._device, self._tell = device, tell
        self._misbehaviour = Misbehaviour(tuple(faults))
        self._tear: tuple[Tear, Exchange] | None = None

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
        thought = self._in_mind(self._thought, apdu)
        sent = False
        try:
            either: list[Future[Any]] = [thought, self._stop]
            wait(either, return_when=FIRST_COMPLETED)
            if self._stop.done() or thought.exception():
                raise Interrupted  # `trouble` holds why; the card falls silent
            self._leave("before")
            self._target(lambda: self._chipset.tg_set_data(thought.result().response, TOLD_S))
            sent = True
        finally:
            self._settle(thought, sent)
        self._leave("after")

    def _leave(self, place: str) -> None:
        """Carry out a tear that is due here: the chip is no card any more, unless it comes back for another reader."""
        if self._tear is None or self._tear[0].place != place:
            return
        (tear, exchange), self._tear = self._tear, None
        self._device.mute()
        self._in_mind(self._tell_of, tear, exchange, "the card left" + (" and comes back" if tear.comes_back else ""))
        raise FieldGone if tear.comes_back else Interrupted

    def _target(self, command: Callable[[], Result]) -> Result:
        """A command of the activated card. The reader may let go of it meanwhile, which is FieldGone."""
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

    # --- the thread that thinks --------------------------------------------------------------------------------------

    def _thought(self, apdu: bytes) -> Exchange:
        exchange = self.card.process(apdu)
        self._ponder(self.card.profile.behaviour.command_ms / 1000)
        for fault in self._misbehaviour.due(exchange.name):
            if isinstance(fault, Spoil):
                exchange = replace(exchange, response=fault.how.apply(exchange.response))
                self._tell_of(fault, exchange, "the answer is spoiled")
            elif isinstance(fault, Tear):
                self._tear = fault, exchange
        self._told.before_answer(exchange)
        return exchange

    def _ponder(self, seconds: float) -> None:
        if seconds:
            wait([self._stop], seconds)

    def _tell_of(self, fault: CardFault, exchange: Exchange, what: str) -> None:
        self._tell({"fault": fault.name, "command": exchange.name, "what": what})
