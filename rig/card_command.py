"""``rig card``: which cards there are, what is on one, serving and reading one, and their authorities' keys."""

from __future__ import annotations

import datetime
import json
import signal
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from rig.errors import CallerMistake

if TYPE_CHECKING:
    from rig.cards.profile import CardProfile
    from rig.cards.reading import Identification, Reader
    from rig.cards.shown import Shown
    from rig.history import Redactor

app = typer.Typer(no_args_is_help=True, help="Test cards: what is on them, serving them to PC/SC, reading them.")

BenchOption = Annotated[Path, typer.Option("--bench", "-b", metavar="FILE", help="the bench file")]
JsonOption = Annotated[bool, typer.Option("--json", help="one JSON object instead of text, for programs")]
CardArgument = Annotated[str, typer.Argument(metavar="CARD", help="a card's name, or the path of its file")]
_BENCH = Path("fixtures/benches/virtual.yaml")


@dataclass(frozen=True)
class _Desk:
    """A bench's cards: their folder, the state directory with their keys, and what masks their numbers."""

    bench: str
    state: Path
    lock: Path
    cards: Path
    redactor: Redactor

    @classmethod
    def of(cls, bench: Path) -> _Desk:
        """Raises CallerMistake for a bad bench file or state directory."""
        from rig.bench.description import load_bench
        from rig.bench.places import StateDirectory
        from rig.bench.plan import cards_folder
        from rig.bench.state import prepare_state

        described = load_bench(bench)
        state = StateDirectory.of(described.name)
        cards = cards_folder(bench, described)
        return cls(described.name, state.root, state.lock, cards, prepare_state(described, state, cards))

    def card(self, name: str) -> CardProfile:
        """Raises CallerMistake for an unknown card, naming those that there are, and for one that is no test card."""
        from rig.cards.profile import load_card

        return load_card(name, self.cards, self.redactor.allows)


@app.command("list")
def list_cards(bench: BenchOption = _BENCH, as_json: JsonOption = False) -> None:
    """Say which cards the bench has."""
    from rig.cards.profile import Interface, load_cards

    desk = _Desk.of(bench)
    told = [_summary(card, desk.redactor) for card in load_cards(desk.cards, desk.redactor.allows).values()]
    if as_json:
        typer.echo(json.dumps(told))
        return
    table = Table(box=None, pad_edge=False)
    for head in ("name", "number", "kind", "special"):
        table.add_column(head, no_wrap=head in ("name", "number"), overflow="fold")
    for each in told:
        some = [] if len(each["interfaces"]) == len(Interface) else [f"{' and '.join(each['interfaces'])} only"]
        kind = f"{', '.join(each['schemes'])} {each['kind']}"
        table.add_row(each["name"], each["number"], kind, escape(", ".join([*some, *each["special"]])))
    Console().print(table)


def _summary(card: CardProfile, redactor: Redactor) -> dict[str, Any]:
    return {
        "name": card.name,
        "schemes": list(dict.fromkeys(each.scheme for each in card.applications)),
        "kind": card.kind,
        "number": redactor.mask(card.pan),
        "interfaces": [str(each) for each in card.interfaces],
        "bank": card.bank,
        "special": _special(card),
    }


def _special(card: CardProfile) -> list[str]:
    """In what the card differs from the plainest one."""
    now = datetime.date.today().strftime("%y%m")
    special: list[str] = [card.device] if card.device != "card" else []
    special += [f"token of {card.funding}"] if card.funding else []
    special += [f"{len(card.applications)} applications"] if len(card.applications) > 1 else []
    special += sorted({each.authentication.upper() for each in card.applications} - {"NONE"})
    for each in card.applications:
        special += ["no CVM list"] if each.cvm is None else [] if each.cvm else ["empty CVM list"]
        special += ["no usage allowed"] if each.usage_control == "0000" else []
        special += [f"offline up to {each.offline_limit}"] if each.offline_limit is not None else []
    special += [f"expired {card.expiry}"] if card.expiry < now else []
    special += [f"valid from {card.effective}"] if card.effective > now else []
    special += [f"issuer answers {card.account.decline}"] if card.account.decline else []
    told = card.behaviour.model_dump(exclude_defaults=True)
    return special + [f"{name.replace('_', ' ')} {value}" for name, value in told.items()]


@app.command()
def show(card: CardArgument, bench: BenchOption = _BENCH, as_json: JsonOption = False) -> None:
    """Say what is on a card, read as a terminal reads it, its number masked. Nothing is counted."""
    from rig.cards.shown import show as show_card

    desk = _Desk.of(bench)
    profile = desk.card(card)
    shown = show_card(profile, desk.state, desk.redactor)
    if as_json:
        summary = _summary(profile, desk.redactor)
        typer.echo(json.dumps({**summary, "shown": [each.to_dict() for each in shown]}))
        return
    console = Console(highlight=False)
    for each in shown:
        _tell(console, each)
    if not shown:
        console.print("this card has no chip application")


def _tell(console: Console, shown: Shown) -> None:
    from rig.cards.decoded import lines

    listed = shown.application
    console.print(f"\n[bold]{escape(listed.label)}[/bold] {listed.aid}, {shown.interface}")
    for answer in shown.answers:
        console.print(f"  {answer.command}")
        for depth, each in lines(answer.objects):
            value = f"{each.value}  {each.meaning}".rstrip()
            what = f"{'  ' * (depth + 2)}{each.tag} {escape(each.name)}"
            console.print(f"{what}  [dim]{escape(value)}[/dim]" if value else what, soft_wrap=True)


