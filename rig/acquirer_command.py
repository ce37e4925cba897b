"""``rig acquirer``: the host alone, its dialects, its ledger as CSV, its faults."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from rig import acquirer_keys_command
from rig.errors import CallerMistake

if TYPE_CHECKING:
    from rig.history import Event

app = typer.Typer(no_args_is_help=True, help="The acquirer's host, by itself: for anyone who writes a terminal.")

JsonOption = Annotated[bool, typer.Option("--json", help="JSON instead of text, for programs")]
StateOption = Annotated[
    Path | None, typer.Option("--state", metavar="FOLDER", help="certificates, keys and ledger; made if absent")
]
app.add_typer(acquirer_keys_command.app, name="keys")

_QUIET = ("started", "ended", "session_keys_given")


@app.command()
def serve(
    dialect: Annotated[str, typer.Option("--dialect", "-d", help="how terminals write: `rig acquirer dialects`")],
    listen: Annotated[str, typer.Option("--listen", "-l", metavar="ADDR:PORT")] = "127.0.0.1:5000",
    tls: Annotated[bool, typer.Option("--tls/--plain", help="TLS under its own authority, or plain TCP")] = True,
    rules: Annotated[
        Path | None, typer.Option("--rules", metavar="FILE", help="card network and issuers: docs/issuers.md")
    ] = None,
    ledger: Annotated[Path | None, typer.Option("--ledger", metavar="FILE", help="the ledger's SQLite file")] = None,
    cards: Annotated[Path, typer.Option("--cards", metavar="FOLDER", help="the cards that it knows")] = Path(
        "fixtures/cards"
    ),
    terminal: Annotated[
        list[str] | None, typer.Option("--terminal", metavar="TID=MERCHANT", help="serve these alone; else every one")
    ] = None,
    currency: Annotated[str, typer.Option("--currency")] = "EUR",
    front: Annotated[str, typer.Option("--front", help="its TLS front, sound or hostile: docs/fronts.md")] = "good",
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Serve until Ctrl-C, and say what happens.

    Faults are armed from another window: `rig acquirer arm '{"action": "silent"}'`.
    """
    from rig.acquirer.authority import export_ca
    from rig.acquirer.serve import Served
    from rig.acquirer.standalone import Settings, default_state, run

    address, port = _address(listen)
    place = state or default_state()
    settings = Settings(
        place, cards, (address,), port, dialect, tls, currency, _terminals(terminal), rules, ledger, front
    )
    console = Console(highlight=False)

    def told(event: Event) -> None:
        if as_json:
            typer.echo(json.dumps({"t": event.t, "wall": event.wall, "kind": event.kind, **event.data}))
        elif event.kind not in _QUIET:
            console.print(_line(event), soft_wrap=True)

    def ready(served: Served) -> None:
        where = {"address": address, "port": served.port, "dialect": dialect, "state": str(place)}
        if tls:
            export_ca(place)
            where |= {"ca": str(place / "pki/ca.pem"), "fingerprint": served.fingerprint or ""}
        if as_json:
            typer.echo(json.dumps({"kind": "ready", **where}))
        else:
            trust = f"; terminals trust {where['ca']}" if tls else ", without TLS"
            console.print(f"[bold]{dialect}[/] on {address} port {served.port}{escape(trust)}", soft_wrap=True)

    run(settings, told, ready)


@app.command("client-certificate")
def client_certificate(
    name: Annotated[str, typer.Argument(metavar="NAME", help="whose, such as the terminal's id")],
    state: StateOption = None,
) -> None:
    """Make a certificate with its key for a terminal that must show one (front mutual); say where it is."""
    from rig.acquirer.authority import client_certificate as make
    from rig.acquirer.standalone import default_state

    if not name.replace("-", "").isalnum():
        raise CallerMistake("NAME", f"{name!r} is no name for a file", "letters, digits and hyphens")
    typer.echo(str(make(state or default_state(), name)))


