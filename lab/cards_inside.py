"""Inside a network and a /run of its own: pcscd, each card in its virtual reader, and what foreign programs make of it.

``python -m lab.cards_inside EMV FOLDER ROWS``, as root of these namespaces; see `lab.cards`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from lab.cards_authentication import authenticate
from lab.cards_programs import Foreign, application_names
from lab.part import LabTrouble, Row
from rig.bearers.interface import set_up
from rig.bench.description import load_bench
from rig.bench.places import StateDirectory
from rig.cards.pcsc import PcscReader
from rig.cards.profile import CardProfile, Interface, load_cards
from rig.cards.reading import compare, identify_card
from rig.history import Redactor
from rig.wire.oda import AuthenticationFailed, AuthorityKey, parse_authorities

BENCH = Path("fixtures/benches/virtual.yaml")
CARDS = Path("fixtures/cards")
READER = "127.0.0.1:35963"
OURS = "our checks, over PC/SC"
_STOP_S, _SEEN_S = 10, 20
_WORDS = 100


class Findings:
    """What was tried with each card, by the row that it counts for."""

    def __init__(self) -> None:
        self._tried: dict[str, int] = {}
        self._wrong: dict[str, list[str]] = {}

    def note(self, what: str, card: str, look: Callable[[], str]) -> None:
        """One more card for this row; `look` returns what is wrong with it, nothing where all is well."""
        self._tried[what] = self._tried.get(what, 0) + 1
        try:
            why = look()
        except LabTrouble as trouble:
            why = str(trouble).splitlines()[0][:_WORDS]
        if why:
            self._wrong.setdefault(what, []).append(f"{card}: {why}")

    def has_tried(self, what: str) -> bool:
        """Whether this row has a card already."""
        return what in self._tried

    def rows(self) -> list[Row]:
        """One row for each thing that was tried."""
        return [self._row(what, tried, self._wrong.get(what, [])) for what, tried in self._tried.items()]

    def _row(self, what: str, tried: int, wrong: list[str]) -> Row:
        measured = f"{tried - len(wrong)} as they are" + "".join(f"; {each}" for each in wrong)
        return Row("cards", what, f"{tried} card" + "s" * (tried != 1), measured, "all", not wrong)


def main(emv: Path, folder: Path, rows: Path) -> None:
    """Try everything and write the rows.

    Raises:
        LabTrouble: pcscd does not run, or a card cannot be served.
    """
    set_up("lo", True)
    subprocess.run(["mount", "-t", "tmpfs", "none", "/run"], check=True)
    Path("/run/pcscd").mkdir()
    foreign, found = Foreign(emv, folder), Findings()
    authorities = parse_authorities(_rig("ca", "--format", "json"))
    cards = load_cards(CARDS).values()
    with pcscd():
        for card in cards:
            if Interface.CONTACT in card.interfaces:
                with served(card):
                    contact(card, foreign, found, authorities)
            if Interface.CONTACTLESS in card.interfaces:
                with served(card, "--contactless"):
                    contactless(card, foreign, found, authorities)
    rows.write_text(json.dumps([row.to_dict() for row in found.rows()]))


def contact(card: CardProfile, foreign: Foreign, found: Findings, authorities: tuple[AuthorityKey, ...]) -> None:
    """One card in the slot: what emv, opensc-tool, scriptor and our own reader say of it."""
    names = application_names(card)
    for what, look in {
        "emv: applications, and number, track 2, sequence of their records": lambda: foreign.read_all(card),
        "emvtool listapps": lambda: _lacks(foreign.emvtool("listapps"), [label for _, label in names]),
        "emvtool appdata 0": lambda: _lacks(foreign.emvtool("appdata", "0"), [f"{card.expiry[:2]}/{card.expiry[2:]}/"]),
        "opensc-tool: answer to reset, PSE and its record": lambda: foreign.opensc_contact(names),
        "scriptor: SELECT of each application, GET CHALLENGE": lambda: foreign.scriptor(names),
    }.items():
        found.note(what, card.name, look)
    _read_ourselves(card, found, authorities)


def contactless(card: CardProfile, foreign: Foreign, found: Findings, authorities: tuple[AuthorityKey, ...]) -> None:
    """The same card as a reader shows a contactless one: the PPSE dialogue."""
    names = application_names(card)
    found.note("opensc-tool: contactless answer to reset, PPSE", card.name, lambda: foreign.opensc_contactless(names))
    _read_ourselves(card, found, authorities)


def _lacks(told: str, wanted: list[str]) -> str:
    missing = [each for each in wanted if each not in told]
    return f"no {', '.join(missing)}" if missing else ""


def _read_ourselves(card: CardProfile, found: Findings, authorities: tuple[AuthorityKey, ...]) -> None:
    """What the rig's own reader finds through PC/SC, and offline data authentication with the published keys alone."""
    if not found.has_tried(command := "rig card read --pcsc --expect"):
        told = json.loads(_rig("read", "--pcsc", "", "--expect", card.name, "--json"))
        found.note(command, card.name, partial("; ".join, told["differences"]))
    reader = PcscReader.open()
    try:
        redactor = Redactor.load(StateDirectory.of(load_bench(BENCH).name).redaction)
        differences = compare(identify_card(reader, redactor), card, redactor)
        found.note(f"{reader.interface}: our reader knows the card", card.name, partial("; ".join, differences))
        for application in card.applications:
            _authenticate(card, application.aid, reader, found, authorities)
    finally:
        reader.close()


