"""A PN532 that is missing, mute, mad, taken, or dies: each is the bench's trouble, by name and with a cure."""

import os
import signal
import subprocess
import sys
import threading
import time
import tty
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rig.cards.bureau import CardBureau
from rig.cards.pn532 import Pn532Presenter
from rig.cards.profile import CardProfile
from rig.cards.tty import InterruptibleTty
from rig.errors import BenchBusy, BenchTrouble, DeviceGone, DeviceMute, DeviceNonsense


def ignore(*_: object) -> None:
    return


@pytest.fixture
def empty_port() -> Iterator[tuple[int, Path]]:
    """A port without a chip: its far end, and its path."""
    far, near = os.openpty()
    tty.setraw(far)
    yield far, Path(os.ttyname(near))
    os.close(far)
    os.close(near)


def test_a_port_that_is_not_there(tmp_path: Path, bureau: CardBureau) -> None:
    with pytest.raises(DeviceGone, match=r"nowhere.tty.*cable"):
        Pn532Presenter(tmp_path / "nowhere.tty", bureau, ignore, ignore)


def test_a_path_that_a_shell_would_understand_is_no_port(tmp_path: Path, bureau: CardBureau) -> None:
    evil = tmp_path / "x; touch harmed"
    evil.symlink_to("/dev/null")
    with pytest.raises(BenchTrouble):
        Pn532Presenter(evil, bureau, ignore, ignore)
    with pytest.raises(DeviceGone):
        Pn532Presenter(Path("/dev/null; touch harmed"), bureau, ignore, ignore)
    assert not Path("harmed").exists()


def test_a_device_that_is_no_serial_port(bureau: CardBureau) -> None:
    with pytest.raises(DeviceGone, match="this is no serial port"):
        Pn532Presenter(Path("/dev/null"), bureau, ignore, ignore)


def test_a_port_that_goes_while_its_speed_changes_is_given_back_whole(empty_port: tuple[int, Path]) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    line = InterruptibleTty(str(empty_port[1]))
    with pytest.raises(OSError, match="No such file"):
        line.open("/dev/nowhere", 921_600)
    line.close()
    line.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_port_where_nothing_answers(empty_port: tuple[int, Path], bureau: CardBureau) -> None:
    began = time.monotonic()
    with pytest.raises(DeviceMute, match="latency_timer"):
        Pn532Presenter(empty_port[1], bureau, ignore, ignore)
    assert time.monotonic() - began < 1.0


@pytest.mark.parametrize("answer", [b"OK\r\nREADY\r\n", bytes(64), b"\x00\x00\xff\xff\xff\xff\xff\x02" + bytes(40)])
def test_a_port_where_something_else_answers(answer: bytes, empty_port: tuple[int, Path], bureau: CardBureau) -> None:
    far, port = empty_port

    def babble() -> None:
        os.read(far, 100)
        os.write(far, answer)

    threading.Thread(target=babble, daemon=True).start()
    with pytest.raises((DeviceNonsense, DeviceMute), match=str(port)):
        Pn532Presenter(port, bureau, ignore, ignore)


def test_a_port_that_another_program_holds(air: Any, bureau: CardBureau) -> None:
    holder = Pn532Presenter(air.port("bench"), bureau, ignore, ignore)
    with pytest.raises(BenchBusy, match="another program holds the port"):
        Pn532Presenter(air.port("bench"), bureau, ignore, ignore)
    holder.close()
    holder.close()
    Pn532Presenter(air.port("bench"), bureau, ignore, ignore).close()


def test_opening_is_quick(air: Any, bureau: CardBureau) -> None:
    began = time.monotonic()
    Pn532Presenter(air.port("bench"), bureau, ignore, ignore).close()
    assert time.monotonic() - began < 0.5


def test_a_chip_that_dies_under_a_card_is_told_at_removal(air: Any, bureau: CardBureau, visa: CardProfile) -> None:
    presenter = Pn532Presenter(air.port("bench"), bureau, ignore, ignore)
    presenter.arm(visa)
    air.process.kill()
    air.process.wait()
    with pytest.raises(DeviceGone, match="cable and power"):
        presenter.remove()
    with pytest.raises(DeviceGone):
        presenter.arm(visa)
    with pytest.raises(DeviceGone):
        presenter.close()


def test_a_chip_that_falls_silent_under_a_card_is_mute(air: Any, bureau: CardBureau, visa: CardProfile) -> None:
    presenter = Pn532Presenter(air.port("bench"), bureau, ignore, ignore)
    presenter.arm(visa)
    air.process.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(DeviceMute, match="no PN532 answers"):
            presenter.remove()
    finally:
        air.process.send_signal(signal.SIGCONT)
    assert presenter.remove()["target"] == "released"
    presenter.close()


ARM_AGAIN = """
import sys
from pathlib import Path
from rig.cards.bureau import CardBureau
from rig.cards.pn532 import Pn532Presenter
from rig.cards.profile import load_card
from rig.history import Redactor
port, state, redaction, card = map(Path, sys.argv[1:])
presenter = Pn532Presenter(port, CardBureau(state, Redactor.load(redaction)), lambda *_: None, lambda *_: None)
presenter.arm(load_card(card))
print("armed", flush=True)
while True:
    presenter.remove()
    presenter.arm(load_card(card))
"""


def test_a_card_that_a_killed_process_left_is_taken_away_and_read_back(
    air: Any, bureau: CardBureau, tmp_path: Path
) -> None:
    card = Path(__file__).parents[2] / "fixtures/cards/visa-credit.yaml"
    arguments = [air.port("bench"), tmp_path / "state", tmp_path / "redaction.json", card]
    for turn in range(5):
        dying = subprocess.Popen([sys.executable, "-c", ARM_AGAIN, *map(str, arguments)], stdout=subprocess.PIPE)
        assert dying.stdout is not None
        assert dying.stdout.readline() == b"armed\n"
        time.sleep(turn * 0.0013)  # at another byte each time
        dying.kill()
        dying.wait()
        dying.stdout.close()
        guard = Pn532Presenter(air.port("bench"), bureau, ignore, ignore)
        assert guard.remove() == {"card": None, "target": "released", "in_field": False, "chip": "PN532v1.6"}
        guard.close()
        assert air.states()[-1][1] == []
