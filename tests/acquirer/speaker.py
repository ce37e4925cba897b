"""A terminal that speaks any dialect: messages made from the dialect's own usage."""

from __future__ import annotations

import itertools
import socket
from typing import Any, Self

from rig.wire.iso8583 import Dialect, Flow, Message, Totals, Tpdu, sealing
from rig.wire.iso8583.usage import PREAUTHORISED
from tests.acquirer.till import ADDRESS, MID, TID, Card

_BATCHLESS = ("network",)
_traces = itertools.count(500_000)


class Speaker:
    """One connection without TLS. ``mac_key`` seals requests where the dialect has a code."""

    def __init__(self, port: int, dialect: Dialect, mac_key: bytes | None = None, batch: str = "000001") -> None:
        self.dialect = dialect
        self.mac_key = mac_key
        self.request_key: bytes = b""
        """Seals requests where it is another key than the answers' (DUKPT)."""
        self.batch = batch
        self._connection = socket.create_connection((ADDRESS, port), timeout=5)
        self._reader = dialect.framing.reader()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def request(
        self,
        flow: Flow,
        card: Card | None = None,
        amount: int | None = None,
        code: str = "",
        **more: Any,
    ) -> Message:
        """A request for something; ``de37="…"`` and so on add elements or, None, take them away."""
        usage, form = self.dialect.usage, self.dialect.usage.form(flow)
        fields: dict[int, str | bytes] = {11: f"{next(_traces) % 1_000_000:06d}", 41: TID, 42: MID}
        if usage.original == 90:
            fields[7] = "0131235959"
        fields |= {12: "235959", 13: "0131"}
        if flow not in _BATCHLESS:
            fields[49] = "978"
        fields |= usage.numbering(flow, self.batch, code)
        if amount is not None:
            fields |= {3: (form.processing or "00") + "0000", 4: f"{amount:012d}", 25: "00"}
        if form.preauthorised:
            fields[25] = PREAUTHORISED
        if card is not None:
            fields |= {2: card.pan, 14: card.expiry, 22: "012"}
        for name, value in more.items():
            number = int(name.removeprefix("de"))
            if value is None:
                fields.pop(number, None)
            else:
                fields[number] = value
        return Message(form.mti, fields)

    def pointing_at(self, original: Message) -> dict[str, Any]:
        """The element that points at an earlier request."""
        found = self.dialect.usage.pointing_at(
            original.mti, original.text(11), original.text(7), self.batch, original.text(13)
        )
        return {f"de{number}": value for number, value in found.items()}

    def reversal(self, original: Message, mti: str | None = None) -> Message:
        """The reversal of an earlier request."""
        usage = self.dialect.usage
        kept = {n: v for n, v in original.fields.items() if n not in (55, 52, 64, 128, 90, 61, 37)} | {39: "98"}
        if not usage.reversal_is_own:
            kept |= usage.pointing_at(original.mti, original.text(11), original.text(7), self.batch, "0131")
        return Message(mti or usage.form("reversal").mti, kept)

    def settlement(self, totals: Totals, flow: Flow = "settlement", code: str = "201") -> Message:
        """The end of a batch, or of its upload."""
        extra: dict[str, Any] = (
            {"de3": "960000"} if flow == "upload_end" and self.dialect.usage.form(flow).mti == "0500" else {}
        )
        return self.request(flow, code=code, de48=self.dialect.usage.write_totals(totals), **extra)

    def send(self, message: Message) -> None:
        """Send one request."""
        data = self.dialect.encode(message)
        if self.dialect.mac is not None and self.mac_key is not None and message.mti[1] != "8":
            data = sealing.seal(self.dialect, message, self.request_key or self.mac_key)
        self._connection.sendall(self.dialect.framing.frame(Tpdu(1, 2), self.dialect.header + data))

    def receive(self) -> Message:
        """The next answer, its code verified where there is a key."""
        while not (frames := self._reader.feed(data := self._connection.recv(4096))):
            assert data, "the host closed the connection"
        tpdu, payload = frames[0]
        assert not self.dialect.framing.tpdu or tpdu == Tpdu(2, 1)
        header, data = self.dialect.split(payload)
        assert header == self.dialect.header
        message = self.dialect.decode(data)
        if self.mac_key is not None and message.mti[1] != "8" and message.text(39) not in ("A0", "30"):
            assert sealing.verify(self.dialect, data, message, self.mac_key)
        return message

    def ask(self, message: Message) -> Message:
        """Send, and have the answer."""
        self.send(message)
        return self.receive()

    def code(self, message: Message) -> str:
        """Send, and have the answer's code."""
        return self.ask(message).text(39)
