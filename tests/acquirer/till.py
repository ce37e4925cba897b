"""A host process on loopback, and a till that talks ISO 8583 to it: what the tests of the acquirer share."""

from __future__ import annotations

import itertools
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, get_args

import yaml

from rig.acquirer.authority import HOST_NAME, export_ca
from rig.acquirer.client import AcquirerClient
from rig.history import Event, Redactor, TestRange, read_history
from rig.history.redaction import luhn_valid
from rig.wire.cryptogram import CryptogramData, CryptogramVersion, Decision, application_cryptogram, issuer_data
from rig.wire.iso8583 import ASCII87, FrameReader, Message, Totals, Tpdu, de90, frame
from rig.wire.tlv import Tlv, encode_all

ADDRESS = "127.0.0.1"
TID, MID = "52000001", "POSRIG000000001"
TPDU = Tpdu(destination=1, source=0)
KEYS = {"north-bank": bytes.fromhex("9E15204313F7318ACB79B90BD986AD29"), "east-bank": bytes(range(1, 32, 2))}

MK_SMI = bytes(range(2, 33, 2))
ALL: tuple[CryptogramVersion, ...] = get_args(CryptogramVersion)
AIDS = {
    "visa": bytes.fromhex("A0000000031010"), "mastercard": bytes.fromhex("A0000000041010"),
    "unionpay": bytes.fromhex("A000000333010101"),
}  # fmt: skip

_traces = itertools.count(1)


def card_number(prefix: str, length: int) -> str:
    """A Luhn-valid number made here, so that none stands in the source."""
    body = prefix.ljust(length - 1, "0")
    return next(body + str(digit) for digit in range(10) if luhn_valid(body + str(digit)))


@dataclass
class Card:
    """A card, with its counter."""

    name: str
    pan: str = field(repr=False)
    bank: str
    version: CryptogramVersion
    kind: str
    account: dict[str, Any]
    expiry: str = "3912"
    other: dict[str, Any] = field(default_factory=dict)
    counter: itertools.count[int] = field(default_factory=lambda: itertools.count(1), repr=False)

    @property
    def scheme(self) -> str:
        """Whose card."""
        return self.version.split("-")[0]

    @property
    def track2(self) -> str:
        """Track 2 of its magnetic stripe."""
        return f"{self.pan}={self.expiry}{self.other.get('service_code', '201')}00000"

    def chip(self, amount: int, atc: int | None = None, decision: Decision = "ARQC") -> dict[int, bytes]:
        """The data objects of a sale, the card's cryptogram among them."""
        values = {
            0x9F02: bytes.fromhex(f"{amount:012d}"), 0x9F03: bytes(6), 0x9F1A: b"\x02\x76", 0x95: bytes(5),
            0x5F2A: b"\x09\x78", 0x9A: bytes.fromhex("260131"), 0x9C: b"\0", 0x9F37: os.urandom(4),
            0x82: b"\x20\0", 0x9F36: (next(self.counter) if atc is None else atc).to_bytes(2, "big"),
            0x9F10: issuer_data(self.version, decision), 0x84: AIDS[self.scheme],
        }  # fmt: skip
        data = CryptogramData.from_tags(values)
        return values | {0x9F26: application_cryptogram(self.version, KEYS[self.bank], self.pan, "01", data)}


