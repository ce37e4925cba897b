"""The presenter and a slot: a real vpcd server in the test, byte for byte."""

import contextlib
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from rig.cards.bureau import CardBureau
from rig.cards.faults import At, CardFault, Late, Spoil, Tear
from rig.cards.profile import CardProfile
from rig.cards.slot import SlotAddress
from rig.cards.spoil import Status
from rig.cards.vpcd import VpcdPresenter
from rig.errors import BenchBusy, CallerMistake, DeviceGone

H = bytes.fromhex
ATR, ON, RESET, OFF = H("000104"), H("000101"), H("000102"), H("000100")
SELECT_PPSE = H("00A404000E") + b"2PAY.SYS.DDF01" + H("00")
GET_CHALLENGE = H("0084000000")
NOT_IN_TIME = 10.0


class Slot:
    """A vpcd server with one slot; speaks in bytes."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.listener.settimeout(NOT_IN_TIME)
        self.card: socket.socket | None = None

    @property
    def address(self) -> str:
        name = self.listener.getsockname()
        return name if isinstance(name, str) else f"{name[0]}:{name[1]}"

    def accept(self, first: bytes = ATR) -> None:
        self.card, _ = self.listener.accept()
        self.card.settimeout(NOT_IN_TIME)
        if first:
            self.card.sendall(first)

    def say(self, data: bytes) -> None:
        assert self.card
        self.card.sendall(data)

    def hear(self, count: int) -> bytes:
        """So many bytes, or what came before the card left."""
        assert self.card
        heard = b""
        with contextlib.suppress(ConnectionResetError):
            while len(heard) < count and (more := self.card.recv(count - len(heard))):
                heard += more
        return heard

    def exchange(self, apdu: bytes) -> bytes:
        """A command in a message of its own, and the card's answer; empty when the card is gone."""
        self.say(len(apdu).to_bytes(2, "big") + apdu)
        return self.hear(int.from_bytes(self.hear(2), "big"))

    def close(self) -> None:
        if self.card:
            self.card.close()
        self.listener.close()


@pytest.fixture(params=["tcp", "unix"])
def slot(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Slot]:
    if request.param == "tcp":
        listener = socket.create_server(("127.0.0.1", 0))
    else:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(tmp_path / "slot.sock"))
        listener.listen(1)
    slot = Slot(listener)
    yield slot
    slot.close()


class Presented:
    """A presenter that notes what it tells, and does what a test asks for at a moment."""

    def __init__(self, address: str, bureau: CardBureau, **settings: Any) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.moments: list[str] = []
        self.at: dict[str, Callable[[], object]] = {}
        self.presenter = VpcdPresenter(address, bureau, self._observe, self._moment, **settings)

    def _observe(self, kind: str, data: Mapping[str, Any]) -> None:
        self.events.append((kind, dict(data)))

    def _moment(self, name: str, data: Mapping[str, Any]) -> None:
        self.moments.append(name)
        self.at.get(name, lambda: None)()

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [data for name, data in self.events if name == kind]

    def wait_for(self, kind: str) -> dict[str, Any]:
        deadline = time.monotonic() + NOT_IN_TIME
        while not (found := self.of(kind)):
            assert time.monotonic() < deadline, f"no {kind}"
            time.sleep(0.002)
        return found[-1]

    def arm(self, slot: Slot, card: CardProfile, *faults: CardFault, first: bytes = ATR) -> None:
        """Put the card in, while the slot takes it and hears its ATR."""
        taking = threading.Thread(target=slot.accept, args=[first])
        taking.start()
        self.presenter.arm(card, faults)
        taking.join()
        if first == ATR:
            self.atr = slot.hear(int.from_bytes(slot.hear(2), "big"))


@pytest.fixture
def presented(slot: Slot, bureau: CardBureau) -> Iterator[Presented]:
    presented = Presented(slot.address, bureau)
    yield presented
    presented.presenter.close()


def select(card: CardProfile) -> bytes:
    aid = H(card.applications[0].aid)
    return H("00A40400") + bytes([len(aid)]) + aid + b"\0"


