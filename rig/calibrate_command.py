"""``rig bench calibrate``: measure what the RF paths of a bench lose, with the reader at their end as the sensor."""

from __future__ import annotations

import datetime
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from rig.errors import CallerMistake

if TYPE_CHECKING:
    from rig.bench.calibration import Calibration

BenchOption = Annotated[Path, typer.Option("--bench", "-b", metavar="FILE", help="the bench file")]
PathOption = Annotated[list[str] | None, typer.Option("--path", "-p", metavar="NAME", help="this path alone")]
JsonOption = Annotated[bool, typer.Option("--json", help="one JSON object instead of text, for programs")]


def calibrate(
    bench: BenchOption = Path("fixtures/benches/virtual-bearers.yaml"),
    path: PathOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure the fixed loss of each RF path whose level is read, and keep it with its date.

    It is reckoned from `source_dbm`, what the cell puts into the path: that is assumed, not measured.
    """
    from rig.bench.calibration import calibrated_paths, keep_calibrations, measure
    from rig.bench.description import load_bench
    from rig.bench.opening import open_bench
    from rig.bench.places import StateDirectory

    file = load_bench(bench)
    there_are = calibrated_paths(file)
    if unknown := [name for name in path or [] if name not in there_are]:
        raise CallerMistake(
            f"path {unknown[0]}",
            "there is no such path that can be calibrated",
            f"there are {', '.join(there_are) or 'none'}; one needs source_dbm, and a modem that watches its bearer",
        )
    if not there_are:
        raise CallerMistake(
            str(bench), "no path can be calibrated", "write source_dbm of a path, and a modem that watches its bearer"
        )
    measured: dict[str, Calibration] = {}
    with tempfile.TemporaryDirectory(prefix="rig-calibrate-") as run:
        held = open_bench(bench, Path(run), "rig bench calibrate")
        try:
            held.stage.signals.wait_for_service()
            for name in path or there_are:
                measured[name] = measure(held.file, held.stage.signals, name, datetime.datetime.now(datetime.UTC))
        finally:
            held.close()
    keep_calibrations(StateDirectory.of(file.name).calibration, measured)
    if as_json:
        typer.echo(json.dumps({name: each.model_dump(mode="json") for name, each in measured.items()}))
    else:
        Console().print(_table(measured))


def _table(measured: dict[str, Calibration]) -> Table:
    table = Table(box=None, pad_edge=False)
    for head in ("path", "MHz", "assumed source dBm", "loss dB", "spread dB", "read by"):
        table.add_column(head)
    for name, each in measured.items():
        at = "-" if each.frequency_mhz is None else f"{each.frequency_mhz:g}"
        cells = [name, at, f"{each.source_dbm:g}", f"{each.loss_db:g}", f"{each.spread_db:g}", each.reader]
        table.add_row(*(escape(cell) for cell in cells))
    return table
