"""The contactless reader: a PN532 on a serial port, driven by nfcpy's chip driver; the card's protocol is our own.

nfcpy 1.0.4 (https://nfcpy.readthedocs.io) moves blocks through the chip (InCommunicateThru), and
:class:`rig.wire.isodep_reader.ReaderSide` says which: waiting times as the card wants them, bounded extensions, error
recovery. The chip counts the cards in its field (InListPassiveTarget with MaxTg 2): with two there is no transaction.
nfcpy is imported and opened in the background, so that the cash register's port answers at once after a boot; a reader
that fails is opened again.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol, TypeVar

from rig.virtual.terminal.bearers import Log
from rig.virtual.terminal.emv.card import CardLost, Transceive
from rig.wire.isodep_reader import IsoDepError, ReaderSide, Send, run

Result = TypeVar("Result")
Again = Callable[[], None]
"""Asks for the card again."""

_REOPEN_S = 0.2
_POLL_S = 0.02
_LIST_TARGETS, _TYPE_A = 0x4A, 0
_ERROR_REGISTER, _COLLISION = 0x6336, 0x08
_SPEAKS_ISO_DEP = 0x20  # SEL_RES
_RF_TIMEOUTS, _ATR_TIMEOUT, _LONGEST_WINDOW = 0x02, 10, 16
_HOST_MARGIN_S = 0.5
"""How much longer than the chip the host waits: it is the chip that times the card."""


class NoCard(Exception):
    """No card was read in time. ``seen`` says whether one was there at all."""

    def __init__(self, seen: bool) -> None:
        super().__init__("no card was read in time")
        self.seen = seen


class Cancelled(Exception):
    """The wait for a card was cancelled."""


class _ReaderFailed(Exception):
    """The reader, not the card, gave trouble."""


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
        log: takes terminal_apdu, terminal_card_lost, terminal_collision and what becomes of the reader.
        tries: how often a card is read that gets lost, before it counts as unreadable.
        answer_s: how long a card may take for one answer, whatever extensions it asks for.
    """

    def __init__(self, port: Path, log: Log, tries: int = 3, answer_s: float = 10.0) -> None:
        self._port = port
        self._log = log
        self._tries = tries
        self._answer_s = answer_s
        self._frontend: Any = None
        self._window = 0
        self._usable = threading.Event()
        self._broken = threading.Event()
        self._broken.set()
        threading.Thread(target=self._keep_open, name="reader", daemon=True).start()

    def read(
        self, use: Callable[[Transceive], Result], timeout_s: float, cancelled: threading.Event, again: Again
    ) -> Result:
        """As :meth:`CardReader.read` says."""
        deadline = time.monotonic() + timeout_s
        losses, trouble = 0, ""
        while time.monotonic() < deadline and losses < self._tries:
            if cancelled.is_set():
                raise Cancelled
            if not self._usable.wait(_POLL_S):
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
            except _ReaderFailed as failure:
                self._give_up(failure)
            finally:
                self._field_off()
            cancelled.wait(_POLL_S)
        raise NoCard(seen=bool(losses or trouble))

    def _sense(self) -> Transceive | None:
        """The one card in the field, activated; ``None`` while there is none that speaks ISO-DEP.

        Raises:
            _Unsuitable: there are several, or it does not answer RATS.
        """
        with _reader_only():
            chipset = self._frontend.device.chipset
            listed = bytes(chipset.command(_LIST_TARGETS, bytearray([2, _TYPE_A]), timeout=1.0))
            if listed[0] > 1 or (listed[0] == 0 and chipset.read_register(_ERROR_REGISTER) & _COLLISION):
                raise _Several("present one card only")
            if listed[0] == 0 or not listed[4] & _SPEAKS_ISO_DEP:
                return None
        card = _Card(self, ReaderSide())
        try:
            card.activate()
        except IsoDepError as error:
            raise _Unsuitable(f"a card could not be activated: {error}") from error
        return card.transceive

    def exchange(self, send: Send) -> bytes | None:
        """One block to the card, and its block; ``None`` when nothing sound came in time. Raises _ReaderFailed."""
        nfc = _nfcpy()
        with _reader_only():
            chipset = self._frontend.device.chipset
            window, seconds = _window_for(send.wait_s)
            if window != self._window:
                chipset.rf_configuration(_RF_TIMEOUTS, bytearray([_ATR_TIMEOUT, _ATR_TIMEOUT + 1, window]))
                self._window = window
            try:
                return bytes(chipset.in_communicate_thru(bytearray(send.block), seconds + _HOST_MARGIN_S))
            except nfc.clf.pn53x.Chipset.Error:
                return None

    def note(self, command: bytes, response: bytes) -> None:
        """What the card says stays out of the log: it holds card data of whatever card was presented."""
        self._log("terminal_apdu", command=command, status=response[-2:], length=len(response))

    @property
    def answer_s(self) -> float:
        """How long a card may take for one answer."""
        return self._answer_s

    def _field_off(self) -> None:
        if self._usable.is_set():
            try:
                with _reader_only():
                    self._frontend.device.mute()
            except _ReaderFailed as failure:
                self._give_up(failure)

    def _give_up(self, failure: Exception) -> None:
        self._log("terminal_reader_failed", why=str(failure))
        self._usable.clear()
        self._broken.set()

    def _keep_open(self) -> None:
        """Open the reader now, and again whenever it breaks."""
        while self._broken.wait():
            try:
                self._open()
            except _ReaderFailed as failure:
                self._log("terminal_reader_absent", why=str(failure))
                time.sleep(_REOPEN_S)
                continue
            self._broken.clear()
            self._usable.set()
            self._log("terminal_reader_open")

    def _open(self) -> None:
        nfc = _nfcpy()
        old, self._frontend = self._frontend, nfc.clf.ContactlessFrontend()
        if old is not None:
            with contextlib.suppress(_ReaderFailed), _reader_only():
                old.close()
        self._window = 0
        with _reader_only():
            transport = nfc.clf.transport.TTY(str(self._port))
            try:
                self._frontend.device = nfc.clf.pn532.init(transport)
            except BaseException:
                transport.close()
                raise


