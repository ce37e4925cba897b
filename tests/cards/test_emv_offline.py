"""Cards that approve by themselves: fast authentication over the air, limits, electronic cash."""

from pathlib import Path

import pytest

from rig.cards.bureau import CardBureau
from rig.cards.memory import CardMemory
from rig.cards.profile import Behaviour, CardProfile, Interface, load_card
from rig.errors import CallerMistake
from rig.wire.oda import AuthenticationFailed, check_fast
from tests.cards.dialogue import OFFLINE_TOO, ONLINE_ONLY, Dialogue, H

CARDS = Path(__file__).parents[2] / "fixtures/cards"


def tap(bureau: CardBureau, profile: CardProfile, amount: int = 1250, qualifiers: bytes = OFFLINE_TOO) -> Dialogue:
    return Dialogue(bureau.issue(profile), t9F66=qualifiers, t9F02=H(f"{amount:012d}")).begin()


@pytest.mark.parametrize("name", ["visa-offline", "unionpay-stored-value"])
def test_an_offline_approval_proves_itself(name: str, bureau: CardBureau, tmp_path: Path) -> None:
    dialogue = tap(bureau, load_card(name, CARDS))
    objects = dialogue.objects
    assert objects[0x9F27] == b"\x40"
    assert objects[0x82] == H("2000")
    assert objects[0x94] == H("10010101 18010200 20010100")
    assert objects[0x9F69][:1] + objects[0x9F69][5:] == b"\x01" + objects[0x9F6C]
    key = dialogue.card_key(tmp_path / "state")
    assert check_fast(key, objects[0x9F4B], dialogue.values | objects) == objects[0x9F36]
    with pytest.raises(AuthenticationFailed):
        check_fast(key, objects[0x9F4B], dialogue.values | objects | {0x9F02: H("000000001251")})
    assert dialogue.card.process(H("00B2012400")).response[-2:] == H("9000")


def test_what_is_signed_repeats_the_card_qualifiers_as_sent(bureau: CardBureau) -> None:
    profile = load_card("visa-offline", CARDS)
    application = profile.applications[0].model_copy(update={"tags": {"9F6C": "2000"}})
    objects = tap(bureau, profile.model_copy(update={"applications": (application,)})).objects
    assert objects[0x9F6C] == objects[0x9F69][5:] == H("2000")


def test_the_terminal_wants_the_issuer(bureau: CardBureau) -> None:
    dialogue = tap(bureau, load_card("visa-offline", CARDS), qualifiers=ONLINE_ONLY)
    assert dialogue.objects[0x9F27] == b"\x80"
    assert 0x94 not in dialogue.objects
    assert dialogue.ask("00B2012400") == (b"", "6A83")


def test_without_fast_authentication_nothing_goes_offline_over_the_air(bureau: CardBureau, visa: CardProfile) -> None:
    eager = visa.model_copy(update={"behaviour": Behaviour(decision="offline")})
    assert tap(bureau, eager).objects[0x9F27] == b"\x80"


def test_a_wrong_fast_signature_is_seen(bureau: CardBureau, tmp_path: Path) -> None:
    dialogue = tap(bureau, load_card("broken-dynamic", CARDS))
    key = dialogue.card_key(tmp_path / "state")
    with pytest.raises(AuthenticationFailed):
        check_fast(key, dialogue.objects[0x9F4B], dialogue.values | dialogue.objects)


def test_electronic_cash_is_spent_and_remembered(bureau: CardBureau) -> None:
    cash = load_card("unionpay-stored-value", CARDS)
    assert tap(bureau, cash, 60_000).objects[0x9F27] == b"\x40"
    dialogue = tap(bureau, cash, 40_001)
    assert dialogue.objects[0x9F27] == b"\x80"  # more than is left: the issuer is asked
    assert dialogue.send("80CA9F7900") == H("9F7906 000000040000")
    assert tap(bureau, cash, 40_000).objects[0x9F27] == b"\x40"
    assert tap(bureau, cash, 1).objects[0x9F27] == b"\x80"
    bureau.renew(cash)
    assert tap(bureau, cash, 100_000).objects[0x9F27] == b"\x40"


def test_another_currency_goes_online(bureau: CardBureau) -> None:
    card = bureau.issue(load_card("visa-offline", CARDS))
    assert Dialogue(card, t9F66=OFFLINE_TOO, t5F2A=H("0840")).begin().objects[0x9F27] == b"\x80"


def test_a_limit_over_both_interfaces_ends_where_the_issuer_answers(bureau: CardBureau) -> None:
    profile = load_card("approves-by-itself", CARDS)
    limited = profile.applications[0].model_copy(update={"offline_limit": 2000})
    profile = profile.model_copy(update={"applications": (limited,)})

    def generated(interface: Interface) -> bytes:
        return Dialogue(bureau.issue(profile, interface)).begin().generate(0x50)[0x9F27]

    assert [generated(Interface.CONTACT), generated(Interface.CONTACTLESS)] == [b"\x40", b"\x80"]
    dialogue = Dialogue(bureau.issue(profile, Interface.CONTACT)).begin()
    assert dialogue.generate(0x50)[0x9F27] == b"\x80"
    assert dialogue.generate(0x40, 0x8D, t8A=b"Y3", t9F02=H("000000000700"))[0x9F27] == b"\x40"
    assert dialogue.ask("80CA9F7900") == (b"", "6A88")  # not stored value: its limit is its own


@pytest.mark.parametrize("content", [
    "[]", "{", '{"colour": 1}', '{"pin_tries": 4}', '{"spent": {"A0": -1}}', '{"stored": {"9F58": "x"}}',
    '{"last_online": 65536}', '{"card_blocked": 1}', '{"blocked": [1]}', '{"blocked": 7}', '{"spent": 1}',
])  # fmt: skip
def test_a_damaged_memory_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "card.memory"
    path.write_text(content)
    with pytest.raises(CallerMistake, match="no memory of a card"):
        _ = CardMemory(path).now
    assert path.read_text() == content
