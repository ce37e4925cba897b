"""The chip's own ISO-DEP: the bytes of one tap, and taps read by an unmodified nfcpy on the other side."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from nfc.tag.tt4 import Type4TagCommandError

from rig.cards.bureau import CardBureau
from rig.cards.faults import At, BadBlocks, CardFault, Late, Spoil, Tear, WaitStorm
from rig.cards.pn532_firmware import Pn532FirmwarePresenter
from rig.cards.presenter import Capability
from rig.cards.profile import CardProfile
from rig.cards.spoil import Status
from rig.errors import CallerMistake
from rig.virtual.air import Air
from rig.virtual.pn532_chip import Chip
from rig.virtual.pty import PtyPort
from rig.wire.pn532 import Command, Frame, FrameReader, command

H = bytes.fromhex
SELECT_PPSE = H("00A404000E") + b"2PAY.SYS.DDF01" + H("00")
WHAT = H("00FF000000")
SOON = 0.05


def ignore(*_: Any, **__: Any) -> None:
    return None


class Presented:
    """A firmware presenter that notes what it tells."""

    def __init__(self, port: Path, bureau: CardBureau) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.at: dict[str, Callable[[], object]] = {}
        self.presenter = Pn532FirmwarePresenter(
            port, bureau, self._observe, lambda name, _: self.at.get(name, lambda: None)()
        )

    def _observe(self, kind: str, data: Mapping[str, Any]) -> None:
        self.events.append((kind, dict(data)))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [data for name, data in self.events if name == kind]

    def wait_for(self, kind: str) -> dict[str, Any]:
        deadline = time.monotonic() + 2
        while not (found := self.of(kind)):
            assert time.monotonic() < deadline, f"no {kind}"
            time.sleep(0.002)
        return found[-1]


@pytest.fixture
def bench(air: Any, bureau: CardBureau) -> Iterator[Presented]:
    presented = Presented(air.port("bench"), bureau)
    yield presented
    presented.presenter.close()


def select(card: CardProfile) -> bytes:
    aid = H(card.applications[0].aid)
    return H("00A40400") + bytes([len(aid)]) + aid + b"\0"


class Tapped:
    """A simulated chip on a port, every byte of its line kept, and a reader's chip in the same air."""

    def __init__(self, folder: Path) -> None:
        self.port = PtyPort(folder / "chip.tty")
        self._frames: list[str] = []
        self._readers = {">": FrameReader(), "<": FrameReader()}
        self._lock = threading.Lock()
        self._heard = threading.Event()
        self._reader_said = b""
        air = Air(ignore)
        self._chip = Chip("card", air, self._send, ignore, time.monotonic)
        self._reader = Chip("reader", air, self._take, ignore, time.monotonic)
        self._ended = False
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _send(self, data: bytes) -> None:
        self._note("<", data)
        self.port.write(data)

    def _take(self, data: bytes) -> None:
        self._reader_said += data
        self._heard.set()

    def _serve(self) -> None:
        while not self._ended:
            data = self.port.read(0.02)
            with self._lock:
                if data:
                    self._note(">", data)
                    self._chip.feed(data)
                self._chip.tick()

    def ask(self, number: Command, data: bytes) -> str:
        """What the reader's chip answers."""
        with self._lock:
            self._reader_said = b""
            self._reader.feed(command(number, data))
        deadline = time.monotonic() + 2
        while time.monotonic() < deadline:
            with self._lock:
                frames = [item for item in FrameReader().feed(self._reader_said) if isinstance(item, Frame)]
            if frames:
                return frames[-1].data[2:].hex().upper()
            self._heard.wait(0.01)
        raise AssertionError("the card does not answer")

    def _note(self, way: str, data: bytes) -> None:
        for item in self._readers[way].feed(data):
            self._frames.append(way + (item.data.hex().upper() if isinstance(item, Frame) else type(item).__name__))

    def frames(self, count: int = 0) -> list[str]:
        """The contents of the frames since the last look, `>` to the chip, once there are so many."""
        deadline = time.monotonic() + 2
        while len(self._frames) < count:
            assert time.monotonic() < deadline, self._frames
            time.sleep(0.002)
        found, self._frames = self._frames, []
        return found

    def close(self) -> None:
        self._ended = True
        self._thread.join()
        self.port.close()


