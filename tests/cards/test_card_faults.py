"""Each fault of a card in the simulated field, met by a reader that keeps ISO/IEC 14443-4: what the reader hears."""

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import nfc.clf
import pytest

from rig.cards.bureau import CardBureau
from rig.cards.faults import At, BadBlocks, BlockFault, CardFault, Late, Spoil, Tear, WaitStorm
from rig.cards.pn532 import Pn532Presenter
from rig.cards.profile import CardProfile
from rig.cards.spoil import CutShort, Status, Without
from rig.errors import CallerMistake
from rig.history import Redactor
from rig.wire.isodep_blocks import Ats
from rig.wire.isodep_reader import IsoDepError, ReaderSide, Send, run
from tests.cards.conftest import Air, air_in

H = bytes.fromhex
SELECT_PPSE = H("00A404000E") + b"2PAY.SYS.DDF01" + H("00")
PPSE = At("SELECT PPSE")
QUICK = 8  # FWI: 77 ms, for what waits it out; the rest has 309 ms, because the machine has other work too
NO_ANSWER = (nfc.clf.TimeoutError, nfc.clf.TransmissionError)


class IsoReader:
    """nfcpy finds the card; the blocks are those of `rig.wire.isodep_reader`, and are kept."""

    def __init__(self, frontend: Any, fsdi: int = 8) -> None:
        self.side = ReaderSide(fsdi=fsdi)
        self.heard: list[str] = []
        self._frontend, self._target = frontend, None

    def sense(self) -> Ats | None:
        self._target = self._frontend.sense(nfc.clf.RemoteTarget("106A"))  # type: ignore[no-untyped-call]
        return run(self.side.activate(), self._exchange) if self._target else None

    def transceive(self, command: bytes) -> bytes:
        self.heard.clear()
        return run(self.side.transceive(command), self._exchange)

    def deselect(self) -> bool:
        return run(self.side.deselect(), self._exchange)

    def field_off(self) -> None:
        self._frontend.device.mute()

    def _exchange(self, send: Send) -> bytes | None:
        time.sleep(send.pause_s)
        try:
            block = bytes(self._frontend.exchange(send.block, send.wait_s))
        except NO_ANSWER as error:
            self.heard.append(type(error).__name__)
            return None
        self.heard.append(block[:1].hex())
        return block


class Presented:
    """A presenter that notes what it tells."""

    def __init__(self, port: Path, bureau: CardBureau) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.presenter = Pn532Presenter(port, bureau, self._observe, lambda *_: None)

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


@pytest.fixture(scope="module")
def air(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Air]:
    """One for all: each test opens its own chips in it."""
    with air_in(tmp_path_factory.mktemp("air"), Redactor.with_new_key([])) as made:
        yield made


@pytest.fixture
def bench(air: Air, bureau: CardBureau) -> Iterator[Presented]:
    presented = Presented(air.port("bench"), bureau)
    yield presented
    presented.presenter.close()


@pytest.fixture
def iso(open_reader: Callable[[], Any]) -> Iterator[IsoReader]:
    reader = open_reader()
    yield IsoReader(reader.frontend)
    reader.close()


def behaving(card: CardProfile, **behaviour: object) -> CardProfile:
    return card.model_copy(update={"behaviour": card.behaviour.model_copy(update=behaviour)})


@pytest.fixture
def quick(visa: CardProfile) -> CardProfile:
    return behaving(visa, frame_waiting_integer=QUICK)


def tap(bench: Presented, iso: IsoReader, card: CardProfile, *faults: CardFault) -> bytes:
    bench.presenter.arm(card, faults)
    assert iso.sense() is not None
    return iso.transceive(SELECT_PPSE)


