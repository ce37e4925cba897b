"""The presenter on the real field process, read by an unmodified nfcpy on the other side."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from nfc.tag.tt4 import Type4TagCommandError

from rig.cards.bureau import CardBureau
from rig.cards.emv.card import PDOL
from rig.cards.keys import IssuerKeys
from rig.cards.pn532 import Pn532Presenter
from rig.cards.profile import CardProfile
from rig.errors import CallerMistake
from rig.history import Journal, Redactor
from rig.wire import tlv
from rig.wire.cryptogram import CryptogramData, application_cryptogram

H = bytes.fromhex
SELECT_PPSE = H("00A404000E") + b"2PAY.SYS.DDF01" + H("00")
PDOL_VALUES = tlv.fill_dol(PDOL, {0x9F02: H("1250"), 0x9F1A: H("0276"), 0x5F2A: H("0978"), 0x9F37: H("11223344")})
GPO = H("80A8000023") + tlv.encode(0x83, PDOL_VALUES) + H("00")
SOON = 0.05  # seconds that a test's reader waits for a card that is gone, four times over


def select(card: CardProfile) -> bytes:
    aid = H(card.applications[0].aid)
    return H("00A40400") + bytes([len(aid)]) + aid + b"\0"


class Presented:
    """A presenter that notes what it tells, and does what a test asks for at a moment."""

    def __init__(self, port: Path, bureau: CardBureau) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.moments: list[str] = []
        self.at: dict[str, Callable[[], object]] = {}
        self.presenter = Pn532Presenter(port, bureau, self._observe, self._moment)

    def _observe(self, kind: str, data: Mapping[str, Any]) -> None:
        self.events.append((kind, dict(data)))

    def _moment(self, name: str, data: Mapping[str, Any]) -> None:
        self.moments.append(name)
        self.at.get(name, lambda: None)()

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


@pytest.mark.parametrize("name", ["visa", "unionpay"])
def test_a_tap_yields_a_cryptogram_that_the_issuer_verifies(
    name: str, bench: Presented, reader: Any, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    card: CardProfile = request.getfixturevalue(name)
    bench.presenter.arm(card)
    tag = reader.sense()
    directory = bytes(tag.transceive(SELECT_PPSE))
    assert tlv.find(directory[:-2], 0x4F) == H(card.applications[0].aid)
    tag.transceive(select(card))
    answer = tlv.as_mapping(bytes(tag.transceive(GPO))[:-2])
    key = IssuerKeys.load_or_create(tmp_path / "state", []).master_key(card.bank)
    covered, version = (
        CryptogramData.from_tags(tlv.split_dol(PDOL, PDOL_VALUES) | answer),
        card.applications[0].cryptogram,
    )
    assert answer[0x9F26] == application_cryptogram(version, key, card.pan, card.psn, covered)

    signed = bench.wait_for("card_cryptogram")
    proof = bench.presenter.remove()
    assert signed["cryptogram"] == answer[0x9F26].hex().upper()
    assert signed["atc"] == 1
    assert signed["token"] == bench.of("card_armed")[0]["token"]
    assert [data["name"] for data in bench.of("card_apdu")] == ["SELECT PPSE", "SELECT AID", "GPO"]
    assert bench.moments == ["card_selected", "card_cryptogram", "card_answered"]
    assert proof == {"card": card.name, "target": "released", "in_field": True, "chip": "PN532v1.6"}


def test_what_a_tap_leaves_in_a_journal_is_redacted(
    bench: Presented, reader: Any, air: Any, tmp_path: Path, redactor: Redactor, unionpay: CardProfile
) -> None:
    bench.presenter.arm(unionpay)
    tag = reader.sense()
    tag.transceive(select(unionpay))
    assert unionpay.pan in bytes(tag.transceive(GPO)).hex()
    bench.wait_for("card_cryptogram")
    bench.presenter.remove()
    journal = Journal.open(air.journals, "rig", redactor)
    for kind, data in bench.events:
        journal.write(kind, **data)
    journal.close()
    written = "".join(path.read_text() for path in air.journals.iterdir())
    assert redactor.token(unionpay.pan) in written
    assert unionpay.pan not in written


@pytest.mark.parametrize(
    ("moment", "answered"),
    [("card_selected", ["SELECT PPSE"]), ("card_cryptogram", ["SELECT PPSE", "SELECT AID"])],
)
def test_a_card_pulled_at_a_moment_never_gives_that_answer(
    moment: str, answered: list[str], bench: Presented, reader: Any, air: Any, visa: CardProfile
) -> None:
    proofs: list[dict[str, Any]] = []
    bench.at[moment] = lambda: proofs.append(bench.presenter.remove("fault"))
    bench.presenter.arm(visa)
    tag = reader.sense()
    dialogue = {"SELECT PPSE": SELECT_PPSE, "SELECT AID": select(visa), "GPO": GPO}
    for name in answered:
        assert bytes(tag.transceive(dialogue.pop(name))).endswith(H("9000"))
    with pytest.raises(Type4TagCommandError):
        tag.transceive(next(iter(dialogue.values())), timeout=SOON)
    assert reader.sense() is None
    assert proofs[0]["target"] == "released"
    assert bench.of("card_removed")[0]["why"] == "fault"
    assert bench.of("card_cryptogram") == []
    assert [data["response"] for data in bench.of("card_apdu")][len(answered) :] == [b""]
    assert air.states()[-1][1] == []


def test_a_card_pulled_after_its_cryptogram_has_given_it(bench: Presented, reader: Any, visa: CardProfile) -> None:
    bench.at["card_answered"] = lambda: bench.presenter.remove("fault")
    bench.presenter.arm(visa)
    tag = reader.sense()
    tag.transceive(select(visa))
    answer = bytes(tag.transceive(GPO))
    assert tlv.find(answer[:-2], 0x9F26) is not None
    bench.wait_for("card_removed")
    with pytest.raises(Type4TagCommandError):
        tag.transceive(H("80CA9F3600"), timeout=SOON)
    assert len(bench.of("card_cryptogram")) == 1


def test_a_reader_waits_while_a_moment_takes_longer_than_its_patience(
    bench: Presented, reader: Any, visa: CardProfile
) -> None:
    bench.at["card_cryptogram"] = lambda: time.sleep(1.0)  # three times the frame waiting time
    bench.presenter.arm(visa)
    tag = reader.sense()
    tag.transceive(select(visa))
    began = time.monotonic()
    assert bytes(tag.transceive(GPO)).endswith(H("9000"))
    assert time.monotonic() - began >= 1.0
    assert bytes(tag.transceive(H("80CA9F3600"))) == H("9F360200019000")


def test_a_moment_that_fails_is_told_at_removal(bench: Presented, reader: Any, visa: CardProfile) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    bench.at["card_selected"] = fail
    bench.presenter.arm(visa)
    tag = reader.sense()
    with pytest.raises(Type4TagCommandError):
        tag.transceive(select(visa), timeout=SOON)
    with pytest.raises(ZeroDivisionError):
        bench.presenter.remove()
    bench.at.clear()
    bench.presenter.arm(visa)
    assert reader.sense() is not None


def test_a_reader_that_asks_for_two_targets_sees_two_cards_until_one_leaves(
    bench: Presented, reader: Any, air: Any, bureau: CardBureau, visa: CardProfile, unionpay: CardProfile
) -> None:
    other = Presented(air.port("other"), bureau)
    bench.presenter.arm(visa)
    other.presenter.arm(unionpay)
    assert reader.count() == 2
    assert ("collision", ["bench", "other"]) in air.states()
    assert reader.sense() is not None, "anticollision finds one of them"
    other.presenter.close()
    assert reader.count() == 1
    assert bytes(reader.sense().transceive(select(visa))).endswith(H("9000"))


def test_a_reader_that_polls_finds_a_card_that_comes_later(bench: Presented, reader: Any, visa: CardProfile) -> None:
    assert reader.sense() is None
    found: list[float] = []

    def poll() -> None:
        while reader.sense() is None:
            continue
        found.append(time.monotonic())

    polling = threading.Thread(target=poll)
    polling.start()
    bench.presenter.arm(visa)
    armed = time.monotonic()
    polling.join(2)
    assert found[0] - armed < 0.2


KILLED_READER = """
import sys, time, nfc, nfc.clf.pn532, nfc.clf.transport
frontend = nfc.ContactlessFrontend()
frontend.device = nfc.clf.pn532.init(nfc.clf.transport.TTY(sys.argv[1]))
tag = nfc.tag.activate(frontend, frontend.sense(nfc.clf.RemoteTarget("106A")))
tag.transceive(bytes.fromhex(sys.argv[2]))
print("selected", flush=True)
while True:
    tag.transceive(bytes.fromhex("80CA9F3600"))
