"""Two test cards, a bureau that may issue them, and a field with a reader to present them in."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nfc
import nfc.clf.pn532
import nfc.clf.transport
import pytest

from rig.cards.bureau import CardBureau
from rig.cards.profile import CardProfile, load_card
from rig.history import Redactor, TestRange, read_history

DRIVER: Any = nfc  # nfcpy has no types
CARDS = Path(__file__).parents[2] / "fixtures/cards"


@pytest.fixture
def visa() -> CardProfile:
    return load_card("visa-credit", CARDS)


@pytest.fixture
def unionpay() -> CardProfile:
    return load_card("unionpay-debit", CARDS)


@pytest.fixture
def mastercard() -> CardProfile:
    return load_card("mastercard-credit", CARDS)


@pytest.fixture
def redactor() -> Redactor:
    return Redactor.with_new_key([TestRange("476173"), TestRange("541333"), TestRange("621234")])


@pytest.fixture(scope="session")
def card_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """RSA keys that the tests share: making one takes a good part of a second."""
    return tmp_path_factory.mktemp("card-keys")


@pytest.fixture
def bureau(tmp_path: Path, redactor: Redactor, card_keys: Path) -> CardBureau:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    (state / "card-keys").symlink_to(card_keys)
    return CardBureau(state, redactor)


@dataclass
class Air:
    """A field process with three chips; `journal` reads what it wrote."""

    process: subprocess.Popen[bytes]
    runtime: Path
    journals: Path

    def port(self, chip: str) -> Path:
        return self.runtime / f"{chip}.tty"

    def states(self) -> list[tuple[str, list[str]]]:
        return [(event.data["state"], event.data["cards"]) for event in read_history(self.journals).of("field")]


@contextmanager
def air_in(tmp_path: Path, redactor: Redactor) -> Iterator[Air]:
    """The real field process on pseudo-terminals: chips `bench`, `other` and `terminal`."""
    runtime, journals = tmp_path / "runtime", tmp_path / "journals"
    runtime.mkdir()
    redactor.save(tmp_path / "redaction.json")
    settings = {
        "name": "field", "runtime": str(runtime), "journals": str(journals),
        "redaction": str(tmp_path / "redaction.json"),
        "chips": {chip: f"{chip}.tty" for chip in ("bench", "other", "terminal")},
    }  # fmt: skip
    config = tmp_path / "field.json"
    config.write_text(json.dumps(settings))
    reader, writer = os.pipe()
    command = [sys.executable, "-m", "rig.virtual.field", "--config", str(config), "--ready-fd", str(writer)]
    process = subprocess.Popen(command, pass_fds=[writer])
    os.close(writer)
    with os.fdopen(reader) as pipe:
        assert pipe.readline()
    yield Air(process, runtime, journals)
    if process.poll() is None:
        process.terminate()
        assert process.wait(5) == 0


@pytest.fixture
def air(tmp_path: Path, redactor: Redactor) -> Iterator[Air]:
    with air_in(tmp_path, redactor) as made:
        yield made


class Reader:
    """A terminal's contactless reader: unmodified nfcpy over its own transport."""

    def __init__(self, port: Path) -> None:
        self.frontend = DRIVER.ContactlessFrontend()
        self._transport = DRIVER.clf.transport.TTY(str(port.resolve()))
        for _ in range(5):  # nfcpy gives the chip 100 ms, and trips over last words for a reader that was killed
            with suppress(OSError):
                self.frontend.device = DRIVER.clf.pn532.init(self._transport)
                return
            self._let_last_words_pass()
        pytest.fail("the reader's chip does not answer")

    def _let_last_words_pass(self) -> None:
        """Each try would otherwise read what the chip said to the one before it."""
        self._transport.tty.timeout = 0.1
        while self._transport.tty.read(4096):
            continue

    def sense(self) -> Any:
        """The card in the field, activated, or None."""
        target = self.frontend.sense(DRIVER.clf.RemoteTarget("106A"))
        return DRIVER.tag.activate(self.frontend, target) if target else None

    def count(self) -> int:
        """How many cards, at most 2, the chip finds in a new field, which is off afterwards."""
        self.frontend.device.mute()
        answer = self.frontend.device.chipset.command(0x4A, bytearray([2, 0]), 1.0)
        self.frontend.device.mute()
        return int(answer[0])

    def close(self) -> None:
        self.frontend.close()


@pytest.fixture
def open_reader(air: Air) -> Callable[[], Reader]:
    return lambda: Reader(air.port("terminal"))


@pytest.fixture
def reader(open_reader: Callable[[], Reader]) -> Iterator[Reader]:
    reader = open_reader()
    yield reader
    reader.close()
