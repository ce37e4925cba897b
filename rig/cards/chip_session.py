"""What every card presented through a reader chip has: the thread that owns the chip, and the one that thinks.

The second runs the application and the moments, so that a moment may take its time, and the card can be removed from
within one.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import nfc.clf.pn53x

from rig.cards.emv.card import EmvCard, Exchange
from rig.cards.tty import LINE_ERRORS, Device, InterruptibleTty, as_trouble
from rig.errors import DeviceMute
from rig.wire.pn532 import Command, Status

Result = TypeVar("Result")

FIELD_OFF = (0x0A, Status.RELEASED, 0x31)
START_S = 2.0
STOP_S = 2.0


@dataclass(frozen=True)
class Callbacks:
    """What the session tells. All run in the thinking thread."""

    before_answer: Callable[[Exchange], object]
    """The answer is ready and held."""
    after_answer: Callable[[Exchange, bool], object]
    """It has left the chip, or (False) it never will."""
    fault: Callable[[Mapping[str, Any]], object] = lambda _: None
    """A fault has happened: its `fault`, `command` and `what`."""
    torn: Callable[[ChipSession, str], object] = lambda _session, _why: None
    """The card has left the terminal for good, because of this: it is to be removed, unless another is there by now."""
    returned: Callable[[str], object] = lambda _: None
    """The card that had left because of this is there again."""


class FieldGone(Exception):
    """The reader's field is off."""


class Interrupted(Exception):
    """The card is being removed."""


class ChipSession(ABC):
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

    @abstractmethod
    def _one_activation(self) -> None:
        """Listen, and talk to one reader until it lets go of the card."""

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

    def _settle(self, thought: Future[Exchange], sent: bool) -> None:
        self._in_mind(lambda: self._told.after_answer(thought.result(), sent))

    # --- the thread that thinks --------------------------------------------------------------------------------------

    def _in_mind(self, work: Callable[..., Result], *arguments: object) -> Future[Result]:
        future = self._mind.submit(work, *arguments)
        future.add_done_callback(self._note_trouble)
        return future

    def _note_trouble(self, future: Future[Any]) -> None:
        self.trouble = self.trouble or future.exception()