@app.command()
def serve(
    card: CardArgument,
    vpcd: Annotated[str, typer.Option("--vpcd", metavar="HOST:PORT", help="a vpcd server, or a Unix socket's path")],
    contactless: Annotated[bool, typer.Option("--contactless", help="as a reader shows a contactless card")] = False,
    bench: BenchOption = _BENCH,
) -> None:
    """Serve a card to whatever reads through a vpcd server, until Ctrl-C; prints each command.

    With Debian's vsmartcard-vpcd and pcscd the server is 127.0.0.1:35963, and every PC/SC program sees the card.
    """
    from rig.bench.lease import Lease
    from rig.cards.bureau import CardBureau
    from rig.cards.profile import Interface
    from rig.cards.vpcd import VpcdPresenter

    desk = _Desk.of(bench)
    profile = desk.card(card)
    interface = Interface.CONTACTLESS if contactless else Interface.CONTACT
    if interface not in profile.interfaces:
        raise CallerMistake(profile.name, f"it has no {interface} interface", f"it has {', '.join(profile.interfaces)}")

    def tell(kind: str, data: Mapping[str, Any]) -> None:
        if kind == "card_apdu":
            status = data["response"][-2:].hex().upper() or "no answer"
            typer.echo(f"{data['name']}: {len(data['response'])} bytes, {status}")
        elif kind == "card_armed":
            typer.echo(f"{data['card']} {data['masked']} is in the slot {vpcd}, {interface}")

    bureau = CardBureau(desk.state, desk.redactor)
    presenter = VpcdPresenter(vpcd, bureau, tell, lambda *_: None, interface=interface)
    lease = Lease.acquire(desk.lock, desk.bench, f"rig card serve {profile.name}")  # the card counts for one alone
    try:
        with _until_told(), closing(presenter):
            presenter.arm(profile)
            presenter.wait()
    finally:
        lease.release()
    typer.echo("the card is out")


class _Enough(BaseException):
    """A signal ends the service."""


@contextmanager
def _until_told() -> Iterator[None]:
    """Ctrl-C and SIGTERM end what is inside, and nothing else."""

    def end(*_: object) -> None:
        raise _Enough

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with suppress(_Enough):
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@app.command()
def read(
    port: Annotated[Path | None, typer.Option("--port", metavar="PORT", help="a PN532's serial port")] = None,
    pcsc: Annotated[str | None, typer.Option("--pcsc", metavar="NAME", help="part of a PC/SC reader's name")] = None,
    expect: Annotated[str | None, typer.Option("--expect", metavar="CARD", help="compare it with this card")] = None,
    bench: BenchOption = _BENCH,
    as_json: JsonOption = False,
) -> None:
    """Say which card lies on a reader, its number masked, and whether it is the one that is expected.

    Exit codes: 0 it is, or none was expected; 1 it is another; 2 it could not be read.

    A contactless Visa or UnionPay card tells its number with a cryptogram: reading counts it up by one.
    """
    from rig.cards.reading import compare, identify_card

    if (port is None) == (pcsc is None):
        raise CallerMistake("rig card read", "it needs one reader", "give --port or --pcsc")
    desk = _Desk.of(bench)
    profile = desk.card(expect) if expect else None
    with _card_on(port, pcsc) as reader:
        found = identify_card(reader, desk.redactor)
    differences = compare(found, profile, desk.redactor) if profile else []
    if as_json:
        typer.echo(json.dumps({**found.to_dict(), "expected": expect, "differences": differences}))
    else:
        _tell_found(found)
        for each in differences:
            typer.echo(f"differs: {each}")
    raise typer.Exit(1 if differences else 0)


@contextmanager
def _card_on(port: Path | None, pcsc: str | None) -> Iterator[Reader]:
    """The card that is there. Raises BenchTrouble when there is none, or no reader."""
    if port is None:
        from rig.cards.pcsc import PcscReader

        with closing(PcscReader.open(pcsc or "")) as card:
            yield card
        return
    from rig.cards.pn532_reader import Pn532CardReader

    with closing(Pn532CardReader(port)) as reader, reader.card() as lying:
        yield lying


def _tell_found(found: Identification) -> None:
    for name, value in found.to_dict().items():
        if name == "applications":
            value = ", ".join(f"{each.aid} {each.label}".strip() for each in found.applications) or "none"
        if value is not None:
            typer.echo(f"{name.replace('_', ' ')}: {value}")


@app.command()
def ca(
    form: Annotated[Literal["json", "text"], typer.Option("--format", help="for programs, or for people")] = "text",
    bench: BenchOption = _BENCH,
) -> None:
    """Export the public keys of the bench's card authorities, for a terminal's test profile.

    With them a terminal can authenticate the bench's cards offline. The schemes' own test keys are not public.
    """
    from rig.cards.emv.authority import published

    authorities = published(_Desk.of(bench).state)
    if form == "json":
        typer.echo(json.dumps({"authorities": authorities}, indent=1))
        return
    for each in authorities:
        typer.echo("\n".join(f"{name}: {value}" for name, value in each.items()) + "\n")