@app.command()
def dialects(as_json: JsonOption = False) -> None:
    """List the dialects that are installed, and what each is made of."""
    from rig.wire.iso8583.registry import dialect_names, find_dialect

    found: dict[str, dict[str, Any]] = {}
    for name in dialect_names():
        each = find_dialect(name)
        found[name] = {
            "tpdu": each.framing.tpdu, "header": each.header.hex().upper(), "mac": each.mac,
            "packed": each.spec["t"]["data_enc"] == "b", "original": each.usage.original,
        }  # fmt: skip
    if as_json:
        typer.echo(json.dumps(found))
        return
    for name, parts in found.items():
        told = ["packed digits" if parts["packed"] else "text", "TPDU" if parts["tpdu"] else "no TPDU"]
        told += ["header of 6 bytes"] if parts["header"] else []
        told += [f"MAC {parts['mac']}"] if parts["mac"] else []
        Console().print(f"{name:20} {', '.join(told)}; original in DE{parts['original']}", highlight=False)


@app.command()
def arm(
    rule: Annotated[str, typer.Argument(metavar="RULE", help='JSON, such as {"action": "late", "ms": 1500}')],
    state: StateOption = None,
) -> None:
    """Arm a fault of a host that serves now (rig.acquirer.faults lists them)."""
    try:
        told = json.loads(rule)
    except ValueError as error:
        raise CallerMistake("rule", f"no JSON: {error}", 'write {"action": "silent"}') from None
    if not isinstance(told, dict):
        raise CallerMistake("rule", "is no object", 'write {"action": "silent"}')
    typer.echo(f"armed as rule {_client(state).arm(told)}")


@app.command("end-of-day")
def end_of_day(state: StateOption = None) -> None:
    """Close every open batch of a host that serves now, and begin the next business day."""
    closed = _client(state).end_of_day()
    typer.echo(f"{len(closed)} batches closed" + "".join(f"\n{tid} batch {batch}" for tid, batch in closed))


@app.command()
def export(
    ledger: Annotated[Path, typer.Argument(metavar="LEDGER", help="a ledger's SQLite file")],
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="CSV", help="write it there")] = None,
) -> None:
    """Write a ledger as CSV. A host that has it open goes on."""
    from rig.acquirer.opening import read_rows
    from rig.acquirer.portal import export as to_csv

    _give(to_csv(read_rows(ledger)), output)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="CSV", help="what an acquirer's portal exported")],
    columns: Annotated[Path | None, typer.Option("--columns", metavar="FILE", help="how: see docs/ledger.md")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="CSV", help="write it there")] = None,
) -> None:
    """Read a portal's export and write it as `rig acquirer export` does; `rig judge --ledger` judges by it."""
    from rig.acquirer import portal

    _give(portal.write(portal.read(file, portal.PortalFormat.load(columns) if columns else portal.OURS)), output)


def _give(text: str, output: Path | None) -> None:
    if output is None:
        typer.echo(text, nl=False)
    else:
        output.write_text(text)
        Console(stderr=True).print(f"written to {output}")


def _client(state: Path | None) -> Any:
    from rig.acquirer.client import AcquirerClient
    from rig.acquirer.serve import SOCKET
    from rig.acquirer.standalone import default_state

    return AcquirerClient((state or default_state()) / SOCKET)


def _address(told: str) -> tuple[str, int]:
    address, _, port = told.rpartition(":")
    if not address or not port.isdigit() or int(port) > 65535:
        raise CallerMistake("--listen", f"{told!r} is no address and port", "write 127.0.0.1:5000")
    return address.strip("[]"), int(port)


def _terminals(told: list[str] | None) -> dict[str, str] | None:
    if told is None:
        return None
    pairs = [each.partition("=") for each in told]
    if wrong := [tid for tid, sign, merchant in pairs if not (tid and sign and merchant)]:
        raise CallerMistake("--terminal", f"{wrong[0]!r} names no merchant", "write 52000001=POSRIG000000001")
    return {tid: merchant for tid, _, merchant in pairs}


def _line(event: Event) -> str:
    data = event.data
    time = event.wall[11:23]
    what = event.kind.replace("_", " ")
    told = [
        str(data[name]) for name in ("key", "flow", "mti", "amount", "masked", "rc", "action", "why") if data.get(name)
    ]
    colour = {"answer_sent": "green", "request_refused": "yellow", "tls_failed": "yellow", "bench_fault": "red"}
    return f"[dim]{time}[/] [{colour.get(event.kind, 'cyan')}]{what}[/] {escape(' '.join(told))}"
