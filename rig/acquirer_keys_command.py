"""``rig acquirer keys``: the keys that terminals share with the host, by components or key blocks; never shown."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console

from rig.errors import CallerMistake

if TYPE_CHECKING:
    from rig.acquirer.terminal_keys import TerminalKeyStore

app = typer.Typer(no_args_is_help=True, help="Keys that terminals share with the host; only check values are shown.")

StateOption = Annotated[Path | None, typer.Option("--state", metavar="FOLDER", help="the host's state directory")]
Terminal = Annotated[str, typer.Argument(metavar="TID", help="the terminal's id (DE41)")]
Name = Annotated[Literal["master", "mac", "pin", "bdk"], typer.Argument(help="which key")]
Kind = Annotated[Literal["tdes", "aes"], typer.Option("--kind", help="what the key is for")]

_USAGES = {"master": ("K0", "D"), "mac": ("M3", "C"), "pin": ("P0", "D"), "bdk": ("B0", "X")}
"""Key usage and mode of use in a key block (ANSI X9.143)."""


@app.command("import-components")
def import_components(
    tid: Terminal,
    name: Name,
    components: Annotated[list[str], typer.Argument(metavar="HEX:KCV…", help="each with its check value")],
    check: Annotated[str, typer.Option("--check", metavar="KCV", help="the check value of the whole key")],
    kind: Kind = "tdes",
    state: StateOption = None,
) -> None:
    """Put a key together from its components."""
    from rig.wire.errors import WireError
    from rig.wire.keys.components import combine

    parts = [_component(number, each) for number, each in enumerate(components, 1)]
    try:
        key = combine(parts, _hex("--check", check), kind)
    except WireError as error:
        raise CallerMistake(f"{name} of {tid}", str(error), "compare with the key letters") from None
    _keep(tid, name, key, kind, state)


@app.command("import-block")
def import_block(
    tid: Terminal,
    name: Name,
    block: Annotated[str, typer.Argument(metavar="BLOCK", help="a key block of TR-31")],
    protection: Annotated[str, typer.Option("--under", metavar="HEX", help="the key that it is under")],
    state: StateOption = None,
) -> None:
    """Take a key out of a key block."""
    from rig.wire.errors import WireError
    from rig.wire.keys.key_block import KeyBlock

    try:
        found = KeyBlock.unwrap(_hex("--under", protection), block)
    except WireError as error:
        raise CallerMistake(f"{name} of {tid}", str(error), "is it the whole block, and under this key?") from None
    _keep(tid, name, found.key, "aes" if found.algorithm == "A" else "tdes", state)


@app.command("export-block")
def export_block(
    tid: Terminal,
    name: Name,
    protection: Annotated[str, typer.Option("--under", metavar="HEX", help="the key to put it under")],
    version: Annotated[Literal["A", "B", "C", "D"], typer.Option("--version", help="of the block; D is AES")] = "D",
    state: StateOption = None,
) -> None:
    """Write a key as a key block, for another host or a terminal's injection."""
    from rig.wire.errors import WireError
    from rig.wire.keys.key_block import KeyBlock

    keys = _store(state).of(tid)
    key: bytes | None = getattr(keys, name)
    if key is None:
        raise CallerMistake(f"{name} of {tid}", "there is no such key", "see rig acquirer keys show")
    usage, mode = _USAGES[name]
    algorithm = "A" if name == "bdk" and keys.scheme == "aes" else "T"
    try:
        typer.echo(KeyBlock(key, usage, algorithm, mode, version).wrap(_hex("--under", protection)))
    except WireError as error:
        raise CallerMistake("--under", str(error), "16, 24 or 32 bytes for D, 16 or 24 else") from None


@app.command()
def show(
    state: StateOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of text, for programs")] = False,
) -> None:
    """List whose keys there are, by their check values."""
    from rig.acquirer.terminal_keys import KEY_NAMES, kind_of
    from rig.wire.keys.components import check_value

    told: dict[str, dict[str, str]] = {}
    for tid, keys in _store(state).all().items():
        found = {name: key for name in KEY_NAMES if (key := getattr(keys, name)) is not None}
        told[tid] = {name: check_value(key, kind_of(name, keys)).hex().upper() for name, key in found.items()}
    if as_json:
        typer.echo(json.dumps(told))
        return
    for tid, values in told.items():
        Console().print(f"{tid}  " + ", ".join(f"{name} {value}" for name, value in values.items()), highlight=False)


def _keep(tid: str, name: str, key: bytes, kind: Literal["tdes", "aes"], state: Path | None) -> None:
    from rig.acquirer.terminal_keys import LENGTHS, kind_of
    from rig.wire.keys.components import check_value

    lengths = (16,) if name == "bdk" and kind == "tdes" else LENGTHS[name]
    if len(key) not in lengths:
        wanted = " or ".join(str(length) for length in lengths)
        raise CallerMistake(f"{name} of {tid}", f"has {len(key)} bytes", f"{wanted}; with --kind aes for AES")
    changes: dict[str, object] = {name: key} | ({"scheme": kind} if name == "bdk" else {})
    keys = _store(state).update(tid, lambda old: replace(old, **changes))  # type: ignore[arg-type]
    typer.echo(f"{name} of {tid}: check value {check_value(key, kind_of(name, keys)).hex().upper()}")


def _component(number: int, told: str) -> tuple[bytes, bytes]:
    key, colon, value = told.partition(":")
    if not colon:
        raise CallerMistake(f"component {number}", "has no check value", "write HEX:KCV")
    return _hex(f"component {number}", key), _hex(f"component {number}", value)


def _hex(what: str, told: str) -> bytes:
    try:
        return bytes.fromhex(told)
    except ValueError:
        raise CallerMistake(what, "is no hexadecimal", "write digits and A to F") from None


def _store(state: Path | None) -> TerminalKeyStore:
    from rig.acquirer.standalone import default_state
    from rig.acquirer.terminal_keys import FILE, TerminalKeyStore

    place = state or default_state()
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    return TerminalKeyStore(place / FILE)
