"""A PN532 on a serial port as the bench's own reader of contactless cards.

nfcpy drives the chip; ISO-DEP is ours (`rig.wire.isodep_reader`). InListPassiveTarget is asked for two targets (NXP
UM0701-02, 7.3.5), so that a second card in the field is noticed. Proven against the simulated chip of this project.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nfc.clf
import nfc.clf.pn53x

from rig.cards.profile import Interface
from rig.cards.tty import open_device, told_as_trouble
from rig.errors import BenchTrouble
from rig.wire.isodep_reader import IsoDepError, ReaderSide, Send, run
from rig.wire.pn532 import Command

TWO_OF_TYPE_A = bytearray([2, 0])  # MaxTg, BrTy 106 kbit/s type A
LIST_S = 1.0
_PUT = "put one card on the reader, flat and near its middle"


class CardOnReader:
    """A card in the reader's field: `rig.cards.reading.Reader`."""

    interface = Interface.CONTACTLESS
    atr = None

    def __init__(self, name: str, device: Any, target: Any) -> None:
        self._name, self._device, self._target = name, device, target
        self._side = ReaderSide()
        self._pause = threading.Event()  # never set
        self.uid: bytes | None = bytes(target.sdd_res)
        self._run(self._side.activate())

    def transceive(self, apdu: bytes) -> bytes:
        """One command and its response. Raises BenchTrouble when the card does not answer."""
        response: bytes = self._run(self._side.transceive(apdu))
        return response

    def _run(self, dialogue: Any) -> Any:
        try:
            with told_as_trouble(self._name):
                return run(dialogue, self._exchange)
        except IsoDepError as error:
            raise BenchTrouble(self._name, f"the card on the reader does not answer: {error.why}", _PUT) from error

    def _exchange(self, send: Send) -> bytes | None:
        if send.pause_s:
            self._pause.wait(send.pause_s)
        try:
            return bytes(self._device.send_cmd_recv_rsp(self._target, bytearray(send.block), send.wait_s))
        except nfc.clf.CommunicationError:
            return None


class Pn532CardReader:
    """The reader.

    Args:
        port: its serial port, any path.

    Raises:
        DeviceGone, BenchBusy, DeviceMute, DeviceNonsense: the port holds no working PN532.
    """

    def __init__(self, port: Path) -> None:
        self._name = str(port)
        self._device, self._tty = open_device(port)

    @contextmanager
    def card(self) -> Iterator[CardOnReader]:
        """The one card that lies there, activated; the field is off afterwards.

        Raises:
            BenchTrouble: there is none, there are two, or it does not answer.
        """
        try:
            with told_as_trouble(self._name):
                self._device.mute()
                target = self._find()
            yield CardOnReader(self._name, self._device, target)
        finally:
            with told_as_trouble(self._name):
                self._device.mute()

    def close(self) -> None:
        """Put the chip to sleep and give the port back."""
        try:
            with told_as_trouble(self._name):
                self._device.close()
        finally:
            self._tty.close()

    def _find(self) -> Any:
        listed = bytes(self._device.chipset.command(Command.IN_LIST_PASSIVE_TARGET, TWO_OF_TYPE_A, LIST_S))
        if not listed or not listed[0]:
            raise BenchTrouble(self._name, "no card lies on the reader", _PUT)
        if listed[0] > 1:
            raise BenchTrouble(self._name, "more than one card lies on the reader", _PUT)
        return nfc.clf.RemoteTarget(  # type: ignore[no-untyped-call]
            "106A", sens_res=bytearray(listed[3:1:-1]), sel_res=bytearray(listed[4:5]),
            sdd_res=bytearray(listed[6 : 6 + listed[5]]),
        )  # fmt: skip
