"""Kernels 3 and 7 with exact answers, and with the bench's own cards where signatures are needed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rig.cards.faults import At, Spoil
from rig.cards.profile import load_card
from rig.cards.spoil import Flipped, Instead, Without
from rig.virtual.terminal.emv.card import CardData, CardLost, CardRefused, Cvm, Decision
from rig.virtual.terminal.emv.entry import read_card
from rig.virtual.terminal.emv.facts import Facts, Limits, PinPad
from rig.virtual.terminal.emv.schemes import NAMES
from rig.wire.tlv import encode
from tests.virtual.terminal.emv_cards import (
    CARDS,
    OFFLINE,
    OK,
    PDOL,
    UNIONPAY,
    Issuer,
    Notes,
    Scripted,
    options,
    plain_card,
    purchase,
)

FACTS = Facts(limits=OFFLINE)


def buy(card: Scripted, amount: int = 1_000, facts: Facts = FACTS) -> CardData:
    return read_card(card, purchase(amount), dict.fromkeys(NAMES, facts), Notes())


@pytest.mark.parametrize(
    ("amount", "facts", "qualifiers"),
    [
        (1_000, FACTS, "36004080"),
        (2_000, FACTS, "36004080"),
        (2_001, FACTS, "36804080"),
        (0, FACTS, "36804080"),
        (5_000, FACTS, "36C04080"),
        (1_000, replace(FACTS, offline_capable=False), "36804000"),
        (1_000, replace(FACTS, capabilities="E008C8"), "30004080"),
    ],
    ids=["small", "at the floor limit", "above", "nothing", "CVM limit", "online only", "no CVM at all"],
)
def test_the_qualifiers_follow_from_the_limits(amount: int, facts: Facts, qualifiers: str) -> None:
    card = plain_card(t9F6C="4000")
    buy(card, amount, facts)
    assert card.sent[-1][14:22] == qualifiers


@pytest.mark.parametrize(
    ("asked", "amount", "cvm"),
    [
        ("0000", 1_000, Cvm.NONE),
        (None, 1_000, Cvm.NONE),
        (None, 5_000, Cvm.SIGNATURE),
        ("8000", 5_000, Cvm.ONLINE_PIN),
        ("8080", 5_000, Cvm.ONLINE_PIN),
        ("0080", 5_000, Cvm.DEVICE),
        ("4080", 5_000, Cvm.DEVICE),
        ("4000", 5_000, Cvm.SIGNATURE),
        ("8000", 1_000, Cvm.ONLINE_PIN),
    ],
)
def test_the_card_says_how_its_holder_is_verified(asked: str | None, amount: int, cvm: Cvm) -> None:
    read = buy(plain_card(t9F6C=asked), amount)
    assert (read.cvm, read.decision, read.pin_block) == (cvm, Decision.ONLINE, None)


def test_a_card_without_a_verification_pays_no_large_amount() -> None:
    with pytest.raises(CardRefused, match="verification"):
        buy(plain_card(), 5_000)
    with pytest.raises(CardRefused, match="verification"):
        buy(plain_card(t9F6C="C000"), 5_000, replace(FACTS, capabilities="E008C8"))


def test_an_online_pin_becomes_a_block() -> None:
    facts = replace(FACTS, pin_pad=PinPad("1234", bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")))
    block = buy(plain_card(t9F6C="8000"), 5_000, facts).pin_block
    assert block is not None
    assert len(block) == 8


@pytest.mark.parametrize(
    ("gpo", "other_interface", "why"),
    [
        (b"\x69\x84", True, "6984"),
        (b"\x67\x00", False, "6700"),
        (b"\x6f\x00", False, "6F00"),
        (encode(0x80, bytes(2)) + OK, False, "template 77"),
        (b"\x77\x03" + OK, False, "malformed"),
        (encode(0x77) + OK, False, "no 82, 57, 9F26, 9F27, 9F36, 9F10"),
    ],
)
def test_what_ends_the_application_at_once(gpo: bytes, other_interface: bool, why: str) -> None:
    with pytest.raises(CardRefused, match=why) as refused:
        buy(plain_card(gpo=gpo))
    assert refused.value.other_interface is other_interface


def test_a_phone_that_wants_its_owner_is_presented_again() -> None:
    with pytest.raises(CardLost, match="6986"):
        buy(plain_card(gpo=b"\x69\x86"))


@pytest.mark.parametrize("tag", ["82", "57", "9F26", "9F27", "9F36", "9F10"])
def test_every_mandatory_object_is_missed(tag: str) -> None:
    with pytest.raises(CardRefused, match=f"no {tag}"):
        buy(plain_card(gpo=options(**{f"t{tag}": None})))


@pytest.mark.parametrize(
    "changed",
    [
        {"t57": "4761739001010010A3112201"},
        {"t57": "4761739001010010D3113201"},
        {"t57": "4761D3112201"},
        {"t5A": "4761739001010028"},
        {"t9F27": "C0"},
        {"t9F27": "00"},
        {"t9F26": "11"},
        {"t9F36": "000001"},
        {"t5F34": "0A"},
        {"t94": "100102"},
        {"t94": "10000100"},
        {"t94": "10020100"},
        {"t94": "FF010100"},
        {"t94": "1001FF00"},
        {"t94": "10010102"},
    ],
    ids=str,
)
def test_data_that_break_the_rules_go_nowhere(changed: dict[str, str]) -> None:
    with pytest.raises(CardRefused):
        buy(plain_card(gpo=options(**changed)))


def test_a_data_object_that_comes_twice_ends_it() -> None:
    twice = encode(0x77, encode(0x82, b"\x20\x00"), encode(0x82, b"\x20\x00")) + OK
    with pytest.raises(CardRefused, match="tag 82 comes twice"):
        buy(plain_card(gpo=twice))


def test_records_are_read_where_the_card_points_at_them() -> None:
    card = plain_card(t94="10010200")
    card.answers["00B20114"] = encode(0x70, encode(0x9F07, b"\xff\x00")) + OK
    card.answers["00B20214"] = encode(0x70, encode(0x5F34, b"\x01")) + OK
    buy(card)
    assert card.sent[-2:] == ["00B2011400", "00B2021400"]
    card.answers["00B20214"] = encode(0x70, encode(0x5F34, b"\x02")) + OK
    with pytest.raises(CardRefused, match="two values of tag 5F34"):
        buy(card)
    card.answers["00B20214"] = b"\x6a\x83"
    with pytest.raises(CardRefused, match="6A83"):
        buy(card)


def test_the_card_does_not_change_what_the_terminal_said() -> None:
    read = buy(plain_card(t9F02="000000000001", t9F37="00000000", t95="FFFFFFFFFF"))
    assert (read.chip[0x9F02], read.chip[0x95]) == (bytes.fromhex("000000001000"), bytes(5))
    assert read.chip[0x9F37] != bytes(4)


def test_an_approval_of_its_own_needs_leave() -> None:
    with pytest.raises(CardRefused, match="issuer was wanted"):
        buy(plain_card(t9F27="40"), 2_001)
    with pytest.raises(CardRefused, match="not authentic: tag 8F is missing"):
        buy(plain_card(t9F27="40"), 2_000)


@pytest.mark.parametrize(("name", "label"), [("visa-offline", "VISA"), ("unionpay-stored-value", "UNIONPAY")])
def test_an_authentic_card_pays_offline(issuer: Issuer, name: str, label: str) -> None:
    notes = Notes()
    read = issuer.card(name).buy(issuer.facts(), notes=notes)
    assert (read.decision, read.label, read.chip[0x9F27]) == (Decision.OFFLINE_APPROVED, label, b"\x40")
    assert notes.of("terminal_oda") == [{"method": "fDDA", "ok": True, "why": ""}]
    online = issuer.card(name).buy(issuer.facts(), 2_001)
    assert (online.decision, online.chip[0x9F27]) == (Decision.ONLINE, b"\x80")


def test_without_authorities_nothing_goes_offline(issuer: Issuer) -> None:
    with pytest.raises(CardRefused, match="no authority key"):
        issuer.card("visa-offline").buy(issuer.facts(authorities=()))


@pytest.mark.parametrize(
    "spoiling",
    [
        Spoil(At("READ RECORD", 3), Flipped(0x9F4B)), Spoil(At("READ RECORD", 3), Without(0x9F4B)),
        Spoil(At("READ RECORD", 3), Flipped(0x9F69)), Spoil(At("READ RECORD", 1), Flipped(0x9F07)),
    ],
    ids=lambda fault: fault.name,
)  # fmt: skip
def test_a_card_that_is_not_authentic_is_refused(issuer: Issuer, spoiling: Spoil) -> None:
    count = names_of(issuer).count("READ RECORD")
    at = replace(spoiling.at, number=count if spoiling.at.number == 3 else 1)
    card = issuer.card("visa-offline", replace(spoiling, at=at))
    notes = Notes()
    with pytest.raises(CardRefused, match="not authentic"):
        card.buy(issuer.facts(), notes=notes)
    assert notes.of("terminal_oda")[0]["ok"] is False


def names_of(issuer: Issuer) -> list[str]:
    """The commands of an offline purchase."""
    card = issuer.card("visa-offline")
    card.buy(issuer.facts())
    return card.names


@pytest.mark.parametrize(
    ("qualifiers", "online", "other_interface"),
    [("2000", True, False), ("1000", False, True), ("0000", False, False)],
    ids=["go online", "use the slot", "nothing"],
)
def test_the_card_says_what_follows_where_it_is_not_authentic(
    issuer: Issuer, qualifiers: str, online: bool, other_interface: bool
) -> None:
    faults = Spoil(At("GPO"), Instead(0x9F6C, bytes.fromhex(qualifiers)))
    card = issuer.card("visa-offline", faults)
    facts = issuer.facts(authorities=())
    if online:
        assert card.buy(facts).decision is Decision.ONLINE
        return
    with pytest.raises(CardRefused) as refused:
        card.buy(facts)
    assert refused.value.other_interface is other_interface


def test_a_kernel_that_pays_offline_looks_at_dates_and_uses(issuer: Issuer) -> None:
    profile = load_card("visa-offline", CARDS)
    old = profile.model_copy(update={"name": "visa-old", "expiry": "2512"})
    with pytest.raises(CardRefused, match="expired"):
        issuer.card(old).buy(issuer.facts())
    unusable = profile.applications[0].model_copy(update={"usage_control": "0000"})
    with pytest.raises(CardRefused, match="usage control"):
        issuer.card(profile.model_copy(update={"name": "visa-unusable", "applications": (unusable,)})).buy(
            issuer.facts()
        )


def test_electronic_cash_is_announced_where_it_may_be_used() -> None:
    pdol = PDOL + bytes.fromhex("9F7A01")
    card = plain_card(UNIONPAY, pdol)
    buy(card)
    assert card.sent[-1][-4:-2] == "01"
    card = plain_card(UNIONPAY, pdol)
    buy(card, 2_001)
    assert card.sent[-1][-4:-2] == "00"


def test_a_limit_of_nothing_means_verification_always() -> None:
    assert buy(plain_card(t9F6C="4000"), 1, replace(FACTS, limits=Limits(cvm=0))).cvm is Cvm.SIGNATURE
