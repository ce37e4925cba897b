"""`rig card`: for people and for programs."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from rig.bench.lease import Lease
from rig.bench.places import StateDirectory
from rig.cards.profile import CardProfile, load_cards
from rig.cli import app
from rig.errors import BenchBusy, CallerMistake, DeviceGone
from rig.wire import tlv
from rig.wire.oda import parse_authorities
from rig.wire.vpcd import Control, Decoder, encode

H = bytes.fromhex
ROOT = Path(__file__).parents[1]
SOON = 20.0


@pytest.fixture(scope="module", autouse=True)
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("state")
        patch.setenv("RIG_STATE", str(folder))
        yield folder


@pytest.fixture(scope="module")
def cards() -> dict[str, CardProfile]:
    return load_cards(ROOT / "fixtures/cards")


def call(*arguments: object, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["card", *map(str, arguments)], env={"COLUMNS": "200"}, catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done.stdout


def test_list_for_people_and_programs(cards: dict[str, CardProfile]) -> None:
    said = call("list")
    told = {each["name"]: each for each in json.loads(call("list", "--json"))}
    assert set(told) == set(cards)
    assert all(name in said for name in cards)
    assert not any(card.pan in said + str(told) for card in cards.values())
    assert told["visa-credit"] == {
        "name": "visa-credit", "schemes": ["visa"], "kind": "credit", "number": "476173******0010",
        "interfaces": ["contactless", "contact", "stripe"], "bank": "north-bank", "special": [],
    }  # fmt: skip
    assert told["broken-signature"]["special"] == ["SDA", "signature corrupt"]


def test_list_breaks_no_word_in_a_narrow_terminal() -> None:
    said = CliRunner().invoke(app, ["card", "list"], env={"COLUMNS": "80"}).stdout
    assert max(len(line) for line in said.splitlines()) <= 80
    words = set(said.replace(",", " ").split())
    told = json.loads(call("list", "--json"))
    special = {word.rstrip(",") for each in told for what in each["special"] for word in what.split()}
    assert {word for word in special if len(word) <= 18} <= words
    assert {each["kind"] for each in told} | {"mastercard", "unionpay", "visa", "contactless"} <= words


def test_show_decodes_masks_and_counts_nothing(cards: dict[str, CardProfile], state: Path) -> None:
    said = call("show", "visa-credit")
    assert "57 Track 2 Equivalent Data" in said
    assert "476173******0010D" in said
    assert "9F27 Cryptogram Information Data  80  ARQC (ask the issuer)" in said
    told = json.loads(call("show", "visa-credit", "--json"))
    assert {each["interface"] for each in told["shown"]} == {"contactless", "contact"}
    assert [each["command"] for each in told["shown"][0]["answers"]] == ["SELECT AID", "GPO"]
    assert cards["visa-credit"].pan not in said + str(told)
    assert not (state / "virtual/cards").exists()


@pytest.mark.parametrize("name", ["contact-dda", "several-applications", "odd-lengths", "unionpay-stored-value"])
def test_show_never_tells_a_number(name: str, cards: dict[str, CardProfile]) -> None:
    assert cards[name].pan not in call("show", name) + call("show", name, "--json")


def test_show_of_a_card_without_a_chip() -> None:
    assert call("show", "stripe-only").strip() == "this card has no chip application"


def test_the_authorities_for_a_terminal() -> None:
    keys = parse_authorities(call("ca", "--format", "json"))
    assert [each.scheme for each in keys] == ["visa", "mastercard", "unionpay"]
    assert f"checksum: {keys[0].checksum.hex().upper()}" in call("ca")


class Slot:
    """A vpcd server, and `rig card serve` in a process of its own that has put a card into it."""

    def __init__(self, *words: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(SOON)
            address = f"127.0.0.1:{listener.getsockname()[1]}"
            command = [sys.executable, "-c", "from rig.cli import main; main()", "card", "serve", *words]
            self.process = subprocess.Popen(
                [*command, "--vpcd", address], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
            )
            self.card, _ = listener.accept()
        self.card.settimeout(SOON)
        self.atr = self.ask(bytes([Control.ATR]))

    def ask(self, message: bytes) -> bytes:
        self.card.sendall(encode(message))
        decoder = Decoder()
        while data := self.card.recv(4096):
            if answers := decoder.feed(data):
                return answers[0]
        return b""

    def line(self) -> str:
        """The next thing that it tells people; what it answers the reader may precede it."""
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def end(self, number: int) -> tuple[str, str]:
        self.process.send_signal(number)
        return self.process.communicate(timeout=SOON)


@pytest.fixture
def served(request: pytest.FixtureRequest) -> Iterator[Slot]:
    slot = Slot(*request.param)
    yield slot
    slot.card.close()
    slot.process.kill()
    slot.process.communicate()


@pytest.mark.parametrize("served", [["visa-credit"]], indirect=True)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_until_it_is_told_to_stop(served: Slot, number: int, state: Path) -> None:
    assert served.atr == H("3B6500002063CB6600")
    answer = served.ask(H("00A404000E") + b"1PAY.SYS.DDF01" + H("00"))
    assert tlv.find(answer[:-2], 0x88) == b"\x01"
    with pytest.raises(BenchBusy, match="rig card serve visa-credit"):
        Lease.acquire(StateDirectory.of("virtual").lock, "virtual", "a run")
    assert served.line().startswith("visa-credit 476173******0010 is in the slot 127.0.0.1:")
    assert served.line() == f"SELECT PSE: {len(answer)} bytes, 9000\n"
    said, complaint = served.end(number)
    assert served.process.returncode == 0, complaint
    assert said == "the card is out\n"
    assert served.card.recv(1) == b""
    Lease.acquire(StateDirectory.of("virtual").lock, "virtual", "a run").release()


@pytest.mark.parametrize("served", [["unionpay-debit", "--contactless"]], indirect=True)
def test_serve_as_contactless_until_the_reader_is_gone(served: Slot) -> None:
    assert served.atr == H("3B80800101")
    assert served.ask(H("00A404000E") + b"2PAY.SYS.DDF01" + H("00")).endswith(H("9000"))
    served.card.close()
    _, complaint = served.process.communicate(timeout=SOON)
    assert served.process.returncode == 2
    assert "ended the connection while the card was in it" in complaint
    assert "Traceback" not in complaint


@pytest.mark.parametrize(
    ("words", "error", "told"),
    [
        (["show", "nobody"], CallerMistake, r"known here: .*visa-credit"),
        (["serve", "visa-credit", "--vpcd", "127.0.0.1:1"], DeviceGone, r"nobody listens.*start pcscd"),
        (["serve", "visa-credit", "--vpcd", "127.0.0.1"], DeviceGone, r"nobody listens"),
        (["serve", "visa-credit", "--vpcd", "127.0.0.1:x"], CallerMistake, r"HOST:PORT"),
        (["serve", "stripe-only", "--vpcd", "127.0.0.1:1"], CallerMistake, r"it has no contact interface"),
        (["serve", "contact-dda", "--contactless", "--vpcd", "127.0.0.1:1"], CallerMistake, r"no contactless"),
        (["read"], CallerMistake, r"give --port or --pcsc"),
        (["read", "--port", "/dev/x", "--pcsc", "x"], CallerMistake, r"give --port or --pcsc"),
        (["read", "--port", "/dev/not-there"], DeviceGone, r"no such serial port"),
        (["read", "--port", "/dev/not-there", "--expect", "nobody"], CallerMistake, r"known here"),
        (["list", "--bench", "nowhere.yaml"], CallerMistake, r"nowhere.yaml"),
    ],
)
def test_what_cannot_be_is_named(words: list[str], error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        call(*words)


def test_a_bench_in_use_serves_no_card() -> None:
    lease = Lease.acquire(StateDirectory.of("virtual").lock, "virtual", "a run")
    with pytest.raises(BenchBusy, match=f"process {os.getpid()}.*a run"):
        call("serve", "visa-credit", "--vpcd", "127.0.0.1:1")
    lease.release()


class FakeReader:
    """What `PcscReader.open` gives, with a card of this bench in it."""

    uid: bytes | None = None
    atr: bytes | None = H("3B6500002063CB6600")

    def __init__(self, card: Any) -> None:
        self.interface, self._card = card.interface, card

    def transceive(self, apdu: bytes) -> bytes:
        answer: bytes = self._card.process(apdu).response
        return answer

    def close(self) -> None:
        pass


@pytest.mark.parametrize(("expected", "code"), [(None, 0), ("contact-sda", 0), ("visa-credit", 1)])
def test_read_and_compare(
    expected: str | None, code: int, monkeypatch: pytest.MonkeyPatch, cards: dict[str, CardProfile]
) -> None:
    from rig.card_command import _Desk
    from rig.cards.bureau import CardBureau
    from rig.cards.pcsc import PcscReader
    from rig.cards.profile import Interface

    desk = _Desk.of(ROOT / "fixtures/benches/virtual.yaml")
    card = CardBureau(desk.state, desk.redactor).issue(cards["contact-sda"], Interface.CONTACT)
    monkeypatch.setattr(PcscReader, "open", lambda name: FakeReader(card))
    words = ["read", "--pcsc", "", *(["--expect", expected] if expected else [])]
    said = call(*words, code=code)
    assert "masked: 621234*******8015" in said
    assert ("differs: number: 621234*******8015, not 476173******0010" in said) == bool(code)
    told = json.loads(call(*words, "--json", code=code))
    assert told["expected"] == expected
    assert bool(told["differences"]) == bool(code)
    assert cards["contact-sda"].pan not in said + str(told)