def test_bytes_on_the_wire(slot: Slot, presented: Presented, visa: CardProfile) -> None:
    presented.arm(slot, visa)
    assert presented.atr == H("3B6500002063CB6600")
    slot.say(ON + ATR)  # two in one piece; the first has no answer
    assert slot.hear(11) == H("0009 3B6500002063CB6600")
    slot.say(H("0005 00"))
    slot.say(H("84000000"))  # a command in two pieces
    assert slot.hear(12)[:2] == H("000A")
    slot.say(H("0004 80FE0000"))
    assert slot.hear(4) == H("0002 6D00")
    slot.say(OFF + RESET + H("0001 03"))  # 03 is no control, so it is a command, a wrong one
    assert slot.hear(4) == H("0002 6700")
    proof = presented.presenter.remove()
    assert slot.hear(1) == b""
    assert proof == {"card": visa.name, "target": "released", "slot": slot.address}
    assert presented.presenter.remove() == {**proof, "card": None}


def test_what_it_tells(slot: Slot, presented: Presented, visa: CardProfile) -> None:
    presented.arm(slot, visa)
    armed = presented.of("card_armed")[0]
    assert armed["interface"] == "contact"
    assert (armed["uid"], armed["atr"]) == (None, presented.atr.hex().upper())
    assert presented.presenter.identify()["card"]["masked"] == armed["masked"] == "476173******0010"
    assert slot.exchange(select(visa))[-2:] == H("9000")
    presented.presenter.remove("over")
    assert presented.moments == ["card_selected"]
    assert [(each["name"], each["response"][-2:]) for each in presented.of("card_apdu")] == [("SELECT AID", H("9000"))]
    assert presented.of("card_removed")[0]["why"] == "over"
    assert presented.presenter.identify()["card"] is None
    assert visa.pan not in repr(presented.events)


def test_a_reset_forgets_the_application(slot: Slot, presented: Presented, visa: CardProfile) -> None:
    presented.arm(slot, visa)
    slot.exchange(select(visa))
    slot.say(RESET)
    assert slot.exchange(H("80A8000002830000")) == H("6985")


def test_served_as_contactless(slot: Slot, bureau: CardBureau, visa: CardProfile) -> None:
    presented = Presented(slot.address, bureau, interface="contactless")
    assert presented.presenter.interface == "contactless"
    presented.arm(slot, visa)
    assert presented.atr == H("3B80800101")
    assert slot.exchange(SELECT_PPSE)[-2:] == H("9000")
    presented.presenter.close()


def test_a_card_pulled_at_a_moment_never_answers(slot: Slot, presented: Presented, visa: CardProfile) -> None:
    presented.at["card_selected"] = lambda: presented.presenter.remove("fault")
    presented.arm(slot, visa)
    assert slot.exchange(select(visa)) == b""
    assert presented.wait_for("card_apdu")["response"] == b""
    assert presented.of("card_removed")[0]["why"] == "fault"


def test_removed_by_another_thread_while_a_moment_takes_its_time(
    slot: Slot, presented: Presented, visa: CardProfile
) -> None:
    held, go = threading.Event(), threading.Event()

    def hold() -> None:
        held.set()
        go.wait(NOT_IN_TIME)

    presented.at["card_selected"] = hold
    presented.arm(slot, visa)
    slot.say(H("000D") + select(visa))
    assert held.wait(NOT_IN_TIME)
    began = time.monotonic()
    presented.presenter.remove()
    assert time.monotonic() - began < 1
    assert slot.hear(1) == b""
    go.set()


@pytest.mark.parametrize(("place", "heard"), [("before", 0), ("inside", 6), ("after", 12)])
def test_a_tear(place: Any, heard: int, slot: Slot, presented: Presented, visa: CardProfile) -> None:
    tear = Tear(At("GET CHALLENGE", 2), place)
    presented.arm(slot, visa, tear)
    assert slot.exchange(GET_CHALLENGE)[-2:] == H("9000")
    slot.say(H("0005") + GET_CHALLENGE)
    assert len(slot.hear(100)) == heard
    assert presented.wait_for("card_removed")["why"] == tear.name
    assert presented.of("card_fault") == [{"fault": tear.name, "command": "GET CHALLENGE", "what": "gone"}]
    assert [len(each["response"]) for each in presented.of("card_apdu")] == [10, 10 if place == "after" else 0]
    presented.presenter.remove()
    assert presented.of("bench_fault") == []


def test_a_tear_from_which_the_card_comes_back(slot: Slot, presented: Presented, visa: CardProfile) -> None:
    presented.arm(slot, visa, Tear(At("GET CHALLENGE"), "before", comes_back=True))
    assert slot.exchange(GET_CHALLENGE) == b""
    slot.accept()
    assert slot.hear(11)[2:] == presented.atr
    assert slot.exchange(GET_CHALLENGE)[-2:] == H("9000")
    assert presented.of("card_returned") == [{"card": visa.name, "why": "tear before GET CHALLENGE, and back again"}]
    presented.presenter.remove()
    assert slot.hear(1) == b""