def make_cards() -> dict[str, Card]:
    """Credit and debit, of two banks, and three that are not approved."""
    cards = [
        Card("credit", card_number("47617390", 16), "north-bank", "visa-10", "credit", {"limit": 10_000_000}),
        Card("debit", card_number("62123400", 19), "east-bank", "unionpay-01", "debit", {"balance": 5000}),
        Card("stolen", card_number("476173901", 16), "north-bank", "visa-10", "debit", {"balance": 0, "decline": "43"}),
        Card("old", card_number("476173902", 16), "north-bank", "visa-10", "debit", {"balance": 9999}, expiry="2001"),
        Card("new", card_number("476173903", 16), "north-bank", "visa-10", "debit", {"balance": 9999},
             other={"effective": "3801"}),
        Card("phone", card_number("476173904", 16), "north-bank", "visa-17", "credit", {"limit": 10_000},
             other={"funding": "purse"}),
        Card("purse", card_number("476173905", 16), "north-bank", "visa-18", "credit", {"limit": 10_000}),
        Card("stripe", card_number("476173906", 16), "north-bank", "visa-10", "debit", {"balance": 10_000},
             other={"service_code": "101"}),
        Card("secret", card_number("476173909", 16), "north-bank", "visa-10", "credit", {"limit": 10_000_000},
             other={"pin": "4711"}),
        Card("part", card_number("476173908", 16), "north-bank", "visa-10", "prepaid",
             {"balance": 1000, "partial": True}),
    ]  # fmt: skip
    for version in ALL:
        bank, bin_ = ("east-bank", "62123400") if version == "unionpay-01" else ("north-bank", "47617390")
        pan = card_number(f"{bin_}7{ALL.index(version)}", 16)
        cards.append(Card(version, pan, bank, version, "credit", {"limit": 10_000_000}))
    return {card.name: card for card in cards}


class HostProcess:
    """``python -m rig.acquirer.serve`` in a folder of its own."""

    def __init__(self, root: Path, **settings: Any) -> None:
        self.root = root
        self.cards = make_cards()
        self.redactor = Redactor.with_new_key([TestRange("476173"), TestRange("621234")])
        self._settings = settings
        self.dialect = str(settings.get("dialect", ASCII87.name))
        for folder in ("runtime", "journals", "state", "cards"):
            (root / folder).mkdir(parents=True, mode=0o700)
        self.redactor.save(root / "redaction.json")
        keys = {bank: {"mk_ac": key.hex(), "mk_smi": MK_SMI.hex()} for bank, key in KEYS.items()}
        (root / "state/issuer-keys.json").write_text(json.dumps(keys))
        for card in self.cards.values():
            fields: dict[str, Any] = {"name": card.name, "pan": card.pan, "bank": card.bank}
            fields["applications"] = [{"scheme": card.scheme, "cryptogram": card.version}]
            fields |= {"psn": "01", "kind": card.kind, "expiry": card.expiry, "account": card.account, **card.other}
            (root / f"cards/{card.name}.yaml").write_text(yaml.safe_dump(fields))
        self.start()

    def start(self) -> None:
        """Start the process, on the port it had before if it had one."""
        config = {
            "name": "acquirer", "runtime": str(self.root / "runtime"), "journals": str(self.root / "journals"),
            "redaction": str(self.root / "redaction.json"), "listen": [ADDRESS], "port": 0, "tls": True,
            "state": str(self.root / "state"), "cards": str(self.root / "cards"), "currency": "EUR",
            "terminals": {TID: MID}, "ledger": str(self.root / "ledger.sqlite"), **self._settings,
        }  # fmt: skip
        (self.root / "acquirer.json").write_text(json.dumps(config))
        read_end, write_end = os.pipe()
        command = [sys.executable, "-m", "rig.acquirer.serve", "--config", str(self.root / "acquirer.json")]
        command += ["--ready-fd", str(write_end)]
        self.process = subprocess.Popen(command, pass_fds=[write_end])
        os.close(write_end)
        with os.fdopen(read_end) as ready:
            self.ready: dict[str, Any] = json.loads(ready.readline())
        self.port = int(self.ready["port"])
        self.control = AcquirerClient(self.root / "runtime/acquirer.sock")

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End the process; returns its exit code."""
        self.control.close()
        self.process.send_signal(how)
        return self.process.wait(10)

    def events(self, *kinds: str) -> list[Event]:
        """What the host wrote into its journals so far."""
        history = read_history(self.root / "journals")
        assert not history.damage
        return history.of(*kinds) if kinds else list(history.events)

    def about(self, kind: str, key: str) -> list[dict[str, Any]]:
        """The particulars of the events of a kind about one request."""
        return [event.data for event in self.events(kind) if event.data.get("key") == key]

    def row(self, key: str) -> dict[str, Any]:
        """The one ledger row of a request."""
        (row,) = [row for row in self.control.ledger() if row["key"] == key]
        return row

    def trust(self) -> ssl.SSLContext:
        """A verifying client's settings."""
        return ssl.create_default_context(cadata=export_ca(self.root / "state"))

    def till(self) -> Till:
        """A new connection, verified."""
        raw = socket.create_connection((ADDRESS, self.port), timeout=5)
        return Till(self.trust().wrap_socket(raw, server_hostname=HOST_NAME))


