"""The reader's chip: a PN532 on a serial port, driven by nfcpy's chip driver, which moves blocks and counts cards.

nfcpy 1.0.4 (https://nfcpy.readthedocs.io). It is imported and the chip opened in the background, so that the cash
register's port answers at once after a boot; a chip that fails is opened again.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rig.virtual.terminal.bearers import Log
from rig.wire.isodep_reader import Send

_REOPEN_S = 0.2
_LIST_TARGETS, _TYPE_A = 0x4A, 0
_ERROR_REGISTER, _COLLISION = 0x6336, 0x08
_SPEAKS_ISO_DEP = 0x20  # SEL_RES
_RF_TIMEOUTS, _ATR_TIMEOUT, _LONGEST_WINDOW = 0x02, 10, 16
_HOST_MARGIN_S = 0.5
"""How much longer than the chip the host waits: it is the chip that times the card."""


class ReaderFailed(Exception):
    """The reader, not the card, gave trouble."""


class Chip:
    """A PN532 whose serial port is ``port``, which need not be there yet."""

    def __init__(self, port: Path, log: Log) -> None:
        self._port = port
        self._log = log
        self._frontend: Any = None
        self._window = 0
        self._usable = threading.Event()
        self._broken = threading.Event()
        self._broken.set()
        threading.Thread(target=self._keep_open, name="reader", daemon=True).start()

    def usable(self, wait_s: float) -> bool:
        """Whether it is open, waited for so long."""
        return self._usable.wait(wait_s)

    def cards(self) -> int:
        """How many cards that speak ISO-DEP are in the field, which this switches on: 0, 1, or 2 for several.

        One alone is selected. InListPassiveTarget with MaxTg 2 (NXP UM0701-02, 7.3.5; nfcpy's own method asks for 1).
        Raises ReaderFailed.
        """
        with _reader_only():
            chipset = self._frontend.device.chipset
            listed = bytes(chipset.command(_LIST_TARGETS, bytearray([2, _TYPE_A]), timeout=1.0))
            if listed[0] == 0:
                return 2 if chipset.read_register(_ERROR_REGISTER) & _COLLISION else 0
            return 2 if listed[0] > 1 else int(bool(listed[4] & _SPEAKS_ISO_DEP))

    def exchange(self, send: Send) -> bytes | None:
        """One block to the card, and its block; ``None`` when nothing sound came in time. Raises ReaderFailed."""
        nfc = _nfcpy()
        with _reader_only():
            chipset = self._frontend.device.chipset
            window, seconds = window_for(send.wait_s)
            if window != self._window:
                chipset.rf_configuration(_RF_TIMEOUTS, bytearray([_ATR_TIMEOUT, _ATR_TIMEOUT + 1, window]))
                self._window = window
            try:
                return bytes(chipset.in_communicate_thru(bytearray(send.block), seconds + _HOST_MARGIN_S))
            except nfc.clf.pn53x.Chipset.Error:
                return None

    def field_off(self) -> None:
        """Switch the field off, if the chip can be reached."""
        if self._usable.is_set():
            try:
                with _reader_only():
                    self._frontend.device.mute()
            except ReaderFailed as failure:
                self.give_up(failure)

    def give_up(self, failure: ReaderFailed) -> None:
        """Have it opened again."""
        self._log("terminal_reader_failed", why=str(failure))
        self._usable.clear()
        self._broken.set()

    def _keep_open(self) -> None:
        """Open the reader now, and again whenever it breaks."""
        while self._broken.wait():
            try:
                self._open()
            except ReaderFailed as failure:
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
            with contextlib.suppress(ReaderFailed), _reader_only():
                old.close()
        self._window = 0
        with _reader_only():
            transport = nfc.clf.transport.TTY(str(self._port))
            try:
                self._frontend.device = nfc.clf.pn532.init(transport)
            except BaseException:
                transport.close()
                raise


def window_for(seconds: float) -> tuple[int, float]:
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
    error = _nfcpy().clf.pn53x.Chipset.Error
    try:
        yield
    except (error, OSError, IndexError, AttributeError, ValueError, AssertionError, TypeError) as failure:
        raise ReaderFailed(f"{type(failure).__name__} {failure}") from failure