@pytest.fixture
def tapped(tmp_path: Path) -> Iterator[Tapped]:
    tapped = Tapped(tmp_path)
    yield tapped
    tapped.close()


def test_the_line_carries_exactly_these_commands(tapped: Tapped, bureau: CardBureau, visa: CardProfile) -> None:
    presenter = Pn532FirmwarePresenter(tapped.port.link, bureau, ignore, ignore)
    tapped.frames()
    presenter.arm(visa)
    armed = tapped.frames()
    tapped.ask(Command.RF_CONFIGURATION, H("020A0B0E"))
    listed = tapped.ask(Command.IN_LIST_PASSIVE_TARGET, H("0100"))
    uid = listed[12:]
    assert listed == "010100042004" + uid
    assert tapped.ask(Command.IN_COMMUNICATE_THRU, H("E080")) == "00" + "0575339203"
    answer = tapped.ask(Command.IN_COMMUNICATE_THRU, H("02") + WHAT)
    while answer == "00" + "F201":  # on a busy machine the chip asks for time
        answer = tapped.ask(Command.IN_COMMUNICATE_THRU, H("F201"))
    assert answer == "00" + "026D00"
    assert tapped.ask(Command.IN_COMMUNICATE_THRU, H("C2")) == "00" + "C2"
    tap = tapped.frames(18)
    presenter.remove()
    shown = "05" + "0400" + uid[2:] + "20" + "00" * 28 + "0000"
    begin = [">D41220", "<Ack", "<D513", ">D408" + "630504", "<Ack", "<D509", ">D48C" + shown, "<Ack"]
    assert armed == begin
    assert tap == [
        "<D58D" + "08" + "E080", ">D486", "<Ack", "<D587" + "00" + WHAT.hex().upper(),
        ">D48E" + "6D00", "<Ack", "<D58F00", ">D486", "<Ack", "<D587" + "29", *begin,
    ]  # fmt: skip
    assert tapped.frames()[:3] == [">Ack", ">D4320102", "<Ack"], "the wait is cancelled, the field of the chip is off"
    presenter.close()


def test_a_tap_of_whole_commands(bench: Presented, reader: Any, visa: CardProfile) -> None:
    bench.presenter.arm(visa)
    tag = reader.sense()
    assert bytes(tag.transceive(SELECT_PPSE)).endswith(H("9000"))
    assert bytes(tag.transceive(select(visa))).endswith(H("9000"))
    assert bytes(tag.transceive(bytes(4) + bytes([200]) + bytes(200))) == H("6D00"), "chained by the reader"
    proof = bench.presenter.remove()
    assert proof == {"card": visa.name, "target": "released", "in_field": True, "chip": "PN532v1.6"}
    assert [data["name"] for data in bench.of("card_apdu")][:2] == ["SELECT PPSE", "SELECT AID"]
    assert reader.sense() is None


def test_the_chip_keeps_the_reader_waiting_while_a_moment_takes_its_time(
    bench: Presented, reader: Any, visa: CardProfile
) -> None:
    bench.at["card_selected"] = lambda: time.sleep(0.6)  # four times FWI 9
    bench.presenter.arm(visa)
    tag = reader.sense()
    began = time.monotonic()
    assert bytes(tag.transceive(select(visa))).endswith(H("9000"))
    assert time.monotonic() - began >= 0.6


