"""Physical cards on simulated machines: identified at rest, moved, read at the terminal, moved away; every trouble."""

import os
import tty
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from rig.cards.actuator.presenter import ActuatorPresenter, GrblPresenter, MaestroPresenter, RelayPresenter
from rig.cards.bureau import CardBureau
from rig.cards.faults import At, Tear
from rig.cards.pn532_reader import Pn532CardReader
from rig.cards.profile import CardProfile, Interface
from rig.cards.reading import compare, identify_card
from rig.errors import BenchBusy, BenchTrouble, CallerMistake, DeviceMute
from rig.history import Redactor

READER = {"driver": "pn532", "port": "park.tty"}
GANTRY = {"visa-credit": {"park": [0, 0], "field": [120, 40]}, "unionpay-debit": {"park": [0, 60], "field": [120, 100]}}
ARMS = {
    "visa-credit": {"channel": 0, "park": 1000, "field": 2000},
    "unionpay-debit": {"channel": 1, "park": 1100, "field": 1900},
}
SOLENOIDS = {"visa-credit": {"relay": 0}, "unionpay-debit": {"relay": 3}}
KINDS: dict[str, tuple[type[ActuatorPresenter], dict[str, Any], dict[str, Any]]] = {
    "grbl": (GrblPresenter, GANTRY, {"home": True}),
    "maestro": (MaestroPresenter, ARMS, {"settle_s": 0.01}),
    "relay": (RelayPresenter, SOLENOIDS, {"settle_s": 0.01}),
}
FIRST = {kind: {"visa-credit": cards["visa-credit"]} for kind, (_, cards, _) in KINDS.items()}
Install = Callable[..., Any]


class Presented:
    """A presenter that notes what it tells."""

    def __init__(self, kind: str, port: Path, bureau: CardBureau, **settings: Any) -> None:
        presenter, cards, usual = KINDS[kind]
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.presenter = presenter(port, bureau, self._observe, self._observe, **{"cards": cards, **usual, **settings})

    def _observe(self, kind: str, data: Mapping[str, Any]) -> None:
        self.events.append((kind, dict(data)))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [data for name, data in self.events if name == kind]


@pytest.mark.parametrize("kind", KINDS)
def test_a_card_goes_to_the_terminal_and_away(
    kind: str, install: Install, bureau: CardBureau, redactor: Redactor, visa: CardProfile
) -> None:
    bench = install({"device": kind, "cards": FIRST[kind]})
    presented = Presented(kind, bench.port, bureau, cards=FIRST[kind], reader=READER)
    presented.presenter.arm(visa)
    (armed,) = presented.of("card_armed")
    assert armed["card"] == "visa-credit"
    assert armed["physical"] is True
    assert armed["interface"] == "contactless"
    assert len(bytes.fromhex(armed["uid"])) == 4
    assert presented.of("card_identified")[0]["differences"] == []
    terminal = Pn532CardReader(bench.runtime / "terminal.tty")
    with terminal.card() as card:
        found = identify_card(card, redactor)
    assert compare(found, visa, redactor) == []
    assert found.uid is not None
    assert found.uid.hex().upper() == armed["uid"]
    assert presented.presenter.identify()["card"]["card"] == "visa-credit"
    proof = presented.presenter.remove()
    assert (proof["card"], proof["target"]) == ("visa-credit", "released")
    with pytest.raises(BenchTrouble, match="no card lies"), terminal.card():
        pass
    terminal.close()
    assert bench.places("visa-credit")[-1] == "park"
    assert presented.of("card_removed")[0]["proof"] == proof
    assert presented.presenter.remove()["card"] is None
    presented.presenter.close()
    presented.presenter.close()


def test_a_gantry_changes_cards(install: Install, bureau: CardBureau, visa: CardProfile, unionpay: CardProfile) -> None:
    bench = install({"device": "grbl", "cards": GANTRY})
    presented = Presented("grbl", bench.port, bureau, reader=READER)
    presented.presenter.arm(visa)
    presented.presenter.arm(unionpay)
    assert [data["why"] for data in presented.of("card_removed")] == ["replaced"]
    assert presented.of("card_armed")[1]["proof"] == {"position": [120.0, 100.0]}
    assert bench.places("visa-credit")[-1] is None
    assert bench.places("unionpay-debit")[-1] == "field"
    presented.presenter.close()
    assert bench.places("unionpay-debit")[-1] is None


@pytest.mark.parametrize("kind", ["grbl", "relay"])
def test_a_wrong_card_in_the_slot_is_the_benchs_fault(
    kind: str, install: Install, bureau: CardBureau, visa: CardProfile
) -> None:
    bench = install({"device": kind, "cards": FIRST[kind], "swapped": {"visa-credit": "unionpay-debit"}})
    presented = Presented(kind, bench.port, bureau, cards=FIRST[kind], reader=READER)
    with pytest.raises(BenchTrouble, match="another one than visa-credit") as caught:
        presented.presenter.arm(visa)
    assert visa.pan not in str(caught.value)
    assert "number: 476173" not in str(caught.value)
    assert len(presented.of("bench_fault")) == 1
    assert presented.of("card_armed") == []
    assert "field" not in bench.places("unionpay-debit")
    presented.presenter.close()


@pytest.mark.parametrize("kind", KINDS)
def test_who_comes_after_a_holder_that_died_takes_the_card_away(
    kind: str, install: Install, bureau: CardBureau, visa: CardProfile
) -> None:
    bench = install({"device": kind, "cards": FIRST[kind]}, chips=False)
    dead = Presented(kind, bench.port, bureau, cards=FIRST[kind])
    dead.presenter.arm(visa)
    with pytest.raises(BenchBusy):
        Presented(kind, bench.port, bureau, cards=FIRST[kind])
    dead.presenter._mover.close()  # as the kernel does for a process that is killed
    guard = Presented(kind, bench.port, bureau, cards=FIRST[kind])
    assert guard.presenter.remove()["card"] is None
    assert bench.places("visa-credit")[-1] == "park"
    guard.presenter.close()