def test_the_answer_to_select_is_the_profiles(bench: Presented, iso: IsoReader, visa: CardProfile) -> None:
    card = behaving(visa, frame_size_integer=2, start_up_guard_integer=3, cid=False, historical="C0FFEE")
    bench.presenter.arm(card)
    assert iso.sense() == Ats(fsci=2, fwi=10, sfgi=3, cid=False, historical=H("C0FFEE"))
    assert iso.transceive(SELECT_PPSE).endswith(H("9000"))
    assert iso.deselect()
    assert bench.of("card_armed")[0]["interface"] == "contactless"
    assert len(H(bench.of("card_armed")[0]["uid"])) == 4


def test_a_card_with_frames_longer_than_the_chip_takes_is_refused(bench: Presented, visa: CardProfile) -> None:
    with pytest.raises(CallerMistake, match="frame_size_integer"):
        bench.presenter.arm(behaving(visa, frame_size_integer=9))
    assert bench.events == []


@pytest.mark.parametrize(("kind", "heard"), [
    ("bad-pcb", "00"), ("wrong-number", "03"), ("nak-storm", "b2"), ("lost", "TimeoutError"), ("overlong", "02"),
    ("bad-crc", "TransmissionError"),
])  # fmt: skip
def test_a_reader_overcomes_two_bad_blocks(
    kind: BlockFault, heard: str, bench: Presented, iso: IsoReader, visa: CardProfile
) -> None:
    fault = BadBlocks(PPSE, kind, times=2)
    assert tap(bench, iso, visa, fault).endswith(H("9000"))
    assert iso.heard == [heard, heard, "02"]
    told = bench.wait_for("card_fault")
    assert told == {"fault": fault.name, "command": "SELECT PPSE", "what": "2 of 2 wrong blocks"}
    assert [each["name"] for each in bench.of("card_apdu")] == ["SELECT PPSE"]
    assert iso.transceive(SELECT_PPSE).endswith(H("9000"))  # the fault is over
    assert iso.heard == ["03"]


def test_a_reader_gives_up_on_more_bad_blocks(bench: Presented, iso: IsoReader, visa: CardProfile) -> None:
    with pytest.raises(IsoDepError, match="broke the protocol"):
        tap(bench, iso, visa, BadBlocks(PPSE, "nak-storm", times=9))
    iso.field_off()
    assert bench.wait_for("card_fault")["what"] == "3 of 9 wrong blocks"
    assert bench.wait_for("card_apdu")["response"] == b""
    assert iso.sense() is not None
    assert iso.transceive(SELECT_PPSE).endswith(H("9000"))


def test_a_storm_of_extensions(bench: Presented, iso: IsoReader, visa: CardProfile) -> None:
    assert tap(bench, iso, visa, WaitStorm(PPSE, 5)).endswith(H("9000"))
    assert iso.heard == ["f2"] * 5 + ["02"]
    assert bench.wait_for("card_fault")["what"].startswith("5 of 5 extensions")


def test_a_late_answer_comes_after_the_frame_waiting_time(bench: Presented, iso: IsoReader, quick: CardProfile) -> None:
    began = time.monotonic()
    assert tap(bench, iso, quick, Late(PPSE, 0.15)).endswith(H("9000"))
    assert time.monotonic() - began > Ats(fwi=QUICK).frame_waiting_s + 0.15
    assert iso.heard[0] == "TimeoutError"
    assert "silent for 0.227 s" in bench.wait_for("card_fault")["what"]


def test_a_late_answer_that_comes_too_late(bench: Presented, iso: IsoReader, quick: CardProfile) -> None:
    with pytest.raises(IsoDepError, match="fell silent"):
        tap(bench, iso, quick, Late(PPSE, 1.5))
    iso.field_off()
    assert bench.wait_for("card_apdu")["response"] == b""


def test_a_slow_card_asks_for_time(bench: Presented, iso: IsoReader, visa: CardProfile) -> None:
    began = time.monotonic()
    assert tap(bench, iso, behaving(visa, command_ms=700, frame_waiting_integer=9)).endswith(H("9000"))
    assert time.monotonic() - began >= 0.7
    assert iso.heard[:-1] == ["f2"] * (len(iso.heard) - 1)
    assert len(iso.heard) > 2


