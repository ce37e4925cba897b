"""``rig timeline``: what timelines there are, what is in one, and making one of a field trace."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from rig.errors import CallerMistake

if TYPE_CHECKING:
    from rig.bearers.timeline import Timeline

app = typer.Typer(no_args_is_help=True, help="Timelines: networks that change while a sale is under way.")

JsonOption = Annotated[bool, typer.Option("--json", help="one JSON object instead of text, for programs")]
FolderOption = Annotated[Path | None, typer.Option("--folder", metavar="FOLDER", help="where timelines are kept")]
Milliseconds = float | None

_FOR = {
    "mahimahi": ("step_ms", "outage_ms", "begin_ms", "end_ms", "delay_ms", "up"),
    "csv": (
        "step_ms", "outage_ms", "begin_ms", "end_ms", "mapping", "sort", "up_share", "baseline_rtt_ms",
        "longest_gap_ms", "mean_burst", "reference_dbm",
    ),
}  # fmt: skip
"""Which settings a format has."""


@app.command("list")
def list_timelines(folder: FolderOption = None, as_json: JsonOption = False) -> None:
    """Say which timelines there are."""
    from rig.bearers.timeline import FOLDER, load_timeline, timeline_names

    found = [load_timeline(name, folder or FOLDER) for name in timeline_names(folder or FOLDER)]
    if as_json:
        typer.echo(json.dumps([each.to_dict() for each in found]))
        return
    table = Table(box=None, pad_edge=False)
    for head in ("name", "steps", "seconds", "what"):
        table.add_column(head, justify="right" if head in ("steps", "seconds") else "left")
    for each in found:
        loop = ", again and again" if each.loop else ""
        table.add_row(each.name, str(len(each.steps)), f"{each.duration_ms / 1000:g}", escape(each.title + loop))
    Console().print(table)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="a timeline's name, or the path of its file")],
    folder: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what is in a timeline, step by step, ramps filled."""
    from rig.bearers.timeline import FOLDER, load_timeline

    timeline = load_timeline(name, folder or FOLDER)
    if as_json:
        typer.echo(json.dumps({**timeline.to_dict(), "steps": _steps(timeline)}))
        return
    console = Console()
    _tell(console, timeline)
    table = Table(box=None, pad_edge=False)
    for head in ("from s", "up", "down", "dBm", "note"):
        table.add_column(head, justify="right" if head in ("from s", "dBm") else "left")
    for step in timeline.steps:
        signal = "" if step.rssi_dbm is None else f"{step.rssi_dbm:g}"
        table.add_row(f"{step.at_ms / 1000:.3f}", str(step.up), str(step.down), signal, escape(step.note))
    console.print(table)


