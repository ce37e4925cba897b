"""The serial line to a PN532, with waits that can be broken off.

The unmodified driver of nfcpy talks over it. nfcpy's own transport waits with a timeout and nothing else, but a card
in the field waits for a reader for minutes, and must leave at once when it is told to. So the wait for an answer to
the commands of `PATIENT` ends by `interrupt` too. nfcpy takes that for a timeout and cancels the chip's command with
an ACK, as the PN532 manual (UM0701-02, 6.2.1.3) has it.
"""

from __future__ import annotations

import errno
import os
import select
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import nfc.clf.pn53x
import nfc.clf.pn532
import serial

from rig.errors import BenchBusy, DeviceGone, DeviceMute, DeviceNonsense, RigError
from rig.wire.pn532 import ACK, TO_CHIP, Command

FRAME_MS = 400  # a frame is complete within this time, also on a slow machine; the driver would wait 100 ms for an ACK
QUIET_S = 0.02  # a chip that was told to stop says nothing for so long
MAX_LAST_WORDS = 10
PATIENT = (Command.TG_INIT_AS_TARGET, Command.TG_GET_INITIATOR_COMMAND, Command.TG_GET_DATA, Command.TG_SET_DATA)
EXTENDED = b"\xff\xff"  # the length of a frame with more than 255 bytes: the real one follows it
Device = Any
"""`nfc.clf.pn532.Device`, which has no types."""
LINE_ERRORS = (OSError, termios.error, IndexError, nfc.clf.pn53x.Chipset.Error)


class InterruptibleTty:
    """A port that this process holds alone, with the shape of nfcpy's `nfc.clf.transport.TTY`."""

    TYPE = "TTY"

    def __init__(self, port: str) -> None:
        self.on_waiting: Callable[[Command], None] = lambda _: None
        """Called when the chip has accepted a command that waits for a reader."""
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._closed = False
        self._sent: Command | None = None
        self._accepted: Command | None = None
        try:
            self._line = _line(port)
        except OSError:
            os.close(self._wake)
            raise

    @property
    def port(self) -> str:
        """The path of the port."""
        return str(self._line.port)

    @property
    def baudrate(self) -> int:
        """Bits per second."""
        return self._line.baudrate

    @baudrate.setter
    def baudrate(self, value: int) -> None:
        self._line.baudrate = value

    def open(self, port: str, baudrate: int = 115200) -> None:
        """Open again, perhaps at another speed."""
        self._line.close()
        self._line = _line(port, baudrate)

    def close(self) -> None:
        """Give the port back; a second call does nothing."""
        self._line.close()
        if not self._closed:  # the port may be closed by now: it could not be opened at another speed
            self._closed = True
            os.close(self._wake)

    def quieten(self) -> None:
        """End what the chip still does for a program that died, and let its last words pass."""
        self._line.write(ACK)
        self._line.timeout = QUIET_S
        for _ in range(MAX_LAST_WORDS):
            if not self._line.read(4096):
                return

    def interrupt(self) -> None:
        """Break off the wait for a reader, now and until `resume`; from any thread."""
        os.eventfd_write(self._wake, 1)

    def resume(self) -> None:
        """Wait again."""
        with suppress(BlockingIOError):
            os.eventfd_read(self._wake)

    def write(self, frame: bytes) -> None:
        """Send a frame to the chip; what came before it is forgotten."""
        sent = frame[8:10] if frame[3:5] == EXTENDED else frame[5:7]
        patient = len(sent) == 2 and sent[0] == TO_CHIP and sent[1] in PATIENT
        self._sent, self._accepted = (Command(sent[1]) if patient else None), None
        self._line.reset_input_buffer()
        self._line.write(frame)

    def read(self, timeout: int) -> bytearray:
        """The next frame of the chip within `timeout` ms, or whenever a reader comes; raises OSError ETIMEDOUT."""
        if self._accepted:
            self._accepted = None
            self._wait_for_reader()
        frame = self._frame(max(timeout, FRAME_MS) / 1000)
        if frame == ACK and self._sent is not None:
            self._accepted, self._sent = self._sent, None
            self.on_waiting(self._accepted)
        return frame

    def _frame(self, timeout_s: float) -> bytearray:
        self._line.timeout = timeout_s
        frame = bytearray(self._line.read(6))
        if len(frame) < 6:
            raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
        if frame == ACK:
            return frame
        length = frame[3]
        if length == 0xFF:
            frame += self._line.read(3)
            length = int.from_bytes(frame[5:7], "big")
        frame += self._line.read(length + 1)
        return frame

    def _wait_for_reader(self) -> None:
        ready, _, _ = select.select([self._line.fileno(), self._wake], [], [])
        if self._wake in ready:
            raise OSError(errno.ETIMEDOUT, "interrupted")