def test_without_a_reader_nobody_looks(install: Install, bureau: CardBureau, visa: CardProfile) -> None:
    bench = install({"device": "maestro", "cards": FIRST["maestro"]}, chips=False)
    presented = Presented("maestro", bench.port, bureau, cards=FIRST["maestro"], interface="contact")
    assert presented.presenter.interface is Interface.CONTACT
    presented.presenter.arm(visa)
    assert presented.of("card_armed")[0]["uid"] is None
    assert presented.of("card_armed")[0]["proof"] == {"pulse_us": 2000.0}
    presented.presenter.close()


def test_a_slot_that_is_empty_is_told(install: Install, bureau: CardBureau, visa: CardProfile) -> None:
    bench = install({"device": "relay", "cards": FIRST["relay"]}, chips=False)
    presented = Presented("relay", bench.port, bureau, cards=FIRST["relay"], reader=READER)
    with pytest.raises(BenchTrouble, match="the card on the reader does not answer"):
        presented.presenter.arm(visa)
    presented.presenter.close()


@pytest.mark.parametrize("kind", ["grbl", "maestro"])
def test_a_machine_that_says_nothing_is_mute(
    kind: str, install: Install, bureau: CardBureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rig.cards.actuator.grbl.WAKE_S", 0.3)
    bench = install({"device": kind, "cards": FIRST[kind], "fault": "mute"}, chips=False)
    with pytest.raises(DeviceMute):
        Presented(kind, bench.port, bureau)


@pytest.mark.parametrize(
    ("kind", "fault", "told"),
    [
        ("grbl", "alarm", "alarm 1: a hard limit was hit"),
        ("grbl", "stuck", "stands at 0.000, 0.000 mm, not at 120.000, 40.000 mm"),
        ("maestro", "alarm", "the board tells errors: protocol"),
        ("maestro", "stuck", "sends 1000 µs, not 2000 µs"),
        ("relay", "stuck", "does not switch on"),
    ],
)
def test_a_machine_that_does_not_move_is_told(
    kind: str, fault: str, told: str, install: Install, bureau: CardBureau, visa: CardProfile
) -> None:
    bench = install({"device": kind, "cards": FIRST[kind], "fault": fault}, chips=False)
    presented = Presented(kind, bench.port, bureau, cards=FIRST[kind])
    with pytest.raises(BenchTrouble, match=told):
        presented.presenter.arm(visa)
    assert "field" not in bench.places("visa-credit")
    assert presented.of("card_armed") == []


def test_lost_steps_are_seen_by_no_read_back(install: Install, bureau: CardBureau, visa: CardProfile) -> None:
    bench = install({"device": "grbl", "cards": FIRST["grbl"], "fault": "lost-step"}, chips=False)
    presented = Presented("grbl", bench.port, bureau, cards=FIRST["grbl"])
    presented.presenter.arm(visa)
    terminal = Pn532CardReader(bench.runtime / "terminal.tty")
    with pytest.raises(BenchTrouble, match="no card lies"), terminal.card():
        pass
    terminal.close()
    presented.presenter.close()


def test_what_it_cannot_do_is_refused_before_anything_moves(
    install: Install, bureau: CardBureau, visa: CardProfile, unionpay: CardProfile
) -> None:
    bench = install({"device": "relay", "cards": FIRST["relay"]}, chips=False)
    presented = Presented("relay", bench.port, bureau, cards=FIRST["relay"])
    with pytest.raises(CallerMistake, match="tear before GPO"):
        presented.presenter.arm(visa, [Tear(At("GPO"))])
    with pytest.raises(CallerMistake, match="no slot holds unionpay-debit"):
        presented.presenter.arm(unionpay)
    foreign = visa.model_copy(update={"pan": "4000000000000002"})
    with pytest.raises(CallerMistake, match="no test PAN"):
        presented.presenter.arm(foreign)
    assert bench.places("visa-credit") == ["park"]
    presented.presenter.close()


@pytest.mark.parametrize(
    ("kind", "settings", "told"),
    [
        ("grbl", {"cards": {}}, "no card has a slot"),
        ("grbl", {"cards": {"visa-credit": {"park": [0, 0]}}}, "cards.visa-credit needs park, field"),
        (
            "grbl",
            {"cards": {"visa-credit": {"park": [0, 0], "field": [1]}}},
            "cards.visa-credit.field is not 2 numbers",
        ),
        ("maestro", {"cards": {"visa-credit": {"channel": 24, "park": 1000, "field": 2000}}}, "no channel 24"),
        ("maestro", {"cards": {"visa-credit": {"channel": 0, "park": 10, "field": 2000}}}, "no servo takes 10"),
        ("relay", {"cards": {"visa-credit": {"relay": 32}}}, "there is no relay 32"),
        ("relay", {"speed": 1}, "unknown settings: speed"),
        ("relay", {"interface": "optical"}, "field interface"),
        ("relay", {"reader": {"driver": "pn532"}}, "field reader"),
        ("relay", {"reader": {"driver": "acr122", "port": "x"}}, "no driver acr122"),
    ],
)
def test_wrong_settings_are_named_and_the_port_is_free_again(
    kind: str, settings: dict[str, Any], told: str, bureau: CardBureau
) -> None:
    master, slave = os.openpty()
    tty.setraw(slave)
    for _ in range(2):
        with pytest.raises(CallerMistake, match=told):
            Presented(kind, Path(os.ttyname(slave)), bureau, **settings)
    os.close(master)
    os.close(slave)
