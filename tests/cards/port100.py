"""A simulated RC-S380 behind nfcpy's USB transport, written from nfcpy's public driver `nfc.clf.rcs380`."""

from __future__ import annotations

import errno
import os
import queue
import time
from collections import deque
from collections.abc import Callable

H = bytes.fromhex
ACK = H("0000FF00FF00")
OK = bytes(4)
NOTHING_CAME, FIELD_OFF = H("80000000"), H("00040000")
FIELD_GOES = b""
"""Instead of a block: the reader switches its field off."""


def frame(data: bytes) -> bytes:
    """Data as it goes over USB: FF FF, length low byte first, its checksum, data, its checksum, 00."""
    length = len(data).to_bytes(2, "little")
    return H("0000FFFFFF") + length + bytes([-sum(length) & 0xFF]) + data + bytes([-sum(data) & 0xFF, 0])


class Port100:
    """The device's end of USB, with the shape of `nfc.clf.transport.USB`, and the reader that looks at the card.

    Attributes:
        line: every frame, ``>`` to the device, its content in hex.
    """

    TYPE = "USB"
    manufacturer_name, product_name = "SONY", "RC-S380/S"

    def __init__(self) -> None:
        self.line: list[str] = []
        self.unplugged = self.closed = False
        self._due: deque[Callable[[], bytes]] = deque()
        self._from_reader: queue.Queue[bytes] = queue.Queue()
        self._to_reader: queue.Queue[bytes] = queue.Queue()
        self._rf_off_is_an_error = True
        self._listens = False

    # --- the reader ------------------------------------------------------------------------------------------------

    def ask(self, block: bytes, timeout_s: float = 2.0) -> bytes | None:
        """The card's answer to a block; None when there is none."""
        self._from_reader.put(block)
        try:
            return self._to_reader.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def field_goes(self) -> None:
        """The reader switches its field off."""
        self._from_reader.put(FIELD_GOES)

    def wait_for(self, beginning: str, count: int) -> None:
        """Until so many frames that begin so have passed, and a receive after them."""
        deadline = time.monotonic() + 3
        while len(found := [at for at, each in enumerate(self.line) if each.startswith(beginning)]) < count or not any(
            each.startswith(">D648") for each in self.line[found[-1] :]
        ):
            assert time.monotonic() < deadline, f"no {count} {beginning}"
            time.sleep(0.002)

    # --- USB -------------------------------------------------------------------------------------------------------

    def write(self, data: bytes, timeout: int = 0) -> None:
        if self.unplugged:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        data = bytes(data)
        if data == ACK:
            self.line.append(">ack")
            self._due.clear()
            return
        length = int.from_bytes(data[5:7], "little")
        content = data[8 : 8 + length]
        assert data == frame(content), "what the host sends is no frame"
        assert content[0] == 0xD6
        self.line.append(">" + content.hex().upper())
        answer = self._execute(content[1], content[2:])
        self._due.extend([lambda: ACK, lambda: self._answer(content[1], answer())])

    def read(self, timeout: int = 0) -> bytearray:
        if self.unplugged:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        if not self._due:
            raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
        return bytearray(self._due.popleft()())

    def close(self) -> None:
        self.closed = True

    def _answer(self, command: int, data: bytes) -> bytes:
        content = bytes([0xD7, command + 1]) + data
        self.line.append("<" + content.hex().upper())
        return frame(content)

    def _execute(self, command: int, data: bytes) -> Callable[[], bytes]:
        match command:
            case 0x20:
                return lambda: H("1101")  # version 1.11, low byte first
            case 0x22:
                return lambda: H("0001")
            case 0x06:
                self._listens = False
            case 0x42:
                settings = dict(zip(data[::2], data[1::2], strict=True))
                self._rf_off_is_an_error = bool(settings.get(1, self._rf_off_is_an_error))
            case 0x48:
                return lambda: self._communicate(data)
        return lambda: H("00")

    def _communicate(self, data: bytes) -> bytes:
        """TgCommRF: guard time, send timeout (2 each), MDAA, 6 and 18 bytes, two flags, receive timeout (2), block."""
        automatic, wait_ms, block = data[4], int.from_bytes(data[31:33], "little"), data[33:]
        self._listens = self._listens or bool(automatic)
        if block and self._listens:
            self._to_reader.put(block)
        try:
            came = self._from_reader.get(timeout=wait_ms / 1000)
        except queue.Empty:
            return H("0B0000") + NOTHING_CAME
        if came == FIELD_GOES:
            return H("0B0000") + (FIELD_OFF if self._rf_off_is_an_error else NOTHING_CAME)
        return H("0B0003") + OK + came
