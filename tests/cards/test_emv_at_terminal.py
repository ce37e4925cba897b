"""Every shipped card at the virtual terminal's kernels and slot, command by command, and its issuer's check of it."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from rig.cards.bureau import CardBureau
from rig.cards.emv.authority import authorities
from rig.cards.emv.card import EmvCard
from rig.cards.keys import IssuerKeys
from rig.cards.profile import CardProfile, Interface, load_card, load_cards
from rig.virtual.terminal import contact
from rig.virtual.terminal.emv.card import CardData, CardRefused, Cvm, Decision, HostAnswer, Purchase
from rig.virtual.terminal.emv.entry import read_card
from rig.virtual.terminal.emv.facts import Facts, Limits
from rig.wire import tlv
from rig.wire.cryptogram import (
    CryptogramData,
    application_cryptogram,
    issuer_authentication_data,
    read_issuer_data,
    scheme_of,
    version_of,
)
from tests.cards.dialogue import CARDS

ALL = load_cards(CARDS)
HIGH_FLOOR = 1_000_000
Outcome = Decision | str
"""How the terminal ends it: online, offline, or the name of its refusal."""

REFUSED: dict[str, str] = {"declines-by-itself": "CardRefused", "unusable": "CardRefused"}
TAPPED = REFUSED | {"unsupported-aid": "CardRefused"}
INSERTED = REFUSED | {"unsupported-aid": "ChipFailed"}
OFFLINE: dict[str, Outcome] = dict.fromkeys(
    ["visa-offline", "unionpay-stored-value", "approves-by-itself"], Decision.OFFLINE_APPROVED
)
CLAIMS = {"broken-signature": False, "foreign-authority": False, "mastercard-credit": True, "expired": True}


class Till:
    """A terminal and the issuers, in this process."""

    def __init__(self, bureau: CardBureau, state: Path) -> None:
        self._bureau, self._state = bureau, state
        self.proven: dict[str, bool] = {}

    def pay(self, profile: CardProfile, interface: Interface, floor: int = 0) -> Outcome:
        self.proven.pop(profile.name, None)
        try:
            data = self.read(profile, interface, floor)
        except (CardRefused, contact.ChipFailed) as refusal:
            return type(refusal).__name__
        self.check(profile, data.chip)
        return data.decision

    def read(self, profile: CardProfile, interface: Interface, floor: int = 0) -> CardData:
        card = self._bureau.issue(profile, interface)
        each = Facts(authorities=authorities(self._state), limits=Limits(floor=floor))
        facts = dict.fromkeys(("visa", "mastercard", "unionpay"), each)
        purchase = Purchase(1250, "978", datetime(2026, 11, 22, 12, 0))
        if interface is Interface.CONTACT:
            facts = contact.contact_facts(facts, floor)
            return contact.read_card(_line(card), purchase, facts, self._note(profile))
        return read_card(_line(card), purchase, facts, self._note(profile))

    def check(self, profile: CardProfile, chip: Any) -> None:
        """The issuer's check of a cryptogram, with what its terminal sends."""
        version = version_of(scheme_of(chip[0x84]), chip[0x9F10])
        covered = CryptogramData.from_tags(chip)
        assert application_cryptogram(version, self._key(profile), profile.pan, profile.psn, covered) == chip[0x9F26]

    def answer(self, profile: CardProfile, chip: Any, rc: str) -> HostAnswer:
        """DE55 with the issuer's answer."""
        version = version_of(scheme_of(chip[0x84]), chip[0x9F10])
        covered = CryptogramData.from_tags(chip)
        said = issuer_authentication_data(
            version, self._key(profile), profile.pan, profile.psn, covered, chip[0x9F26], rc
        )
        return HostAnswer(rc, chip=tlv.encode(0x91, said))

    def _key(self, profile: CardProfile) -> bytes:
        return IssuerKeys.load_or_create(self._state, []).master_key(profile.bank)

    def _note(self, profile: CardProfile) -> Callable[..., None]:
        def note(kind: str, **data: Any) -> None:
            if kind == "terminal_oda":
                self.proven[profile.name] = data["ok"]

        return note


def _line(card: EmvCard) -> Callable[[bytes], bytes]:
    return lambda command: card.process(command).response


@pytest.fixture
def till(bureau: CardBureau, tmp_path: Path) -> Till:
    return Till(bureau, tmp_path / "state")


def presentable(interface: Interface) -> dict[str, CardProfile]:
    return {name: card for name, card in ALL.items() if interface in card.interfaces}


def test_every_card_tapped(till: Till) -> None:
    cards = presentable(Interface.CONTACTLESS)
    ends = {name: till.pay(card, Interface.CONTACTLESS) for name, card in cards.items()}
    assert ends == {name: TAPPED.get(name, Decision.ONLINE) for name in cards}
    assert CLAIMS.items() <= till.proven.items()


def test_every_card_tapped_where_the_terminal_may_approve(till: Till) -> None:
    cards = presentable(Interface.CONTACTLESS)
    ends = {name: till.pay(card, Interface.CONTACTLESS, HIGH_FLOOR) for name, card in cards.items()}
    told = TAPPED | OFFLINE | {"broken-dynamic": "CardRefused"}
    assert ends == {name: told.get(name, Decision.ONLINE) for name in cards}
    assert {"visa-offline": True, "broken-dynamic": False}.items() <= till.proven.items()


def test_every_card_inserted(till: Till) -> None:
    cards = presentable(Interface.CONTACT)
    ends = {name: till.pay(card, Interface.CONTACT) for name, card in cards.items()}
    assert ends == {name: INSERTED.get(name, Decision.ONLINE) for name in cards}
    expected = CLAIMS | {"contact-dda": True, "contact-sda": True, "broken-dynamic": False, "visa-offline": True}
    assert expected.items() <= till.proven.items()


def test_every_card_inserted_where_the_terminal_may_approve(till: Till) -> None:
    cards = presentable(Interface.CONTACT)
    ends = {name: till.pay(card, Interface.CONTACT, HIGH_FLOOR) for name, card in cards.items()}
    assert ends == {name: (INSERTED | OFFLINE).get(name, Decision.ONLINE) for name in cards}


@pytest.mark.parametrize(
    ("name", "rc", "approved"),
    [(name, "00", True) for name in ("visa-credit", "contact-dda", "mastercard-credit", "unionpay-credit")]
    + [("mastercard-credit", "51", False), ("visa-credit", "51", False), ("second-declines", "00", False)],
)
def test_the_second_cryptogram_ends_it(name: str, rc: str, approved: bool, till: Till) -> None:
    profile = load_card(name, CARDS)
    data = till.read(profile, Interface.CONTACT)
    assert data.finish is not None
    completion = data.finish(till.answer(profile, data.chip, rc))
    assert completion.approved == approved
    till.check(profile, completion.chip)
    version = version_of(scheme_of(data.chip[0x84]), completion.chip[0x9F10])
    assert read_issuer_data(version, completion.chip[0x9F10]).decision == ("TC" if approved else "AAC")


def test_the_pin_is_entered_for_the_card_itself(till: Till) -> None:
    assert till.read(load_card("contact-dda", CARDS), Interface.CONTACT).cvm is Cvm.OFFLINE_PIN


def test_the_phone_knows_its_owner(till: Till) -> None:
    assert till.read(load_card("wallet-visa", CARDS), Interface.CONTACTLESS).cvm is Cvm.DEVICE
