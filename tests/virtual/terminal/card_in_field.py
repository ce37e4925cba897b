"""A plain contactless card in the simulated field: nfcpy on the bench's PN532, fixed answers, scripted departures."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from rig.wire.isodep import Ats, CardSide, Deselected, Reply, Request
from rig.wire.tlv import encode

VISA_AID = bytes.fromhex("A0000000031010")
UNIONPAY_AID = bytes.fromhex("A000000333010102")
PAN = "4761739001010010"
TRACK2 = bytes.fromhex(f"{PAN}D3112201000000000F")
OK = b"\x90\x00"
ATS = Ats(fwi=7)
"""39 ms to answer: a reader finds out soon that the card has gone."""


class PlainCard:
    """Answers PPSE, SELECT and GET PROCESSING OPTIONS; ``answers`` may replace any by instruction byte."""

    def __init__(self, aid: bytes = VISA_AID, cid: int = 0x80) -> None:
        self.aid = aid
        self.cid = cid
        self.atc = 0x41
        self.commands: list[bytes] = []
        self.answers: dict[int, bytes] = {}

    def process(self, command: bytes) -> bytes:
        """The response to a command."""
        self.commands.append(command)
        instruction = command[1]
        if instruction in self.answers:
            return self.answers[instruction]
        if instruction == 0xA4:
            return self._directory() if command[5:].startswith(b"2PAY") else self._file_control()
        return self._options() if instruction == 0xA8 else b"\x6d\x00"

    def _directory(self) -> bytes:
        unsupported = encode(0x61, encode(0x4F, bytes.fromhex("D2760000850101")), encode(0x87, b"\x01"))
        entry = encode(0x61, encode(0x4F, self.aid), encode(0x87, b"\x02"))
        return encode(0x6F, encode(0x84, b"2PAY.SYS.DDF01"), encode(0xA5, encode(0xBF0C, unsupported, entry))) + OK

    def _file_control(self) -> bytes:
        pdol = encode(0x9F38, bytes.fromhex("9F66049F02069F03069F1A0295055F2A029A039C019F3704"))
        return encode(0x6F, encode(0x84, self.aid), encode(0xA5, encode(0x50, b"TEST"), pdol)) + OK

    def _options(self) -> bytes:
        self.atc += 1
        objects = {
            0x82: b"\x20\x00", 0x57: TRACK2, 0x5F34: b"\x01", 0x9F10: bytes.fromhex("06010A03A00000"),
            0x9F26: bytes.fromhex("1122334455667788"), 0x9F27: bytes([self.cid]), 0x9F36: self.atc.to_bytes(2, "big"),
            0x9F6C: b"\x00\x00",
        }  # fmt: skip
        return encode(0x77, *(encode(tag, value) for tag, value in objects.items())) + OK


class CardInField:
    """Holds one card in the field at a time, until it is removed."""

    def __init__(self, port: Path) -> None:
        nfc = _nfcpy()
        self._frontend = nfc.clf.ContactlessFrontend()
        self._frontend.device = nfc.clf.pn532.init(nfc.clf.transport.TTY(str(port)))
        self._nfc = nfc
        self._away = threading.Event()
        self._thread: threading.Thread | None = None
        self._card = PlainCard()
        self._leave_before: int | None = None
        self._departures = 0

    def present(self, card: PlainCard, leave_before: int | None = None, times: int = 10_000) -> None:
        """Put a card in the field; it leaves, ``times`` times, when an instruction ``leave_before`` comes."""
        self._card, self._leave_before, self._departures = card, leave_before, times
        if self._thread is None:
            self._away.clear()
            self._thread = threading.Thread(target=self._serve, daemon=True)
            self._thread.start()

    def remove(self) -> None:
        """Take the card away; nfcpy may take half a second to notice."""
        if self._thread is not None:
            self._away.set()
            self._thread.join(10)
            self._thread = None

    def close(self) -> None:
        """Remove the card and close the chip."""
        self.remove()
        self._frontend.close()

    def _serve(self) -> None:
        local = self._nfc.clf.LocalTarget(
            "106A", sens_res=b"\x04\x00", sel_res=b"\x20", sdd_res=b"\x08\x01\x02\x03", rats_res=ATS.encode()
        )
        while not self._away.is_set():
            target = self._frontend.listen(local, timeout=0.1)
            if target is not None and target.tt4_cmd:
                self._talk(bytes(target.tt4_cmd))

    def _talk(self, block: bytes | None) -> None:
        """Answer the reader until it, or the card, goes."""
        side = CardSide(ATS)
        side.receive(bytes.fromhex("E080"))
        while block is not None:
            reply: bytes | None = None
            match side.receive(block):
                case Request(apdu=apdu):
                    if self._departures and apdu[1] == self._leave_before:
                        self._departures -= 1
                        return
                    reply = side.answer(self._card.process(apdu))
                case Reply(block=answer) | Deselected(block=answer):
                    reply = answer
            block = self._next_block(reply)

    def _next_block(self, reply: bytes | None) -> bytes | None:
        """Send a block and wait for the reader's next; ``None`` when either side has gone."""
        while not self._away.is_set():
            try:
                return bytes(self._frontend.exchange(reply, timeout=0.1))
            except self._nfc.clf.TimeoutError:
                reply = None
            except self._nfc.clf.CommunicationError:
                return None
        return None


def _nfcpy() -> Any:
    import nfc
    import nfc.clf
    import nfc.clf.pn532
    import nfc.clf.transport

    return nfc
