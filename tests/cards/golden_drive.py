"""What the golden dialogues are dialogues of: nfcpy's driver as this project uses it, with an unchanging card."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import nfc.clf

from rig.cards.chip_session import Callbacks
from rig.cards.emv.card import EmvCard, Exchange
from rig.cards.pn532 import silence
from rig.cards.profile import load_card
from rig.cards.session import CardSession
from rig.cards.tty import Device, InterruptibleTty, open_device
from rig.wire.isodep_reader import ReaderSide, Send, run
from tests.cards.golden_lines import Line

DIALOGUES = ("open", "listen", "exchange", "close")
CARDS = Path(__file__).parents[2] / "fixtures/cards"
UID = bytes.fromhex("08C0FFEE")
COMMAND, RESPONSE = bytes.fromhex("0084000000"), bytes.fromhex("01020304050607089000")
LISTEN = bytes.fromhex("D48C")


class PlainCard:
    """Answers every command alike."""

    profile = load_card("visa-credit", CARDS)

    def reset(self) -> None:
        """It has nothing to forget."""

    def process(self, raw: bytes) -> Exchange:
        return Exchange("GET CHALLENGE", raw, RESPONSE)


class RemoteReader:
    """The reader on the other side: activates the card, sends it one command, deselects it."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def visit(self) -> None:
        frontend = self._reader.frontend
        assert frontend.sense(nfc.clf.RemoteTarget("106A")) is not None  # type: ignore[no-untyped-call]

        def exchange(send: Send) -> bytes:
            return bytes(frontend.exchange(send.block, send.wait_s))

        side = ReaderSide()
        run(side.activate(), exchange)
        assert run(side.transceive(COMMAND), exchange) == RESPONSE
        assert run(side.deselect(), exchange)
        frontend.device.mute()

    def close(self) -> None:
        self._reader.close()


class Drive:
    """Runs the driver over a line, one dialogue after the other. `visit` lets a reader come while the card listens."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._device: Device = None
        self._tty: InterruptibleTty | None = None
        line.start()

    def open(self, _visit: Callable[[], None] = lambda: None) -> None:
        if self._tty is None:
            self._device, self._tty = open_device(self._line.path)

    def listen(self, _visit: Callable[[], None]) -> None:
        """Be a card, and be removed before a reader comes."""
        self._session().end()
        silence(self._device, "the chip")

    def exchange(self, visit: Callable[[], None]) -> None:
        """Be a card, be read once and deselected, listen again, be removed."""
        session = self._session()
        visit()
        self._line.wait_until_said(LISTEN, 2)
        session.end()
        silence(self._device, "the chip")

    def close(self, _visit: Callable[[], None]) -> None:
        """Put the chip to sleep."""
        self._device.close()

    def end(self) -> None:
        if self._tty is not None:
            self._tty.close()
        self._line.close()

    def _session(self) -> CardSession:
        assert self._tty is not None
        card = cast("EmvCard", PlainCard())
        told = Callbacks(lambda _: None, lambda *_: None)
        session = CardSession("the chip", self._device, self._tty, card, UID, told)
        session.start()
        return session
