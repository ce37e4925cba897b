"""``rig compare``: the same sales over every bearer under the same conditions, and the scorecard of it."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from rig.errors import CallerMistake
from rig.running import has_begun, run_suite

if TYPE_CHECKING:
    from rig.report.scorecard import Scorecard, Tariffs, Traffic

_BENCH = Path("fixtures/benches/virtual-bearers.yaml")
_SUITE = Path("testcases/compare")
_TARIFFS = Path("fixtures/tariffs/example.yaml")


def compare(
    bench: Annotated[
        Path | None, typer.Option("--bench", "-b", metavar="FILE", help="the bench file", show_default=str(_BENCH))
    ] = None,
    bearers: Annotated[
        str | None, typer.Option("--bearers", metavar="NAMES", help="these alone, such as wifi,lte; all of the bench's")
    ] = None,
    tariffs: Annotated[
        Path, typer.Option("--tariffs", metavar="FILE", help="what each bearer costs; the example's are invented")
    ] = _TARIFFS,
    sales_a_day: Annotated[int, typer.Option(min=1, max=100_000, help="the traffic that costs are told for")] = 100,
    keepalive_s: Annotated[
        float | None,
        typer.Option(
            min=1,
            help="price a connection that is kept, with a keep-alive every so many seconds, beside the sales, which "
            "open their own connections, as measured; none where left out",
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
    from rig.report.scorecard import Traffic

    if keepalive_s is not None and not math.isfinite(keepalive_s):
        raise CallerMistake("--keepalive-s", f"{keepalive_s} is no number of seconds", "leave it out for none")
    traffic = Traffic(sales_a_day=sales_a_day, keepalive_s=keepalive_s)
    if run is not None:
        given = [name for name, value in (("--bench", bench), ("--bearers", bearers)) if value is not None]
        raise typer.Exit(_again(run, given, tariffs, traffic, as_json))
    raise typer.Exit(_compare(bench or _BENCH, bearers, tariffs, traffic, reports, as_json))


def _again(run: Path, given: Sequence[str], tariffs: Path, traffic: Traffic, as_json: bool) -> int:
    """The scorecard of a stored run, and that run's exit code: a program must not take a failed one for a good one."""
    from rig.history import read_history
    from rig.report.scorecard import load_tariffs
    from rig.verdict import judge

    if given:
        raise CallerMistake(given[0], "a stored run has its own bench and bearers", "leave it out, or leave out --run")
    if not (run / "journals").is_dir():
        raise CallerMistake(str(run), "no run: it has no folder `journals`", "name a folder under reports/runs")
    history = read_history(run / "journals")
    told = next((event.data.get("bearers") for event in history.of("run_begin")), None)
    prices = load_tariffs(tariffs, map(str, told) if isinstance(told, list) else None)
    exit_code = judge(history).exit_code
    _tell(_score(run, prices, traffic), run, as_json, exit_code)
    return exit_code


def _compare(bench: Path, bearers: str | None, tariffs: Path, traffic: Traffic, reports: Path, as_json: bool) -> int:
    """Run, judge and score. A mistake of the caller is told before anything boots."""
    from rig.bench.description import load_bench
    from rig.bench.places import new_run_folder
    from rig.report import finish_run
    from rig.report.scorecard import load_tariffs

    known = load_bench(bench).bearers
    prices = load_tariffs(tariffs, known)
    options = [] if bearers is None else ["--bearers", ",".join(_chosen(bearers, known))]
    folder = new_run_folder(reports, f"{bench.stem}-compare")
    code = run_suite(bench, [_SUITE], reports, folder, why="rig compare", quiet=as_json, options=options)
    if not has_begun(folder):
        return 2
    card = _score(folder, prices, traffic)  # before the report, which holds it
    finished = finish_run(folder, reports)
    if not as_json:
        Console().print(finished.table)
        Console().print(finished.message, soft_wrap=True, highlight=False)
    exit_code = finished.exit_code or (2 if code else 0)
    _tell(card, folder, as_json, exit_code)
    return exit_code


def _chosen(bearers: str, known: Collection[str]) -> list[str]:
    """The names that ``--bearers`` lists."""
    names = [name.strip() for name in bearers.split(",")]
    there_are = f"use {', '.join(known)}"
    if "" in names:
        raise CallerMistake("--bearers", f"a name is missing in {bearers!r}", there_are)
    if twice := [name for place, name in enumerate(names) if name in names[:place]]:
        raise CallerMistake("--bearers", f"{twice[0]!r} is named twice", "keep one of them")
    if unknown := [name for name in names if name not in known]:
        raise CallerMistake("--bearers", f"this bench has no bearer {unknown[0]!r}", there_are)
    return names


def _score(folder: Path, tariffs: Tariffs, traffic: Traffic) -> Scorecard:
    from rig.report.scorecard import scorecard_of, write_scorecard

    card = scorecard_of(folder, tariffs, traffic)
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