@app.command("import")
def import_trace(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="the trace or log")],
    kind: Annotated[Literal["mahimahi", "csv"], typer.Option("--format", help="what it is")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="write it there, *.yaml")
    ] = None,
    up: Annotated[Path | None, typer.Option(metavar="FILE", help="mahimahi: the trace of the way up")] = None,
    mapping: Annotated[
        list[str] | None, typer.Option("--map", metavar="THEIRS=OURS", help="csv: a column's name, such as PING=rtt_ms")
    ] = None,
    sort: Annotated[bool, typer.Option("--sort", help="csv: put rows in the order of time")] = False,
    step_ms: Annotated[Milliseconds, typer.Option(help="no step is shorter; 100")] = None,
    outage_ms: Annotated[Milliseconds, typer.Option(help="silence at least so long is a cut")] = None,
    longest_gap_ms: Annotated[Milliseconds, typer.Option(help="csv: rows further apart are a hole; 5000")] = None,
    delay_ms: Annotated[Milliseconds, typer.Option(help="mahimahi: one-way delay")] = None,
    up_share: Annotated[float | None, typer.Option(help="csv: the way up's share of the round trip; 0.5")] = None,
    baseline_rtt_ms: Annotated[Milliseconds, typer.Option(help="csv: the bench's own round trip, taken away")] = None,
    mean_burst: Annotated[float | None, typer.Option(help="csv: packets lost in a row; 1")] = None,
    reference_dbm: Annotated[
        float | None, typer.Option(help="csv: the signal without attenuation; makes the log's an attenuator's target")
    ] = None,
    begin_s: Annotated[float | None, typer.Option(help="take the trace from here on")] = None,
    end_s: Annotated[float | None, typer.Option(help="up to here")] = None,
    force: Annotated[bool, typer.Option("--force", help="write over a file that is there")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a timeline of a trace from the field, and say what had to be assumed.

    `mahimahi`: each line is a millisecond at which one packet of 1,500 bytes may pass.

    `csv`: columns `time_s`, `time_ms` or `time_iso`; `rtt_ms`, `jitter_ms`, `loss_percent`, `up_kbit`, `down_kbit`,
    `rssi_dbm`; others are named by `--map`.
    """
    from rig.bearers.timeline import write_timeline

    said: dict[str, Any] = {
        "up": up, "mapping": _mapping(mapping), "sort": sort or None, "step_ms": step_ms, "outage_ms": outage_ms,
        "longest_gap_ms": longest_gap_ms, "delay_ms": delay_ms, "up_share": up_share,
        "baseline_rtt_ms": baseline_rtt_ms, "mean_burst": mean_burst, "reference_dbm": reference_dbm,
        "begin_ms": begin_s and begin_s * 1000, "end_ms": end_s and end_s * 1000,
    }  # fmt: skip
    settings = {name: value for name, value in said.items() if value is not None}
    if other := [name for name in settings if name not in _FOR[kind]]:
        option = "map" if other[0] == "mapping" else other[0].replace("_", "-")
        raise CallerMistake(f"--{option}", f"means nothing to {kind}", "leave it out")
    if output is not None and output.exists() and not force:
        raise CallerMistake(str(output), "is there already", "name another file, or write over it with --force")
    timeline = _imported(file, kind, settings)
    if output is not None:
        write_timeline(timeline, output)
    if as_json:
        typer.echo(json.dumps({**timeline.to_dict(), "written": output and str(output), "steps": _steps(timeline)}))
        return
    console = Console()
    _tell(console, timeline)
    where = f"written to {output}" if output is not None else "not written: name a file with --output"
    console.print(f"{len(timeline.steps)} steps in {timeline.duration_ms / 1000:g} s; {where}", highlight=False)


def _imported(file: Path, kind: str, settings: dict[str, Any]) -> Timeline:
    if kind == "mahimahi":
        from rig.bearers.timeline.mahimahi import MahimahiRecipe, import_mahimahi

        up = settings.pop("up", None)
        return import_mahimahi(file, up, MahimahiRecipe(**settings))
    from rig.bearers.timeline.fieldlog import FieldRecipe, import_log

    return import_log(file, FieldRecipe(**settings))


def _mapping(said: list[str] | None) -> dict[str, str] | None:
    pairs = [each.rpartition("=") for each in said or []]
    for theirs, _, ours in pairs:
        if not theirs or not ours:
            raise CallerMistake("--map", f"{(theirs or ours)!r} is no pair of names", "write such as PING=rtt_ms")
    return {theirs: ours for theirs, _, ours in pairs} or None


def _steps(timeline: Timeline) -> list[dict[str, Any]]:
    return [
        {"at_ms": step.at_ms, "up": step.up.to_dict(), "down": step.down.to_dict(), **step.annotations()}
        for step in timeline.steps
    ]


def _tell(console: Console, timeline: Timeline) -> None:
    console.print(f"[bold]{escape(timeline.name)}[/bold]: {escape(timeline.title)}", highlight=False, soft_wrap=True)
    console.print(f"source: {escape(timeline.source)}", highlight=False, soft_wrap=True)
    for each in timeline.assumptions:
        console.print(f"assumed: {escape(each)}", highlight=False, soft_wrap=True)