def _authenticate(
    card: CardProfile, aid: str, reader: PcscReader, found: Findings, authorities: tuple[AuthorityKey, ...]
) -> None:
    try:
        how, why = authenticate(reader, aid, authorities, card.pan), ""
    except AuthenticationFailed as error:
        how, why = "", str(error)
    if card.behaviour.signature != "sound":
        caught = "" if why else f"{how or 'nothing'} is taken for sound"
        found.note(f"{reader.interface}: a broken signature is seen ({OURS})", card.name, partial(str, caught))
    elif how or why:
        found.note(f"{reader.interface}: authenticates with a published key ({OURS})", card.name, partial(str, why))


@contextmanager
def pcscd() -> Iterator[None]:
    """The daemon, from its being ready to its end."""
    command = ["pcscd", "--foreground", "--info"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as daemon:
        assert daemon.stdout
        for line in daemon.stdout:
            if "daemon ready" in line:
                break
        else:
            raise LabTrouble(f"pcscd ended with {daemon.wait()}")
        drain = subprocess.Popen(["cat"], stdin=daemon.stdout, stdout=subprocess.DEVNULL)
        try:
            yield
        finally:
            daemon.terminate()
            daemon.wait(_STOP_S)
            drain.wait(_STOP_S)


@contextmanager
def served(card: CardProfile, *options: str) -> Iterator[None]:
    """The card in the reader, by `rig card serve`, which must end well when it is told to."""
    command = [*_RIG, "serve", card.name, "--vpcd", READER, *options, "--bench", str(BENCH)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        first = process.stdout.readline()
        if "is in the slot" not in first:
            raise LabTrouble(f"{card.name} could not be served: {first or process.wait()}")
        import_module("smartcard.CardRequest").CardRequest(timeout=_SEEN_S).waitforcard()
        drain = subprocess.Popen(["cat"], stdin=process.stdout, stdout=subprocess.DEVNULL)
        try:
            yield
        finally:
            process.terminate()
            code = process.wait(_STOP_S)
            drain.wait(_STOP_S)
    if code:
        raise LabTrouble(f"rig card serve {card.name} ended with {code}")


_RIG = (sys.executable, "-c", "from rig.cli import main; main()", "card")


def _rig(*words: str) -> str:
    done = subprocess.run([*_RIG, *words, "--bench", str(BENCH)], capture_output=True, text=True, check=False)
    if not done.stdout:
        raise LabTrouble(f"rig card {' '.join(words)}: {done.stderr.strip()[-500:]}")
    return done.stdout


if __name__ == "__main__":
    arguments: list[Any] = [Path(each) for each in sys.argv[1:4]]
    main(*arguments)