@pytest.mark.parametrize("place", ["before", "inside", "after"])
def test_a_torn_card_is_gone_until_it_is_armed_anew(
    place: Any, bench: Presented, iso: IsoReader, quick: CardProfile
) -> None:
    tear = Tear(PPSE, place)
    if place == "after":
        assert tap(bench, iso, quick, tear).endswith(H("9000"))
    else:
        with pytest.raises(IsoDepError, match="fell silent"):
            tap(bench, iso, quick, tear)
        first = {"before": "TimeoutError", "inside": "12"}[place]
        assert iso.heard == [first, "TimeoutError", "TimeoutError"] + (["TimeoutError"] if place == "inside" else [])
    removed = bench.wait_for("card_removed")
    assert removed["why"] == tear.name
    assert removed["proof"]["target"] == "released"
    assert bench.of("card_fault") == [{"fault": tear.name, "command": "SELECT PPSE", "what": "gone"}]
    assert [bool(each["response"]) for each in bench.of("card_apdu")] == [place == "after"]
    with pytest.raises(IsoDepError):
        iso.transceive(SELECT_PPSE)
    iso.field_off()
    assert iso.sense() is None
    assert tap(bench, iso, quick).endswith(H("9000"))


@pytest.mark.parametrize("place", ["before", "inside", "after"])
def test_a_torn_card_comes_back_when_the_terminal_lets_go(
    place: Any, bench: Presented, iso: IsoReader, quick: CardProfile
) -> None:
    tear = Tear(PPSE, place, comes_back=True)
    bench.presenter.arm(quick, [tear])
    assert iso.sense() is not None
    if place == "after":
        iso.transceive(SELECT_PPSE)
    with pytest.raises(IsoDepError):
        iso.transceive(SELECT_PPSE)
    assert bench.of("card_returned") == []
    iso.field_off()
    assert bench.wait_for("card_returned") == {"card": quick.name, "why": tear.name}
    assert bench.of("card_removed") == []
    assert iso.sense() is not None
    assert iso.transceive(SELECT_PPSE).endswith(H("9000"))


def test_a_torn_card_that_would_come_back_can_be_removed(bench: Presented, iso: IsoReader, quick: CardProfile) -> None:
    with pytest.raises(IsoDepError):
        tap(bench, iso, quick, Tear(PPSE, comes_back=True))
    assert bench.presenter.remove()["target"] == "released"
    iso.field_off()
    assert iso.sense() is None
    assert bench.of("card_returned") == []


def test_spoiled_answers(bench: Presented, iso: IsoReader, visa: CardProfile) -> None:
    faults = [Spoil(PPSE, Status(0x6985)), Spoil(At("SELECT PPSE", 2), CutShort(4)), Spoil(At("GPO"), Without(0x57))]
    assert tap(bench, iso, visa, *faults) == H("6985")
    cut = iso.transceive(SELECT_PPSE)
    sound = iso.transceive(SELECT_PPSE)
    assert cut == sound[:-6] + H("9000")
    bench.presenter.remove()
    told = [(each["fault"], each["what"]) for each in bench.of("card_fault")]
    assert told == [(fault.name, "the answer left so") for fault in faults[:2]]


def test_a_fault_waits_for_its_command(bench: Presented, iso: IsoReader, quick: CardProfile) -> None:
    assert tap(bench, iso, quick, Tear(At("SELECT PPSE", 3), "before")).endswith(H("9000"))
    assert iso.transceive(SELECT_PPSE).endswith(H("9000"))
    with pytest.raises(IsoDepError):
        iso.transceive(SELECT_PPSE)


def test_a_response_in_small_frames_is_torn_at_any_block(
    bench: Presented, open_reader: Callable[[], Any], visa: CardProfile
) -> None:
    reader = open_reader()
    iso = IsoReader(reader.frontend, fsdi=0)
    assert tap(bench, iso, visa, BadBlocks(PPSE, "lost", 1)).endswith(H("9000"))
    assert iso.heard[:2] == ["TimeoutError", "12"]
    assert len(iso.heard) > 4
    reader.close()