class Till:
    """One connection of a terminal."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._frames = FrameReader()
        self._inbox: list[tuple[Tpdu, bytes]] = []

    @classmethod
    def plain(cls, port: int) -> Self:
        """A new connection without TLS."""
        return cls(socket.create_connection((ADDRESS, port), timeout=5))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def send(self, message: Message) -> None:
        """Send one request."""
        self.connection.sendall(frame(TPDU, ASCII87.encode(message)))

    def receive(self, timeout_s: float = 5) -> Message | None:
        """The next answer; None where the host closed the connection. Raises TimeoutError."""
        self.connection.settimeout(timeout_s)
        while not self._inbox:
            data = self.connection.recv(4096)
            if not data:
                return None
            self._inbox += self._frames.feed(data)
        tpdu, payload = self._inbox.pop(0)
        assert tpdu == TPDU.swapped()
        return ASCII87.decode(payload)

    def ask(self, message: Message) -> Message:
        """Send, and have the answer."""
        self.send(message)
        answer = self.receive()
        assert answer is not None
        return answer


def _base(trace: int | None, batch: str) -> dict[int, str | bytes]:
    stan = f"{next(_traces) if trace is None else trace:06d}"
    return {7: "0131235959", 11: stan, 12: "235959", 13: "0131", 41: TID, 42: MID, 49: "978", 60: batch}


def sale(card: Card, amount: int, trace: int | None = None, batch: str = "000001", **chip: Any) -> Message:
    """A contactless sale."""
    fields = _base(trace, batch) | {2: card.pan, 3: "000000", 4: f"{amount:012d}", 14: card.expiry}
    fields |= {22: "071", 23: "001", 25: "00"}
    fields[55] = encode_all(Tlv(tag, value) for tag, value in card.chip(amount, **chip).items())
    return Message("0200", fields)


def advice(card: Card, amount: int, decision: Decision = "TC", **chip: Any) -> Message:
    """A sale that card and terminal approved offline."""
    return Message("0220", dict(sale(card, amount, decision=decision, **chip).fields) | {39: "Y1"})


def swipe(card: Card, amount: int, entry_mode: str) -> Message:
    """A sale by magnetic stripe."""
    fields = dict(sale(card, amount).fields) | {22: entry_mode, 35: card.track2}
    del fields[55], fields[23]
    return Message("0200", dict(sorted(fields.items())))


def void(original: Message, rrn: str) -> Message:
    """The void of a sale."""
    fields = dict(original.fields) | {3: "200000", 37: rrn, 11: f"{next(_traces):06d}"}
    fields[90] = de90("0200", original.text(11), original.text(7))
    del fields[55]
    return Message("0200", dict(sorted(fields.items())))


def reversal(original: Message, mti: str = "0400") -> Message:
    """The reversal of a sale or a void."""
    fields = dict(original.fields) | {39: "98", 90: de90("0200", original.text(11), original.text(7))}
    fields.pop(55, None)
    return Message(mti, dict(sorted(fields.items())))


def settlement(totals: Totals, batch: str) -> Message:
    """The end of a batch."""
    return Message("0500", _base(None, batch) | {48: totals.encode()})


def changed(message: Message, **elements: str | bytes | None) -> Message:
    """The same message with other elements, named ``de4="…"``; None takes one away."""
    fields = dict(message.fields)
    for name, value in elements.items():
        number = int(name.removeprefix("de"))
        if value is None:
            del fields[number]
        else:
            fields[number] = value
    return Message(message.mti, dict(sorted(fields.items())))


def key(message: Message) -> str:
    """How history and ledger name a request."""
    return f"{TID}/{message.text(11)}"