def _line(port: str, baudrate: int = 115200) -> serial.Serial:
    return serial.Serial(port, baudrate, timeout=0.05, exclusive=True)


def open_device(port: Path) -> tuple[Device, InterruptibleTty]:
    """The PN532 behind a serial port, initialised and with its field off.

    Raises:
        DeviceGone, BenchBusy, DeviceMute, DeviceNonsense: as the device behaves.
    """
    # nfcpy hands the path to a shell (`stty`); the real name of a character device is all that may reach it.
    path = port.resolve()
    if not path.is_char_device() or not str(path).startswith("/dev/") or not str(path)[5:].replace("/", "").isalnum():
        raise DeviceGone(str(port), "there is no such serial port", "check the cable and the port's name")
    with told_as_trouble(str(port)):
        transport = InterruptibleTty(str(path))
        try:
            return _initialised(transport), transport
        except LINE_ERRORS:
            transport.close()
            raise


def _initialised(transport: InterruptibleTty) -> Device:
    """nfcpy's driver on the port; a second try, because nfcpy gives the chip 100 ms, less than a busy machine may."""
    try:
        transport.quieten()
        return nfc.clf.pn532.init(transport)  # type: ignore[no-untyped-call]
    except LINE_ERRORS:
        transport.quieten()
        return nfc.clf.pn532.init(transport)  # type: ignore[no-untyped-call]


@contextmanager
def told_as_trouble(port: str) -> Iterator[None]:
    """Errors of nfcpy and pyserial as the bench's trouble, with the usual cure."""
    try:
        yield
    except LINE_ERRORS as error:
        raise as_trouble(port, error) from error


def as_trouble(port: str, error: BaseException) -> RigError:
    """What an error of nfcpy or pyserial means at the bench."""
    told = getattr(error, "trouble", None)
    if isinstance(told, RigError):  # its device knows better
        return told
    code = getattr(error, "errno", None)
    if code == errno.EIO and isinstance(error.__context__, LINE_ERRORS):
        return as_trouble(port, error.__context__)  # nfcpy says EIO for whatever kept the chip's ACK away
    if code == errno.EACCES:
        return DeviceGone(port, "this user may not open the port", "join the port's group, often dialout")
    if "exclusively lock" in str(error):
        return BenchBusy(port, "another program holds the port", "end it; lsof names it")
    if "(25, " in str(error):  # ENOTTY, which pyserial tells in words alone
        return DeviceGone(port, "this is no serial port", "check the port's name")
    if isinstance(error, serial.SerialException | termios.error) or code in (errno.ENOENT, errno.ENXIO):
        return DeviceGone(port, f"the port is gone: {error}", "check cable and power of the reader")
    if code == errno.ETIMEDOUT:
        return DeviceMute(
            port, "no PN532 answers", "check TX/RX and the HSU switches; set an FTDI's latency_timer to 1"
        )
    return DeviceNonsense(
        port, f"what answers does not behave as a PN532: {error}", "is it the right port? power-cycle the reader"
    )
