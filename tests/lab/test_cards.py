"""The lab's part with the cards, as far as it needs no daemon: what it checks, and what it counts."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from lab.cards_authentication import authenticate
from lab.cards_inside import Findings
from lab.cards_programs import Foreign
from lab.part import LabTrouble
from rig.cards.bureau import CardBureau
from rig.cards.emv.authority import published
from rig.cards.emv.card import EmvCard
from rig.cards.profile import Interface, load_card
from rig.history import Redactor, TestRange
from rig.wire.oda import AuthenticationFailed, parse_authorities

CARDS = Path(__file__).parents[2] / "fixtures/cards"


class InMemory:
    uid: bytes | None = None
    atr: bytes | None = None

    def __init__(self, card: EmvCard) -> None:
        self.interface = card.interface
        self.transceive = lambda apdu: card.process(apdu).response


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


def try_card(state: Path, name: str, interface: Interface) -> str:
    redactor = Redactor.with_new_key([TestRange("476173"), TestRange("541333"), TestRange("621234")])
    card = load_card(name, CARDS)
    issued = CardBureau(state, redactor).issue(card, interface)
    keys = parse_authorities(json.dumps({"authorities": published(state)}))
    return authenticate(InMemory(issued), card.applications[0].aid, keys, card.pan)


@pytest.mark.parametrize(
    ("name", "interface", "how"),
    [
        ("contact-sda", Interface.CONTACT, "SDA"),
        ("contact-dda", Interface.CONTACT, "DDA"),
        ("mastercard-credit", Interface.CONTACT, "CDA"),
        ("mastercard-credit", Interface.CONTACTLESS, "CDA"),
        ("visa-offline", Interface.CONTACTLESS, "fDDA"),
        ("visa-credit", Interface.CONTACTLESS, ""),
    ],
)
def test_a_terminal_that_knows_the_published_keys_alone(name: str, interface: Interface, how: str, state: Path) -> None:
    assert try_card(state, name, interface) == how


@pytest.mark.parametrize(
    ("name", "interface"),
    [
        ("broken-signature", Interface.CONTACT),
        ("broken-dynamic", Interface.CONTACTLESS),
        ("foreign-authority", Interface.CONTACT),
    ],
)
def test_it_sees_what_is_broken(name: str, interface: Interface, state: Path) -> None:
    with pytest.raises(AuthenticationFailed):
        try_card(state, name, interface)


def test_one_row_for_each_thing_and_the_cards_that_fail_it() -> None:
    found = Findings()

    def broken() -> str:
        raise LabTrouble("no answer\nand much more")

    found.note("read", "one", lambda: "")
    found.note("read", "two", lambda: "other number")
    found.note("read", "three", broken)
    found.note("list", "one", lambda: "")
    assert found.has_tried("list")
    first, second = found.rows()
    assert (first.asked, first.measured, first.ok) == (
        "3 cards", "1 as they are; two: other number; three: no answer", False,
    )  # fmt: skip
    assert second.ok


ATR = "3b:80:80:01:01\n"
SELECTED = """Sending: 00 A4 04 00
Received (SW1=0x90, SW2=0x00):
6F 2A 84 0E 32 50 41 59 2E 53 59 53 2E 44 44 46 o*..2PAY.SYS.DDF
30 31 A5 18 BF 0C 15 61 13 4F 07 A0 00 00 00 03 01.....a.O......
10 10                                           ..
"""


@pytest.mark.parametrize(
    ("aid", "answers", "wrong"),
    [
        ("A0000000031010", [ATR, SELECTED], ""),
        ("A0000000041010", [ATR, SELECTED], "no A0000000041010"),
        ("A0000000031010", ["3b:00\n", SELECTED], "another answer to reset"),
        ("A0000000031010", [ATR, "Received (SW1=0x6A, SW2=0x82)\n"], "a command is refused"),
    ],
)
def test_what_opensc_tool_says(
    aid: str, answers: list[str], wrong: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said = iter(answers)
    monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 0, next(said), ""))
    assert Foreign(tmp_path, tmp_path).opensc_contactless([(aid, "LABEL")]) == wrong


def test_a_program_that_fails_is_named_and_its_words_are_not(tmp_path: Path) -> None:
    with pytest.raises(LabTrouble, match=r"… 1 ended with 1$"):
        Foreign(tmp_path, tmp_path).emvtool("appdata", "1")