def test_a_slow_card_takes_its_time_for_each_command(bench: Presented, reader: Any, visa: CardProfile) -> None:
    slow = visa.model_copy(update={"behaviour": visa.behaviour.model_copy(update={"command_ms": 300})})
    bench.presenter.arm(slow)
    tag = reader.sense()
    began = time.monotonic()
    assert bytes(tag.transceive(SELECT_PPSE)).endswith(H("9000"))
    assert time.monotonic() - began >= 0.3


def test_a_card_pulled_at_a_moment_never_gives_that_answer(bench: Presented, reader: Any, visa: CardProfile) -> None:
    bench.at["card_selected"] = lambda: bench.presenter.remove("fault")
    bench.presenter.arm(visa)
    tag = reader.sense()
    with pytest.raises(Type4TagCommandError):
        tag.transceive(select(visa), timeout=SOON)
    assert reader.sense() is None
    assert bench.of("card_apdu")[-1]["response"] == b""


@pytest.mark.parametrize("comes_back", [False, True])
def test_a_card_torn_before_its_answer_may_come_back(
    comes_back: bool, bench: Presented, reader: Any, visa: CardProfile
) -> None:
    bench.presenter.arm(visa, [Tear(At("SELECT AID"), comes_back=comes_back)])
    tag = reader.sense()
    tag.transceive(SELECT_PPSE)
    with pytest.raises(Type4TagCommandError):
        tag.transceive(select(visa), timeout=SOON)
    told = bench.wait_for("card_fault")
    assert told["command"] == "SELECT AID"
    assert told["fault"].startswith("tear before SELECT AID")
    again = reader.sense()
    assert (again is not None) == comes_back
    if comes_back:
        assert bytes(again.transceive(select(visa))).endswith(H("9000"))
        assert bench.of("card_returned") == [{"card": visa.name, "why": told["fault"]}]
    else:
        assert bench.wait_for("card_removed")["why"] == told["fault"]
    assert bench.presenter.remove()["target"] == "released"


def test_a_card_torn_after_its_answer_has_given_it(bench: Presented, reader: Any, visa: CardProfile) -> None:
    bench.presenter.arm(visa, [Tear(At("SELECT PPSE"), place="after")])
    tag = reader.sense()
    assert bytes(tag.transceive(SELECT_PPSE)).endswith(H("9000"))
    bench.wait_for("card_fault")
    with pytest.raises(Type4TagCommandError):
        tag.transceive(select(visa), timeout=SOON)
    assert bench.of("card_apdu")[0]["response"].endswith(H("9000"))


def test_a_spoiled_answer_leaves_spoiled_once(bench: Presented, reader: Any, visa: CardProfile) -> None:
    bench.presenter.arm(visa, [Spoil(At("SELECT PPSE"), Status(0x6A82))])
    tag = reader.sense()
    assert bytes(tag.transceive(SELECT_PPSE)) == H("6A82")
    assert bytes(tag.transceive(SELECT_PPSE)).endswith(H("9000"))
    assert bench.wait_for("card_fault")["fault"] == "status 6A82 in SELECT PPSE"


FIRST = At("GPO")


@pytest.mark.parametrize(
    "fault", [Tear(FIRST, place="inside"), WaitStorm(FIRST, 3), Late(FIRST, 1.0), BadBlocks(FIRST, "lost")]
)
def test_what_the_chip_cannot_do_is_refused_by_name(fault: CardFault, bench: Presented, visa: CardProfile) -> None:
    assert Capability.PROTOCOL_FAULTS not in bench.presenter.capabilities
    with pytest.raises(CallerMistake) as caught:
        bench.presenter.arm(visa, [fault])
    assert fault.name in str(caught.value)
    assert bench.events == []


def test_sixty_cards_one_after_the_other(bench: Presented, reader: Any, visa: CardProfile) -> None:
    for turn in range(60):
        bench.presenter.arm(visa)
        if turn % 10 == 0:
            assert bytes(reader.sense().transceive(select(visa))).endswith(H("9000"))
        assert bench.presenter.remove()["target"] == "released"
