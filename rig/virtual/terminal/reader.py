"""The contactless reader: a PN532 on a serial port, driven by nfcpy as it is.

nfcpy 1.0.4 (https://nfcpy.readthedocs.io). It is imported and opened in the background, so that the cash register's
port answers at once after a boot; a reader that fails is opened again.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from rig.virtual.terminal.bearers import Log
from rig.virtual.terminal.emv.card import CardLost, Transceive

Result = TypeVar("Result")
Again = Callable[[], None]
"""Asks for the card again."""

_REOPEN_S = 0.2
_POLL_S = 0.02


class NoCard(Exception):
    """No card was read in time. ``seen`` says whether one was there at all."""

    def __init__(self, seen: bool) -> None:
        super().__init__("no card was read in time")
        self.seen = seen


class Cancelled(Exception):
    """The wait for a card was cancelled."""


class _ReaderFailed(Exception):
    """The reader, not the card, gave trouble."""


class CardReader(Protocol):
    """Where cards come from."""

    def read(
        self, use: Callable[[Transceive], Result], timeout_s: float, cancelled: threading.Event, again: Again
    ) -> Result:
        """Wait for a card and return what ``use`` makes of it; after a lost card call ``again`` and wait on.

        Raises:
            NoCard: nothing was read in time.
            Cancelled: ``cancelled`` was set.
            CardRefused: ``use`` refused the card.
        """
        ...


class Pn532Reader:
    """A PN532 whose serial port is ``port``, which need not be there yet."""

    def __init__(self, port: Path, log: Log) -> None:
        self._port = port
        self._log = log
        self._frontend: Any = None
        self._usable = threading.Event()
        self._broken = threading.Event()
        self._broken.set()
        threading.Thread(target=self._keep_open, name="reader", daemon=True).start()

    def read(
        self, use: Callable[[Transceive], Result], timeout_s: float, cancelled: threading.Event, again: Again
    ) -> Result:
        """As :meth:`CardReader.read` says."""
        deadline = time.monotonic() + timeout_s
        seen = False
        while time.monotonic() < deadline:
            if cancelled.is_set():
                raise Cancelled
            if not self._usable.wait(_POLL_S):
                continue
            try:
                tag = self._sense()
                if tag is not None:
                    return use(partial(self._transceive, tag))
            except CardLost as lost:
                seen = True
                self._log("terminal_card_lost", why=str(lost))
                again()
            except _ReaderFailed as failure:
                self._give_up(failure)
            finally:
                self._field_off()
            cancelled.wait(_POLL_S)
        raise NoCard(seen)

    def _sense(self) -> Any:
        """A card in the field, activated, or ``None``."""
        nfc = _nfcpy()
        with _card_or_reader():
            target = self._frontend.sense(nfc.clf.RemoteTarget("106A"), iterations=1)
            if target is None:
                return None
            tag = nfc.tag.activate(self._frontend, target)
            if tag is None:
                raise CardLost("it left while it was activated")
            return tag

    def _transceive(self, tag: Any, command: bytes) -> bytes:
        """One APDU. What the card says stays out of the log: it holds card data of whatever card was presented."""
        with _card_or_reader():
            response = bytes(tag.transceive(command))
        self._log("terminal_apdu", command=command, status=response[-2:], length=len(response))
        return response

    def _field_off(self) -> None:
        if self._usable.is_set():
            try:
                with _card_or_reader():
                    self._frontend.device.mute()
            except (CardLost, _ReaderFailed) as failure:
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
            except (CardLost, _ReaderFailed) as failure:
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
            with contextlib.suppress(CardLost, _ReaderFailed), _card_or_reader():
                old.close()
        with _card_or_reader():
            transport = nfc.clf.transport.TTY(str(self._port))
            try:
                self._frontend.device = nfc.clf.pn532.init(transport)
            except BaseException:
                transport.close()
                raise


def _nfcpy() -> Any:
    """nfcpy, imported when it is first needed: 80 ms that a boot need not wait for."""
    import nfc
    import nfc.clf.pn532
    import nfc.clf.transport
    import nfc.tag

    return nfc


@contextlib.contextmanager
def _card_or_reader() -> Iterator[None]:
    """Tell what nfcpy raises apart: the card's fault, or the reader's."""
    nfc = _nfcpy()
    try:
        yield
    except (nfc.clf.CommunicationError, nfc.tag.TagCommandError, nfc.clf.pn53x.Chipset.Error) as error:
        raise CardLost(f"{type(error).__name__} {error}") from error
    except (OSError, IndexError, AttributeError, ValueError, AssertionError) as error:
        # nfcpy answers a torn or foreign frame with whatever its slicing raises.
        raise _ReaderFailed(f"{type(error).__name__} {error}") from error