def test_a_spoiled_answer_once(slot: Slot, presented: Presented, visa: CardProfile) -> None:
    presented.arm(slot, visa, Spoil(At("SELECT AID"), Status(0x6985)))
    assert slot.exchange(select(visa)) == H("6985")
    assert slot.exchange(select(visa))[-2:] == H("9000")
    presented.presenter.remove()
    assert [each["what"] for each in presented.of("card_fault")] == ["the answer left so"]


def test_a_fault_that_needs_blocks_is_refused(slot: Slot, presented: Presented, visa: CardProfile) -> None:
    with pytest.raises(CallerMistake, match=r"needs\('card: protocol-faults'\)"):
        presented.presenter.arm(visa, [Late(At("GPO"), 1)])
    assert presented.events == []


def test_a_second_card_replaces_the_first(
    slot: Slot, presented: Presented, visa: CardProfile, unionpay: CardProfile
) -> None:
    presented.arm(slot, visa)
    presented.arm(slot, unionpay)
    assert presented.of("card_removed")[0]["why"] == "replaced"
    assert slot.exchange(select(unionpay))[-2:] == H("9000")


def test_nobody_listens(slot: Slot, presented: Presented, visa: CardProfile) -> None:
    slot.close()
    with pytest.raises(DeviceGone, match=r"nobody listens at this slot.*pcscd with vsmartcard-vpcd"):
        presented.presenter.arm(visa)


def test_the_slot_is_taken(
    slot: Slot, presented: Presented, visa: CardProfile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rig.cards.slot.GREETING_S", 0.1)
    with pytest.raises(BenchBusy, match="another one is in it"):
        presented.presenter.arm(visa)  # the server does not accept

    def refuse() -> None:
        for _ in range(2):
            slot.accept(b"")

    refusing = threading.Thread(target=refuse)  # or it does, and ends it
    refusing.start()
    with pytest.raises(BenchBusy, match="another one is in it"):
        presented.presenter.arm(visa)
    refusing.join()


def test_the_reader_ends_while_the_card_is_in_it(slot: Slot, presented: Presented, visa: CardProfile) -> None:
    presented.arm(slot, visa)
    assert slot.card
    slot.card.close()
    presented.presenter.wait()
    with pytest.raises(DeviceGone, match="ended the connection while the card was in it"):
        presented.presenter.remove()
    assert presented.of("bench_fault")[0]["device"] == slot.address
    assert presented.presenter.remove()["card"] is None


def test_a_slot_that_loses_power_with_its_terminal(slot: Slot, bureau: CardBureau, visa: CardProfile) -> None:
    presented = Presented(slot.address, bureau, loses_power=True)
    presented.arm(slot, visa)
    slot.close()
    presented.presenter.wait()
    assert presented.presenter.remove()["card"] == visa.name
    assert presented.of("bench_fault") == []


@pytest.mark.parametrize("wrong", ["127.0.0.1:", ":35963", "127.0.0.1:port", "127.0.0.1:70000", "127.0.0.1:0"])
def test_an_address_that_is_none(wrong: str, bureau: CardBureau) -> None:
    with pytest.raises(CallerMistake, match="HOST:PORT"):
        Presented(wrong, bureau)


def test_nothing_is_left_behind(slot: Slot, presented: Presented, visa: CardProfile) -> None:
    def held() -> tuple[int, int]:
        return threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))

    presented.arm(slot, visa)
    presented.presenter.remove()
    before = held()
    for _ in range(20):
        assert slot.card
        slot.card.close()
        presented.arm(slot, visa)
        presented.presenter.remove()
    assert held() == before


def test_a_socket_that_nobody_serves_is_given_back(tmp_path: Path) -> None:
    with pytest.raises(DeviceGone, match="nobody listens") as caught:
        SlotAddress(tmp_path / "none.sock").connect()
    frames = [frame.f_locals for frame, _ in traceback.walk_tb(caught.value.__cause__.__traceback__)]  # type: ignore[union-attr]
    (line,) = {each for frame in frames for each in frame.values() if isinstance(each, socket.socket)}
    assert line.fileno() == -1


def test_an_empty_address_is_none() -> None:
    with pytest.raises(CallerMistake, match="no address of a slot"):
        SlotAddress.parse("")
