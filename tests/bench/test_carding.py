"""Cards find their presenter, and what they do wrong is proven by what happened."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from rig.bench.carding import Carding
from rig.bench.devices import Devices
from rig.cards.faults import At, CardFault, Spoil, Tear
from rig.cards.presenter import Capability
from rig.cards.profile import CardProfile, Interface
from rig.cards.spoil import Without
from rig.errors import BenchTrouble, CallerMistake

CARDS = Path(__file__).parents[2] / "fixtures/cards"
TORN = Tear(At("GPO"))


class Hand:
    """A presenter that holds a card up."""

    def __init__(self, interface: Interface, *capabilities: Capability) -> None:
        self.interface = interface
        self.capabilities = frozenset(capabilities)
        self.card: CardProfile | None = None
        self.faults: Sequence[CardFault] = ()

    def arm(self, card: CardProfile, faults: Sequence[CardFault] = ()) -> None:
        self.card, self.faults = card, faults

    def remove(self, why: str = "asked") -> dict[str, Any]:
        held, self.card = self.card, None
        return {"target": "released", "card": held.name if held else None}

    def identify(self) -> dict[str, Any]:
        return {"card": {"card": self.card.name} if self.card else None}

    def close(self) -> None:
        pass


@pytest.fixture
def field() -> Hand:
    return Hand(Interface.CONTACTLESS, *Capability)


@pytest.fixture
def devices(field: Hand) -> Devices:
    slot, second = Hand(Interface.CONTACT, Capability.TEAR), Hand(Interface.CONTACTLESS)
    return Devices(presenters={"contactless": field, "contact": slot, "second": second})


@pytest.fixture
def carding(devices: Devices) -> Carding:
    return Carding(CARDS, lambda pan: pan.startswith(("4761", "6212")), devices)


def test_a_card_takes_its_first_interface_unless_another_is_asked_for(carding: Carding, devices: Devices) -> None:
    card = carding.profile("visa-credit")
    assert carding.choose(card) is devices.presenters["contactless"]
    assert carding.choose(card, Interface.CONTACT) is devices.presenters["contact"]
    with pytest.raises(BenchTrouble, match="none for stripe"):
        carding.choose(card, Interface.STRIPE)
    phone = card.model_copy(update={"interfaces": (Interface.CONTACTLESS,)})
    with pytest.raises(CallerMistake, match="has no contact interface"):
        carding.choose(phone, Interface.CONTACT)


def test_a_card_outside_the_test_ranges_is_refused_when_its_file_is_loaded(devices: Devices) -> None:
    with pytest.raises(CallerMistake, match="field pan: this is no test PAN"):
        Carding(CARDS, lambda pan: pan.startswith("6212"), devices).profile("visa-credit")


def test_a_fault_goes_with_the_next_card_once_and_is_proven_by_having_happened(
    carding: Carding, devices: Devices, field: Hand
) -> None:
    devices.card_faults[TORN.name] = 3  # of earlier sales
    prove = carding.arm(TORN)
    card = carding.profile("visa-credit")
    carding.present(card, field)
    assert field.faults == [TORN]
    assert not prove().proven
    devices.card_faults[TORN.name] += 1
    assert prove().evidence == {"times": 1, "at": "GPO"}
    carding.remove()
    carding.present(card, field)
    assert field.faults == []


def test_a_fault_that_the_presenter_cannot_do_is_refused_by_name(carding: Carding, devices: Devices) -> None:
    carding.arm(Spoil(At("GPO"), Without(0x57)))
    with pytest.raises(CallerMistake, match="cannot do: no 57 in GPO"):
        carding.present(carding.profile("visa-credit"), devices.presenters["contact"])


def test_a_second_card_lies_beside_the_first_until_both_are_removed(carding: Carding, devices: Devices) -> None:
    proof = carding.put_second("unionpay-debit")
    assert proof.proven
    carding.present(carding.profile("visa-credit"), devices.presenters["contactless"])
    carding.remove()
    assert [each.identify()["card"] for each in devices.presenters.values()] == [None, None, None]


def test_a_presenter_that_fails_keeps_no_other_from_removing_its_card(
    carding: Carding, devices: Devices, field: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unplugged(why: str = "asked") -> dict[str, Any]:
        raise BenchTrouble("reader", f"gone when {why}", "plug it in")

    for name in ("contactless", "second"):
        monkeypatch.setattr(devices.presenters[name], "remove", unplugged)
    carding.present(carding.profile("visa-credit"), field)
    carding.put_second("unionpay-debit")
    carding.present_by("visa-credit", Interface.CONTACT)
    with pytest.raises(BenchTrouble, match="gone when asked"):
        carding.remove()
    assert devices.presenters["contact"].identify()["card"] is None
    carding.remove()  # nothing is left to be tried again


def test_a_bench_with_one_field_presenter_has_no_second(field: Hand) -> None:
    with pytest.raises(BenchTrouble, match="second presenter"):
        Carding(CARDS, lambda _: True, Devices(presenters={"contactless": field})).put_second("visa-credit")


def test_pulling_without_a_card_is_no_proof(carding: Carding, field: Hand) -> None:
    carding.present(carding.profile("visa-credit"), field)
    assert carding.pull().proven
    assert not carding.pull().proven


def test_the_folder_of_another_bench_has_other_cards(tmp_path: Path, devices: Devices) -> None:
    with pytest.raises(CallerMistake, match="there is no such card"):
        Carding(tmp_path, lambda _: True, devices).profile("visa-credit")