class _Card:
    """One activated card."""

    def __init__(self, reader: Pn532Reader, side: ReaderSide) -> None:
        self._reader = reader
        self._side = side
        self._deadline = 0.0

    def activate(self) -> None:
        """RATS. Raises IsoDepError, _ReaderFailed."""
        self._deadline = time.monotonic() + self._reader.answer_s
        run(self._side.activate(), self._exchange)

    def transceive(self, command: bytes) -> bytes:
        """One APDU. Raises CardLost, _ReaderFailed."""
        self._deadline = time.monotonic() + self._reader.answer_s
        try:
            response = run(self._side.transceive(command), self._exchange)
        except IsoDepError as error:
            raise CardLost(str(error)) from error
        self._reader.note(command, response)
        return response

    def _exchange(self, send: Send) -> bytes | None:
        if send.pause_s:
            time.sleep(send.pause_s)  # the card's start-up guard time: nothing tells when it is over
        if time.monotonic() >= self._deadline:
            raise CardLost(f"no answer within {self._reader.answer_s:g} s, with all extensions")
        return self._reader.exchange(send)


def _window_for(seconds: float) -> tuple[int, float]:
    """The shortest waiting time of the chip that is not below ``seconds``: its code, and how long it is.

    Code n is 100 µs × 2^(n−1), at most 3.28 s (NXP UM0701-02, 7.3.1, item 2).
    """
    window = 1
    while window < _LONGEST_WINDOW and 100e-6 * 2 ** (window - 1) < seconds:
        window += 1
    return window, 100e-6 * 2 ** (window - 1)


def _nfcpy() -> Any:
    """nfcpy, imported when it is first needed: 80 ms that a boot need not wait for."""
    import nfc.clf
    import nfc.clf.pn532
    import nfc.clf.transport

    return nfc


@contextlib.contextmanager
def _reader_only() -> Iterator[None]:
    """Whatever nfcpy raises in here is the reader's fault: it answers a torn or foreign frame as its slicing does."""
    nfc = _nfcpy()
    try:
        yield
    except (
        nfc.clf.pn53x.Chipset.Error,
        OSError,
        IndexError,
        AttributeError,
        ValueError,
        AssertionError,
        TypeError,
    ) as e:
        raise _ReaderFailed(f"{type(e).__name__} {e}") from e
