"""Kernel 2 with the bench's own cards, spoiled at every place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rig.cards.faults import At, CardFault, Spoil, Tear
from rig.cards.profile import load_card
from rig.cards.spoil import CutShort, Flipped, Instead, Status, Twice, Without
from rig.virtual.terminal.emv.card import CardLost, CardRefused, Cvm, Decision
from rig.virtual.terminal.emv.facts import ActionCodes, Limits
from rig.virtual.terminal.emv.tvr import Tvr
from tests.virtual.terminal.emv_cards import CARDS, Issuer, Notes

ONLINE = Limits(transaction=1_000_000, cvm=5_000, floor=0)


def test_a_sound_card_goes_online_with_a_signed_cryptogram(issuer: Issuer) -> None:
    notes, card = Notes(), issuer.card("mastercard-credit")
    read = card.buy(issuer.facts(ONLINE), notes=notes)
    assert card.names[:3] == ["SELECT PPSE", "SELECT AID", "GPO"]
    assert card.names[-1] == "GENERATE AC"
    assert card.sent[2] == bytes.fromhex("80A8000002830000")
    assert card.sent[-1][:4] == bytes.fromhex("80AE9000")
    assert (read.decision, read.cvm, read.label, read.type_code) == (Decision.ONLINE, Cvm.NONE, "MASTERCARD", 6)
    assert read.chip[0x95] == Tvr.FLOOR_LIMIT_EXCEEDED.encode()
    assert {0x9F26, 0x9F27, 0x9F36, 0x9F10, 0x82, 0x9F37, 0x9F34, 0x84, 0x5F34} <= read.chip.keys()
    assert notes.of("terminal_oda") == [{"method": "CDA", "ok": True, "why": ""}]


def test_card_and_terminal_may_approve_together(issuer: Issuer) -> None:
    card = issuer.card("approves-by-itself")
    read = card.buy(issuer.facts())
    assert (read.decision, read.chip[0x9F27]) == (Decision.OFFLINE_APPROVED, b"\x40")
    assert card.sent[-1][2] == 0x50  # a TC, signed
    assert issuer.card("approves-by-itself").buy(issuer.facts(offline_capable=False)).decision is Decision.ONLINE
    assert issuer.card("mastercard-credit").buy(issuer.facts()).decision is Decision.ONLINE


@pytest.mark.parametrize(
    ("name", "bits"),
    [
        ("foreign-authority", Tvr.CDA_FAILED),
        ("broken-signature", Tvr.SDA_FAILED | Tvr.SDA_SELECTED),
        ("expired", Tvr.EXPIRED),
        ("not-yet-effective", Tvr.NOT_YET_EFFECTIVE),
        ("mastercard-debit", Tvr.ODA_NOT_PERFORMED),
    ],
)
def test_what_is_wrong_stands_in_the_tvr_and_is_asked_about(issuer: Issuer, name: str, bits: Tvr) -> None:
    card = issuer.card(name)
    read = card.buy(issuer.facts())
    assert (read.decision, read.chip[0x95]) == (Decision.ONLINE, bits.encode())
    assert card.sent[-1][2] == (0x90 if bits in Tvr.EXPIRED | Tvr.NOT_YET_EFFECTIVE else 0x80)


def test_without_authorities_there_is_no_such_key(issuer: Issuer) -> None:
    notes = Notes()
    read = issuer.card("approves-by-itself").buy(issuer.facts(authorities=()), notes=notes)
    assert (read.decision, read.chip[0x95]) == (Decision.ONLINE, Tvr.CDA_FAILED.encode())
    assert "no authority key" in notes.of("terminal_oda")[0]["why"]


def test_no_action_code_makes_a_card_that_is_not_authentic_pay_offline(issuer: Issuer) -> None:
    careless = ActionCodes("0000000000", "0000000000", "0000000000")
    profile = load_card("approves-by-itself", CARDS)
    codes = profile.applications[0].action_codes.model_copy(update={"online": "0000000000", "default": "0000000000"})
    application = profile.applications[0].model_copy(update={"action_codes": codes})
    eager = profile.model_copy(update={"name": "eager", "applications": (application,)})
    assert issuer.card(eager).buy(issuer.facts(action_codes=careless)).decision is Decision.OFFLINE_APPROVED
    read = issuer.card(eager).buy(issuer.facts(action_codes=careless, authorities=()))
    assert read.decision is Decision.ONLINE


def test_a_card_that_is_made_for_nothing_is_declined(issuer: Issuer) -> None:
    card = issuer.card("unusable")
    with pytest.raises(CardRefused, match="TVR 0010"):
        card.buy(issuer.facts())
    assert card.sent[-1][2] == 0x00  # an AAC, without signature


@pytest.mark.parametrize(
    ("name", "amount", "cvm", "results"),
    [
        ("mastercard-credit", 4_999, Cvm.NONE, "1F0002"),
        ("mastercard-credit", 5_000, Cvm.ONLINE_PIN, "420300"),
        ("no-cvm-list", 5_000, Cvm.NONE, "3F0000"),
        ("wallet-mastercard", 4_999, Cvm.NONE, "3F0002"),
        ("wallet-mastercard", 5_000, Cvm.DEVICE, "010002"),
    ],
)
def test_the_cardholder(issuer: Issuer, name: str, amount: int, cvm: Cvm, results: str) -> None:
    read = issuer.card(name).buy(issuer.facts(ONLINE), amount)
    assert (read.cvm, read.chip[0x9F34].hex().upper()) == (cvm, results)


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (Spoil(At("GPO"), Without(0x94)), "no 94"),
        (Spoil(At("GPO"), Without(0x82)), "no 82"),
        (Spoil(At("GPO"), Twice(0x82)), "82 comes twice"),
        (Spoil(At("GPO"), Instead(0x94, b"\x08\x02\x01\x00")), "points at what cannot be"),
        (Spoil(At("GPO"), Instead(0x94, b"\x08\x01\x09\x00")), "6A83"),
        (Spoil(At("GPO"), CutShort()), "malformed"),
        (Spoil(At("READ RECORD"), Without(0x57)), "no 57"),
        (Spoil(At("READ RECORD"), Instead(0x57, bytes.fromhex("4761739001010010D3112201"))), "different numbers"),
        (Spoil(At("READ RECORD"), Twice(0x57)), "57 comes twice"),
        (Spoil(At("READ RECORD"), CutShort()), "malformed"),
        (Spoil(At("READ RECORD", 2), Without(0x8C)), "no 8C"),
        (Spoil(At("READ RECORD", 2), Without(0x5F24)), "no 5F24"),
        (Spoil(At("READ RECORD"), Status(0x6985)), "6985"),
        (Spoil(At("GENERATE AC"), Status(0x6985)), "6985"),
        (Spoil(At("GENERATE AC"), Without(0x9F27)), "no 9F27"),
        (Spoil(At("GENERATE AC"), Without(0x9F36)), "no 9F36"),
        (Spoil(At("GENERATE AC"), Without(0x9F10)), "not authentic|no 9F10"),
        (Spoil(At("GENERATE AC"), Without(0x9F4B)), "not authentic: the card gave no 9F4B"),
        (Spoil(At("GENERATE AC"), Flipped(0x9F4B)), "not authentic"),
        (Spoil(At("GENERATE AC"), Flipped(0x9F36)), "not authentic"),
        (Spoil(At("GENERATE AC"), Instead(0x9F27, b"\x40")), "where ARQC was asked for"),
        (Spoil(At("GENERATE AC"), Instead(0x9F27, b"\xc0")), "where ARQC was asked for"),
        (Spoil(At("GENERATE AC"), Twice(0x9F36)), "9F36 comes twice"),
    ],
    ids=lambda each: each.name if isinstance(each, Spoil) else None,
)
def test_wrong_data_end_the_application(issuer: Issuer, fault: CardFault, why: str) -> None:
    with pytest.raises(CardRefused, match=why):
        issuer.card("mastercard-credit", fault).buy(issuer.facts(ONLINE))


@pytest.mark.parametrize("status", [0x6700, 0x6985, 0x6A81])
def test_options_that_are_refused_ask_for_the_next_application(issuer: Issuer, status: int) -> None:
    with pytest.raises(CardRefused, match="no application of the card will do") as refused:
        issuer.card("mastercard-credit", Spoil(At("GPO"), Status(status))).buy(issuer.facts())
    assert refused.value.other_interface


@pytest.mark.parametrize("command", ["SELECT PPSE", "SELECT AID", "GPO", "READ RECORD", "GENERATE AC"])
def test_a_card_that_leaves_is_asked_for_again(issuer: Issuer, command: str) -> None:
    with pytest.raises(CardLost):
        issuer.card("mastercard-credit", Tear(At(command))).buy(issuer.facts())


@pytest.mark.parametrize("missing", [0x90, 0x9F46, 0x9F47])
def test_missing_certificates_are_told_and_asked_about(issuer: Issuer, missing: int) -> None:
    names = reading(issuer)
    for number in range(3, names.count("READ RECORD") + 1):
        read = issuer.card("mastercard-credit", Spoil(At("READ RECORD", number), Without(missing))).buy(issuer.facts())
        if read.chip[0x95] != bytes(5):
            assert read.chip[0x95] == (Tvr.CDA_FAILED | Tvr.DATA_MISSING).encode()
            assert read.decision is Decision.ONLINE
            return
    raise AssertionError("no record holds it")


def reading(issuer: Issuer) -> list[str]:
    """The commands of a purchase."""
    card = issuer.card("mastercard-credit")
    card.buy(issuer.facts())
    return card.names


def test_a_card_chooses_among_its_applications(issuer: Issuer) -> None:
    facts = issuer.facts()
    profile = load_card("several-applications", CARDS)
    chosen = issuer.card(profile).buy(facts).label
    blocked = issuer.card(profile, Spoil(At("SELECT AID"), Status(0x6A82)))
    assert blocked.buy(facts).label != chosen
    low = {name: replace(each, limits=Limits(transaction=1)) for name, each in facts.items()}
    with pytest.raises(CardRefused, match="contactless limit"):
        issuer.card(profile).buy(low)
