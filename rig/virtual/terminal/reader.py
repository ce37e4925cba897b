"""The contactless reader: one card in its field, its protocol, and how often it is asked for again.

The chip (:mod:`reader_chip`) moves blocks; :class:`rig.wire.isodep_reader.ReaderSide` says which: waiting times as
the card wants them, bounded extensions, error recovery. With two cards in the field there is no transaction.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from rig.virtual.terminal.bearers import Log
from rig.virtual.terminal.emv.card import CardLost, Transceive
from rig.virtual.terminal.reader_chip import Chip, ReaderFailed
from rig.wire.isodep_reader import IsoDepError, ReaderSide, Send, run

Result = TypeVar("Result")
Again = Callable[[], None]
"""Asks for the card again."""

_POLL_S = 0.02


class NoCard(Exception):
    """No card was read in time. ``seen`` says whether one was there at all."""

    def __init__(self, seen: bool) -> None:
        super().__init__("no card was read in time")
        self.seen = seen


class Cancelled(Exception):
    """The wait for a card was cancelled."""


class _Unsuitable(Exception):
    """What is in the field is not one card that can be talked to."""


class _Several(_Unsuitable):
    """More than one card."""


class CardReader(Protocol):
    """Where cards come from."""

    def read(
        self, use: Callable[[Transceive], Result], timeout_s: float, cancelled: threading.Event, again: Again
    ) -> Result:
        """Wait for a card and return what ``use`` makes of it; after a lost card call ``again`` and wait on.

        Raises:
            NoCard: nothing was read in time, or a card got lost too often.
            Cancelled: ``cancelled`` was set.
            CardRefused: ``use`` refused the card.
        """
        ...


class Pn532Reader:
    """A PN532 whose serial port is ``port``, which need not be there yet.

    Args:
        port: the serial port.
        log: takes terminal_apdu, terminal_card_lost, terminal_card_mute, terminal_collision and what becomes of the
            reader.
        tries: how often a card is read that gets lost, before it counts as unreadable.
        answer_s: how long a card may take for one answer, whatever extensions it asks for.
    """

    def __init__(self, port: Path, log: Log, tries: int = 3, answer_s: float = 10.0) -> None:
        self._chip = Chip(port, log)
        self._log = log
        self._tries = tries
        self._answer_s = answer_s

    def read(
        self, use: Callable[[Transceive], Result], timeout_s: float, cancelled: threading.Event, again: Again
    ) -> Result:
        """As :meth:`CardReader.read` says."""
        deadline = time.monotonic() + timeout_s
        losses, trouble = 0, ""
        while time.monotonic() < deadline and losses < self._tries:
            if cancelled.is_set():
                raise Cancelled
            if not self._chip.usable(_POLL_S):
                continue
            try:
                card = self._sense()
                if card is not None:
                    return use(card)
            except CardLost as lost:
                losses += 1
                self._log("terminal_card_lost", why=str(lost))
                again()
            except _Unsuitable as found:
                if str(found) != trouble:  # once for as long as it lasts
                    trouble = str(found)
                    self._log(
                        "terminal_collision" if isinstance(found, _Several) else "terminal_card_mute", why=trouble
                    )
                    again()
            except ReaderFailed as failure:
                self._chip.give_up(failure)
            finally:
                self._chip.field_off()
            cancelled.wait(_POLL_S)
        raise NoCard(seen=bool(losses or trouble))

    def _sense(self) -> Transceive | None:
        """The one card in the field, activated; ``None`` while there is none that speaks ISO-DEP.

        Raises:
            _Unsuitable: there are several, or it does not answer RATS.
            ReaderFailed: the chip does not answer.
        """
        found = self._chip.cards()
        if found > 1:
            raise _Several("present one card only")
        if found == 0:
            return None
        card = _Card(self._chip, self._log, self._answer_s)
        try:
            card.activate()
        except IsoDepError as error:
            raise _Unsuitable(f"a card could not be activated: {error}") from error
        return card.transceive


class _Card:
    """One activated card."""

    def __init__(self, chip: Chip, log: Log, answer_s: float) -> None:
        self._chip = chip
        self._log = log
        self._side = ReaderSide()
        self._answer_s = answer_s
        self._deadline = time.monotonic() + answer_s

    def activate(self) -> None:
        """RATS. Raises IsoDepError, ReaderFailed."""
        run(self._side.activate(), self._exchange)

    def transceive(self, command: bytes) -> bytes:
        """One APDU. What the card says stays out of the log: it holds card data of whatever card was presented.

        Raises:
            CardLost, ReaderFailed.
        """
        self._deadline = time.monotonic() + self._answer_s
        try:
            response = run(self._side.transceive(command), self._exchange)
        except IsoDepError as error:
            raise CardLost(str(error)) from error
        self._log("terminal_apdu", command=command, status=response[-2:], length=len(response))
        return response

    def _exchange(self, send: Send) -> bytes | None:
        if send.pause_s:
            time.sleep(send.pause_s)  # the card's start-up guard time: nothing tells when it is over
        if time.monotonic() >= self._deadline:
            raise CardLost(f"no answer within {self._answer_s:g} s, with all extensions")
        return self._chip.exchange(send)
