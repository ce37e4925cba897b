"""``rig compare``: the same sales over every bearer under the same conditions, and the scorecard of it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from rig.errors import CallerMistake
from rig.running import has_begun, run_suite

if TYPE_CHECKING:
    from rig.report.scorecard import Scorecard, Traffic

_BENCH = Path("fixtures/benches/virtual-bearers.yaml")
_SUITE = Path("testcases/compare")
_TARIFFS = Path("fixtures/tariffs/example.yaml")


def compare(
    bench: Annotated[Path, typer.Option("--bench", "-b", metavar="FILE", help="the bench file")] = _BENCH,
    bearers: Annotated[
        str, typer.Option("--bearers", metavar="NAMES", help="these alone, such as wifi,lte; all of the bench's")
    ] = "",
    tariffs: Annotated[
        Path, typer.Option("--tariffs", metavar="FILE", help="what each bearer costs; the example's are invented")
    ] = _TARIFFS,
    sales_a_day: Annotated[int, typer.Option(min=1, max=100_000, help="the traffic that costs are told for")] = 100,
    keepalive_s: Annotated[
        float | None,
        typer.Option(
            min=1, help="a connection is kept, with a keep-alive every so many seconds; none is where left out"
        ),
    ] = None,
    run: Annotated[
        Path | None, typer.Option("--run", metavar="RUN", help="make the scorecard of a stored run again; runs nothing")
    ] = None,
    reports: Annotated[Path, typer.Option("--reports", metavar="FOLDER", help="where runs are kept")] = Path("reports"),
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object instead of text, for programs")] = False,
) -> None:
    """Compare the bearers of a bench: how stable, how costly, how secure, how portable is each, measured.

    Leaves `scorecard.html` and `scorecard.json` in the run's folder, beside its verdict and its report.
    """
    from rig.bench.description import load_bench
    from rig.bench.places import new_run_folder
    from rig.report import finish_run
    from rig.report.scorecard import Traffic, load_tariffs

    load_tariffs(tariffs)  # a mistake in it is told before anything runs
    traffic = Traffic(sales_a_day=sales_a_day, keepalive_s=keepalive_s)
    if run is not None:
        if not (run / "journals").is_dir():
            raise CallerMistake(str(run), "no run: it has no folder `journals`", "name a folder under reports/runs")
        _tell(_score(run, tariffs, traffic), run, as_json, 0)
        return
    load_bench(bench)
    folder = new_run_folder(reports, f"{bench.stem}-compare")
    options = ["--bearers", bearers] if bearers else []
    code = run_suite(bench, [_SUITE], reports, folder, why="rig compare", quiet=as_json, options=options)
    if not has_begun(folder):
        raise typer.Exit(2)
    card = _score(folder, tariffs, traffic)  # before the report, which holds it
    finished = finish_run(folder, reports)
    if not as_json:
        Console().print(finished.table)
        Console().print(finished.message, soft_wrap=True, highlight=False)
    exit_code = finished.exit_code or (2 if code else 0)
    _tell(card, folder, as_json, exit_code)
    raise typer.Exit(exit_code)


def _score(folder: Path, tariffs: Path, traffic: Traffic) -> Scorecard:
    from rig.report.scorecard import load_tariffs, scorecard_of, write_scorecard

    card = scorecard_of(folder, load_tariffs(tariffs), traffic)
    write_scorecard(card, folder)
    return card


def _tell(card: Scorecard, folder: Path, as_json: bool, exit_code: int) -> None:
    if as_json:
        sys.stdout.write(
            json.dumps({**card.as_data(), "run": str(folder), "exit_code": exit_code}, ensure_ascii=False) + "\n"
        )
        return
    console = Console()
    console.print(*(f"{statement.en}\n" for statement in card.conclusion), sep="", soft_wrap=True, highlight=False)
    console.print(f"scorecard: {folder / 'scorecard.html'}", soft_wrap=True, highlight=False)
