"""Recorded dialogues between nfcpy's driver and a PN532: how they are written down, tapped, and played back.

A dialogue is a text file under `golden/`: ``>`` what the host sent, ``<`` what the chip said before the host's next
word, both in hexadecimal; ``#`` tells where it was recorded.
"""

from __future__ import annotations

import os
import select
import threading
import time
import tty
from dataclasses import dataclass
from pathlib import Path

import serial

from rig.wire.pn532 import ACK, Frame, FrameReader

FOLDER = Path(__file__).parent / "golden"
SET_SPEED = bytes.fromhex("D410")
SPEEDS = (9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600, 1288000)


@dataclass
class Word:
    """Bytes in one direction: ``>`` to the chip, ``<`` from it."""

    direction: str
    data: bytes

    def answers(self) -> list[bytes]:
        """The direction byte, the command and the first byte of each frame in it: what any chip must say alike."""
        return [item.data[:3] for item in FrameReader().feed(self.data) if isinstance(item, Frame)]


def read(name: str) -> list[Word]:
    """A dialogue of the folder."""
    lines = (FOLDER / f"{name}.txt").read_text().splitlines()
    return [Word(line[0], bytes.fromhex(line[2:])) for line in lines if line and not line.startswith("#")]


def write(name: str, words: list[Word], where: str) -> None:
    """Put a dialogue into the folder."""
    text = "".join(f"{word.direction} {word.data.hex().upper()}\n" for word in words)
    (FOLDER / f"{name}.txt").write_text(f"# nfcpy 1.0.4 and a PN532, {name}. Recorded from {where}.\n{text}")


class Line:
    """The host's end is a pseudo-terminal at `path`; a thread plays the other end. `words` is what was said."""

    def __init__(self) -> None:
        self.words: list[Word] = []
        self._far, self._near = os.openpty()
        tty.setraw(self._far)
        tty.setraw(self._near)
        self.path = Path(os.ttyname(self._near))
        self._end = os.eventfd(0)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        os.eventfd_write(self._end, 1)
        self._thread.join(2)
        for each in (self._far, self._near, self._end):
            os.close(each)

    def wait_until_said(self, data: bytes, times: int) -> None:
        """Until the host has said this so many times."""
        deadline = time.monotonic() + 2
        while b"".join(word.data for word in self.words if word.direction == ">").count(data) < times:
            assert time.monotonic() < deadline, f"the host never said {data.hex()} {times} times"
            time.sleep(0.002)

    def _note(self, direction: str, data: bytes) -> None:
        if self.words and self.words[-1].direction == direction:
            self.words[-1].data += data
        else:
            self.words.append(Word(direction, data))

    def _run(self) -> None:
        raise NotImplementedError


class Tap(Line):
    """Between the host and a chip's serial port: everything is passed on, and kept. It follows the host's speed."""

    def __init__(self, chip: Path) -> None:
        super().__init__()
        self._chip = serial.Serial(str(chip), 115200, timeout=0)
        self._speed = 0

    def close(self) -> None:
        super().close()
        self._chip.close()

    def _run(self) -> None:
        chip = self._chip.fileno()
        while True:
            ready, _, _ = select.select([self._far, chip, self._end], [], [])
            if self._end in ready:
                return
            if self._far in ready:
                self._pass_on(os.read(self._far, 4096))
            if chip in ready:
                data = self._chip.read(4096)
                self._note("<", data)
                os.write(self._far, data)

    def _pass_on(self, data: bytes) -> None:
        self._note(">", data)
        if self._speed and data.startswith(ACK):  # the chip changes its speed with the host's ACK to its answer
            self._chip.write(ACK)
            self._chip.flush()
            self._chip.baudrate, self._speed, data = self._speed, 0, data[len(ACK) :]
        for item in FrameReader().feed(data):
            if isinstance(item, Frame) and item.data[:2] == SET_SPEED:
                self._speed = SPEEDS[item.data[2]]
        self._chip.write(data)


class Replay(Line):
    """Plays the chip of a dialogue. `mismatch` says where the host said something else."""

    def __init__(self, words: list[Word]) -> None:
        super().__init__()
        self.mismatch = ""
        self._left = list(words)

    @property
    def over(self) -> bool:
        """Whether everything has been said."""
        return not self._left and not self.mismatch

    def _run(self) -> None:
        heard = b""
        while True:
            ready, _, _ = select.select([self._far, self._end], [], [])
            if self._end in ready:
                return
            data = os.read(self._far, 4096)
            self._note(">", data)
            heard += data
            while self._left and heard and not self.mismatch:
                expected = self._left[0].data
                if not (heard.startswith(expected) or expected.startswith(heard)):
                    self.mismatch = f"expected {expected.hex()}, the host said {heard.hex()}"
                if len(heard) < len(expected):
                    break
                heard = heard[len(expected) :]
                self._left.pop(0)
                if self._left and self._left[0].direction == "<":
                    os.write(self._far, self._left.pop(0).data)
            if heard and not self._left:
                self.mismatch = f"the host went on: {heard.hex()}"