"""


def test_a_reader_killed_in_the_middle_leaves_a_card_that_the_next_one_reads(
    bench: Presented, air: Any, open_reader: Callable[[], Any], visa: CardProfile
) -> None:
    bench.presenter.arm(visa)
    port = str(air.port("terminal").resolve())
    for _ in range(3):
        dying = subprocess.Popen(
            [sys.executable, "-c", KILLED_READER, port, select(visa).hex()], stdout=subprocess.PIPE
        )
        assert dying.stdout is not None
        assert dying.stdout.readline() == b"selected\n"
        dying.kill()
        dying.wait()
        dying.stdout.close()
        reader = open_reader()
        tag = reader.sense()
        tag.transceive(select(visa))
        assert bytes(tag.transceive(GPO)).endswith(H("9000"))
        reader.close()
    assert [data["atc"] for data in bench.of("card_cryptogram")] == [1, 2, 3]


def test_two_hundred_cards_one_after_the_other(
    bench: Presented, reader: Any, visa: CardProfile, unionpay: CardProfile
) -> None:
    for turn in range(200):
        card = (visa, unionpay)[turn % 2]
        bench.presenter.arm(card)
        if turn % 4 == 0:
            assert bytes(reader.sense().transceive(select(card))).endswith(H("9000"))
        assert bench.presenter.remove()["target"] == "released"


def test_removing_twice_or_with_nothing_there_proves_the_same(bench: Presented, visa: CardProfile) -> None:
    nothing = bench.presenter.remove()
    assert nothing == {"card": None, "target": "released", "in_field": False, "chip": "PN532v1.6"}
    bench.presenter.arm(visa)
    removers = [threading.Thread(target=bench.presenter.remove) for _ in range(4)]
    for each in removers:
        each.start()
    for each in removers:
        each.join(3)
    assert len(bench.of("card_removed")) == 1


def test_a_second_card_replaces_the_first(
    bench: Presented, reader: Any, visa: CardProfile, unionpay: CardProfile
) -> None:
    bench.presenter.arm(visa)
    bench.presenter.arm(unionpay)
    assert bench.presenter.identify()["card"]["card"] == "unionpay-debit"
    assert bench.of("card_removed")[0]["why"] == "replaced"
    assert bytes(reader.sense().transceive(select(visa))) == H("6A82")


def test_a_foreign_card_never_reaches_the_field(bench: Presented, reader: Any, visa: CardProfile) -> None:
    foreign = visa.model_copy(update={"pan": "4000000000000002"})
    with pytest.raises(CallerMistake, match="no test PAN") as caught:
        bench.presenter.arm(foreign)
    assert foreign.pan not in str(caught.value)
    assert reader.sense() is None
    assert bench.events == []
