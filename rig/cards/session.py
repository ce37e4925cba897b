"""One card in the field: the thread that answers the reader block by block, and the one that thinks for the card.

The first owns the chip. The second runs the application and the moments, so that a moment may take its time: while it
does, the first asks the reader for more waiting time (S(WTX)), and it can end at once when the card is removed from
within a moment.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, TypeVar

import nfc.clf.pn53x

from rig.cards.emv.card import EmvCard, Exchange
from rig.cards.tty import LINE_ERRORS, Device, InterruptibleTty, as_trouble
from rig.errors import DeviceMute
from rig.wire.isodep import Ats, CardSide, Deselected, Granted, Reaction, Reply, Request
from rig.wire.pn532 import Command, Status

Result = TypeVar("Result")

SENS_RES, SEL_RES = b"\x04\x00", b"\x20"  # a 4-byte UID, ISO 14443-4 compliant
MODE_PASSIVE = 0x01
CIU_MODE_TYPE_A_ONLY = 0x3F  # the mode detector off: no FeliCa activation (as nfcpy's listen_tta does)
FIELD_OFF = (0x0A, Status.RELEASED, 0x31)
GRANT = 4  # the multiplier asked for: generous, because the card asks again long before it is over
START_S = 2.0
STOP_S = 2.0


@dataclass(frozen=True)
class Callbacks:
    """What the session tells. All run in the thinking thread."""

    before_answer: Callable[[Exchange], object]
    """The answer is ready and held."""
    after_answer: Callable[[Exchange, bool], object]
    """It has left the chip, or (False) it never will."""


class FieldGone(Exception):
    """The reader's field is off."""


class Interrupted(Exception):
    """The card is being removed."""


class CardSession:
    """A card from the moment it listens until it is removed.

    Attributes:
        trouble: what ended the session before its time, if anything did.
    """

    def __init__(
        self, port: str, device: Device, tty: InterruptibleTty, card: EmvCard, uid: bytes, told: Callbacks
    ) -> None:
        self.card = card
        self.trouble: BaseException | None = None
        self._port, self._chipset, self._tty = port, device.chipset, tty
        self._uid, self._told = uid, told
        self._ats = Ats(fwi=card.profile.behaviour.frame_waiting_integer)
        self._patience_s = self._ats.frame_waiting_s / 2
        self._listens = threading.Event()
        self._stop: Future[None] = Future()
        self._mind = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"card-{card.profile.name}")
        self._thread = threading.Thread(target=self._run, name=f"air-{card.profile.name}", daemon=True)

    def start(self) -> None:
        """Begin; returns when the chip listens. Raises the trouble, or DeviceMute, when it does not."""
        self._tty.resume()
        self._tty.on_waiting = self._note_listening
        self._thread.start()
        begun = self._listens.wait(START_S)
        if self.trouble:
            raise self.trouble
        if not begun:
            self.end()
            raise DeviceMute(self._port, "the chip does not begin to listen", "power-cycle the reader")

    def end(self) -> None:
        """Stop answering; returns when the chip is free for other commands. May be called from a moment."""
        if not self._stop.done():
            self._stop.set_result(None)
        self._tty.interrupt()
        self._thread.join(STOP_S)
        self._mind.shutdown(wait=False)
        if self._thread.is_alive():
            raise DeviceMute(self._port, "the chip does not let go of the card", "power-cycle the reader")

    # --- the thread that owns the chip -----------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._stop.done():
                self._one_activation()
        except Interrupted:
            return
        except LINE_ERRORS as error:
            if not self._stop.done():
                self.trouble = as_trouble(self._port, error)
        finally:
            self._listens.set()

    def _note_listening(self, command: Command) -> None:
        if command is Command.TG_INIT_AS_TARGET:
            self._listens.set()

    def _one_activation(self) -> None:
        block = self._wait_for_activation()
        self.card.reset()
        try:
            self._talk(CardSide(self._ats), block)
        except FieldGone:
            return

    def _wait_for_activation(self) -> bytes:
        self._chipset.write_register("CIU_Mode", CIU_MODE_TYPE_A_ONLY)
        parameters = SENS_RES + self._uid[1:] + SEL_RES
        answer = self._wait(
            lambda: self._chipset.tg_init_as_target(MODE_PASSIVE, parameters, bytes(18), bytes(10), timeout=1.0)
        )
        return answer[1:]

    def _talk(self, side: CardSide, block: bytes) -> None:
        """One conversation, from the first block to DESELECT or the end of the field."""
        thought: Future[Exchange] | None = None
        try:
            while True:
                reaction = side.receive(block)
                if isinstance(reaction, Request):
                    thought = self._in_mind(self._think, reaction.apdu)
                self._send_out(self._block_for(side, reaction, thought))
                if isinstance(reaction, Deselected):
                    return
                if thought and thought.done():
                    self._settle(thought, sent=True)
                    thought = None
                block = self._receive()
        finally:
            if thought:
                self._settle(thought, sent=False)

    def _block_for(self, side: CardSide, reaction: Reaction, thought: Future[Exchange] | None) -> bytes | None:
        match reaction:
            case Reply(block) | Deselected(block):
                return block
            case Request() | Granted() if thought:
                return self._answer_or_extend(side, thought)
        return None

    def _answer_or_extend(self, side: CardSide, thought: Future[Exchange]) -> bytes:
        either: list[Future[Any]] = [thought, self._stop]
        wait(either, self._patience_s, FIRST_COMPLETED)
        if self._stop.done():
            raise Interrupted
        if not thought.done():
            return side.extend(GRANT)
        if thought.exception():
            raise Interrupted  # `trouble` holds why; the card falls silent
        return side.answer(thought.result().response)

    def _settle(self, thought: Future[Exchange], sent: bool) -> None:
        self._in_mind(lambda: self._told.after_answer(thought.result(), sent))

    def _send_out(self, block: bytes | None) -> None:
        if block is not None:
            self._send(block)

    def _send(self, block: bytes) -> None:
        try:
            self._chipset.tg_response_to_initiator(block)
        except nfc.clf.pn53x.Chipset.Error as error:
            raise self._meaning(error) from error

    def _receive(self) -> bytes:
        return self._wait(lambda: self._chipset.tg_get_initiator_command(timeout=1.0))

    def _wait(self, command: Callable[[], bytearray]) -> bytes:
        """Run a command that waits for the reader, however long; `end` breaks it off."""
        if self._stop.done():
            raise Interrupted
        try:
            return bytes(command())
        except nfc.clf.pn53x.Chipset.Error as error:
            raise self._meaning(error) from error
        except OSError:
            if self._stop.done():
                raise Interrupted from None
            raise

    def _meaning(self, error: nfc.clf.pn53x.Chipset.Error) -> Exception:
        return FieldGone() if error.errno in FIELD_OFF else error

    # --- the thread that thinks --------------------------------------------------------------------------------------

    def _in_mind(self, work: Callable[..., Result], *arguments: object) -> Future[Result]:
        future = self._mind.submit(work, *arguments)
        future.add_done_callback(self._note_trouble)
        return future

    def _note_trouble(self, future: Future[Any]) -> None:
        self.trouble = self.trouble or future.exception()

    def _think(self, apdu: bytes) -> Exchange:
        exchange = self.card.process(apdu)
        self._told.before_answer(exchange)
        return exchange
