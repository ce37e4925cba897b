"""The bench's own cards on contacts, without a slot: authentication, PINs, several applications, offline approval."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rig.cards.profile import CardProfile, Interface, load_card, load_cards
from rig.virtual.terminal.contact import ChipFailed, contact_facts, read_card
from rig.virtual.terminal.emv.card import CardData, CardLost, CardRefused, Cvm, Decision, HostAnswer
from rig.virtual.terminal.emv.facts import PinPad
from tests.virtual.terminal.emv_cards import CARDS, Issuer, Notes, Tapped, purchase


def read(card: Tapped, issuer: Issuer, floor: int = 0, notes: Notes | None = None, **more: Any) -> CardData:
    facts = contact_facts(issuer.facts(**more), floor)
    return read_card(card, purchase(), facts, Notes() if notes is None else notes)


def on_contacts(issuer: Issuer, name: str, **changes: Any) -> Tapped:
    """One of the bench's cards in the slot; changes are of its first application."""
    profile = load_card(name, CARDS)
    changed = profile.applications[0].model_copy(update=changes)
    applications = (changed, *profile.applications[1:])
    return issuer.card(profile.model_copy(update={"applications": applications}), interface=Interface.CONTACT)


def _with_byte(change: tuple[int, int]) -> Callable[[bytes], bytes]:
    at, value = change
    return lambda said: said[: at % len(said)] + bytes([value]) + said[at % len(said) + 1 :]


@pytest.mark.parametrize(
    ("name", "proof", "tvr"),
    [("contact-dda", "DDA", 0x00), ("contact-sda", "SDA", 0x02), ("mastercard-credit", "CDA", 0x00),
     ("broken-dynamic", "DDA", 0x08), ("broken-signature", "SDA", 0x42), ("foreign-authority", "CDA", 0x04)],
)  # fmt: skip
def test_offline_authentication(issuer: Issuer, name: str, proof: str, tvr: int) -> None:
    notes = Notes()
    data = read(on_contacts(issuer, name), issuer, notes=notes)
    assert (data.decision, data.chip[0x95][0]) == (Decision.ONLINE, tvr)
    assert [(each["method"], each["ok"]) for each in notes.of("terminal_oda")] == [(proof, tvr in (0x00, 0x02))]


def test_what_is_not_authentic_is_not_approved_offline(issuer: Issuer) -> None:
    """A signature that turns out wrong with the card's certificate ends the purchase; one before it goes online."""
    for name in ("broken-dynamic", "broken-signature", "foreign-authority"):
        profile = load_card(name, CARDS)
        offline = profile.model_copy(update={"behaviour": profile.behaviour.model_copy(update={"decision": "offline"})})
        try:
            data = read(issuer.card(offline, interface=Interface.CONTACT), issuer, floor=5000)
        except CardRefused:
            continue
        assert data.decision is Decision.ONLINE


def test_an_offline_approval_is_signed(issuer: Issuer) -> None:
    card = on_contacts(issuer, "approves-by-itself", cvm=("no-cvm",))
    notes = Notes()
    data = read(card, issuer, floor=5000, notes=notes)
    assert (data.decision, data.finish, data.chip[0x9F27]) == (Decision.OFFLINE_APPROVED, None, b"\x40")
    assert notes.of("terminal_oda") == [{"method": "CDA", "ok": True, "why": ""}]


@pytest.mark.parametrize(
    ("pin", "cvm", "results", "tvr"),
    [("1234", Cvm.OFFLINE_PIN, "010302", "0000008000"), ("9999", Cvm.NONE, "010301", "0000808000")],
)
def test_an_offline_pin(issuer: Issuer, pin: str, cvm: Cvm, results: str, tvr: str) -> None:
    card = on_contacts(issuer, "contact-dda", cvm=("offline-pin",))
    data = read(card, issuer, pin_pad=PinPad(pin))
    assert (data.cvm, data.chip[0x9F34].hex(), data.chip[0x95].hex()) == (cvm, results, tvr)
    assert card.names.count("VERIFY") == 1


def test_a_pin_that_was_wrong_too_often_is_not_asked_for(issuer: Issuer) -> None:
    profile = load_card("contact-dda", CARDS)
    card = issuer.card(profile, interface=Interface.CONTACT)
    for _ in range(3):
        read(card, issuer, pin_pad=PinPad("9999"))
        card.card.reset()
    before = card.names.count("VERIFY")
    data = read(card, issuer)
    assert (data.cvm, data.chip[0x95][2] & 0x20, card.names.count("VERIFY")) == (Cvm.ONLINE_PIN, 0x20, before)
    issuer.bureau.renew(profile)


def test_of_several_applications_the_best_is_taken(issuer: Issuer) -> None:
    profile = load_card("several-applications", CARDS)
    best = min(profile.applications, key=lambda each: each.priority or 16)
    card = issuer.card(profile, interface=Interface.CONTACT)
    assert read(card, issuer).chip[0x84].hex().upper() == best.aid


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(["contact-dda", "mastercard-credit"]),
    command=st.integers(0, 12),
    spoil=st.one_of(
        st.tuples(st.integers(0, 250), st.integers(0, 255)).map(_with_byte),
        st.binary(max_size=40).map(lambda said: lambda _: said),
    ),
    answer=st.one_of(st.none(), st.builds(HostAnswer, st.sampled_from(["00", "51"]), chip=st.binary(max_size=30))),
)
def test_one_wrong_answer_anywhere(
    issuer: Issuer, name: str, command: int, spoil: Callable[[bytes], bytes], answer: HostAnswer | None
) -> None:
    """The card is lost, refused or failed, or its data are complete; its last word is always one."""
    card = issuer.card(name, interface=Interface.CONTACT)

    def transceive(asked: bytes) -> bytes:
        response = card(asked)
        return spoil(response) if len(card.names) == command + 1 else response

    try:
        data = read_card(transceive, purchase(), contact_facts(issuer.facts(), 2000), Notes())
    except (CardLost, CardRefused, ChipFailed):
        return
    assert {0x9F26, 0x9F27, 0x9F36, 0x9F10, 0x82, 0x95, 0x9F34, 0x84} <= data.chip.keys()
    if data.finish is not None:
        data.finish(answer)


def test_every_card_on_contacts_comes_to_a_plain_end(issuer: Issuer) -> None:
    ends: dict[str, str] = {}
    for name, profile in load_cards(CARDS).items():
        if Interface.CONTACT in profile.interfaces and name != "slow":
            ends[name] = _end(profile, issuer)
    unusual = {name: end for name, end in ends.items() if end != "online"}
    assert unusual == {"declines-by-itself": "refused", "unusable": "refused", "unsupported-aid": "failed"}


def _end(profile: CardProfile, issuer: Issuer) -> str:
    try:
        data = read(issuer.card(profile, interface=Interface.CONTACT), issuer)
    except CardRefused:
        return "refused"
    except ChipFailed:
        return "failed"
    assert replace(data, chip={}, finish=None).pan == profile.pan
    return data.decision.value
