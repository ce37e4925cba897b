"""The `rig` command: what people type."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from rig import __version__, acquirer_command, calibrate_command, card_command, compare_command, timeline_command
from rig.errors import CallerMistake, RigError
from rig.running import has_begun, run_suite

_BENCH = Path("fixtures/benches/virtual.yaml")

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""
Drive a payment terminal on a bench, degrade its network, its card or its power at the worst moment, and judge
whether the money is right.

**Begin with** `rig doctor`, then `rig run`. Without hardware both use a virtual bench of real processes.

**Exit codes**: 0 all cases as required · 1 the terminal failed somewhere · 2 the rig could not tell, or ran nothing.
""",
)
bench_app = typer.Typer(no_args_is_help=True, help="A bench: its certificate authority, its state.")
app.add_typer(bench_app, name="bench")
app.add_typer(acquirer_command.app, name="acquirer")
app.add_typer(card_command.app, name="card")
app.add_typer(timeline_command.app, name="timeline")
app.command()(compare_command.compare)
bench_app.command()(calibrate_command.calibrate)

BenchOption = Annotated[Path, typer.Option("--bench", "-b", metavar="FILE", help="the bench file")]
JsonOption = Annotated[bool, typer.Option("--json", help="one JSON object instead of text, for programs")]
ReportsOption = Annotated[Path, typer.Option("--reports", metavar="FOLDER", help="where runs are kept")]


@app.command()
def run(
    bench: BenchOption = _BENCH,
    suite: Annotated[
        list[Path] | None, typer.Option("--suite", "-s", metavar="PATH", help="cases to run; testcases/regression")
    ] = None,
    keyword: Annotated[
        str | None, typer.Option("-k", metavar="EXPRESSION", help="only cases whose name matches, as pytest's -k")
    ] = None,
    reports: ReportsOption = Path("reports"),
    as_json: JsonOption = False,
) -> None:
    """Run a suite on a bench; leave a verdict and a report.

    Ctrl-C restores the bench and still leaves the report of what ran.
    """
    from rig.bench.description import load_bench
    from rig.bench.places import new_run_folder

    load_bench(bench)
    folder = new_run_folder(reports, bench.stem)
    code = run_suite(
        bench,
        suite or [Path("testcases/regression")],
        reports,
        folder,
        why="rig run",
        quiet=as_json,
        options=["-k", keyword] if keyword else [],
    )
    _finish(folder, reports, as_json, code)


def _finish(folder: Path, reports: Path, as_json: bool, code: int = 0) -> None:
    from rig.report import finish_run

    if not has_begun(folder):
        # Not even begun: pytest has said why. What ran before stays the latest.
        if as_json:
            print(json.dumps({"run": str(folder), "exit_code": 2, "cases": 0}))
        raise typer.Exit(2)
    finished = finish_run(folder, reports)
    # Where pytest failed and no case did (a test that is no case, a kill), the rig cannot tell.
    exit_code = finished.exit_code or (2 if code else 0)
    if as_json:
        print(json.dumps({"run": str(folder), **finished.summary.to_json(), "exit_code": exit_code}))
    else:
        console = Console()
        console.print(finished.table)
        for case, lacking in finished.summary.skipped.items():
            console.print(f"skipped {case}: this bench has no {lacking}", soft_wrap=True, highlight=False, markup=False)
        console.print(finished.message, soft_wrap=True, highlight=False)
    raise typer.Exit(exit_code)


@app.command()
def judge(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="a run's folder, such as reports/latest")],
    ledger: Annotated[
        Path | None, typer.Option("--ledger", metavar="CSV", help="judge by these books instead of the host's own")
    ] = None,
    columns: Annotated[
        Path | None, typer.Option("--columns", metavar="FILE", help="how a portal wrote them: see docs/ledger.md")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Judge a run again from its files alone; the same files give the same answer."""
    from rig.acquirer import portal
    from rig.history import read_history
    from rig.verdict import explain
    from rig.verdict import judge as judge_history
    from rig.verdict.other_ledger import with_ledger

    journals = run / "journals"
    if not journals.is_dir():
        raise CallerMistake(str(run), "no run: it has no folder `journals`", "name a folder under reports/runs")
    history = read_history(journals)
    if ledger is not None:
        form = portal.PortalFormat.load(columns) if columns else portal.OURS
        history = with_ledger(history, portal.read(ledger, form))
    verdict = judge_history(history)
    if as_json:
        print(verdict.to_json(), end="")
    else:
        counts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in verdict.verdicts.items() if count)
        print("\n\n".join([*explain(history), *verdict.doubts, f"{len(verdict.cases)} cases: {counts or 'none'}"]))
    raise typer.Exit(verdict.exit_code)


@app.command()
def doctor(bench: BenchOption = _BENCH, as_json: JsonOption = False) -> None:
    """Say what this machine and this bench have and lack, each with its cure."""
    from rig.bench.doctor import Finding, Health, examine_bench, examine_machine
    from rig.report import find_allure, find_node

    node = find_node()
    findings: list[Finding] = [*examine_machine(node.binary if node else None, find_allure()), *examine_bench(bench)]
    bad = any(finding.health is Health.BAD for finding in findings)
    if as_json:
        print(json.dumps({"healthy": not bad, "findings": [asdict(finding) for finding in findings]}))
    else:
        Console().print(_findings_table(findings))
    raise typer.Exit(2 if bad else 0)


def _findings_table(findings: list[Any]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    colours = {"good": "green", "lacking": "yellow", "bad": "red"}
    for finding in findings:
        cure = f"  [dim]→ {escape(finding.cure)}[/dim]" if finding.cure and finding.health != "good" else ""
        mark = f"[{colours[finding.health]}]{finding.health}[/]"
        table.add_row(mark, finding.subject, escape(finding.what) + cure)
    return table


@app.command()
def failures(as_json: JsonOption = False) -> None:
    """List the named failures of the network path, and what the terminal sees of each."""
    from rig.bearers.failures import CATALOGUE, sees

    told = {name: sees(name) for name in CATALOGUE}
    if as_json:
        print(json.dumps(told))
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, seen in told.items():
        table.add_row(name, escape(seen))
    Console().print(table)


@app.command()
def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="a run's folder")], reports: ReportsOption = Path("reports")
) -> None:
    """Judge a run and render its report again."""
    _finish(run, reports, as_json=False)


@bench_app.command("ca")
def export_authority(
    bench: BenchOption = _BENCH,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="write it there")] = None,
) -> None:
    """Export the bench's certificate authority (PEM), so that a terminal can be made to trust its host once."""
    from rig.acquirer.authority import export_ca
    from rig.bench.description import load_bench
    from rig.bench.places import StateDirectory

    pem = export_ca(StateDirectory.of(load_bench(bench).name).root)
    if output is None:
        print(pem, end="")
    else:
        output.write_text(pem)
        Console(stderr=True).print(f"written to {output}")


@bench_app.command("restore")
def restore(bench: BenchOption = _BENCH) -> None:
    """Mend what a killed guard left: devices to their safe state, processes ended. A clean bench is left alone."""
    from rig.bench.guard_client import reconcile

    ended = reconcile(bench)
    Console().print(f"the bench is clean; {ended} left-over processes were ended")


def _version(wanted: bool) -> None:
    if wanted:
        print(f"rig {__version__}")
        raise typer.Exit()


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="show the version")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; an error of ours is one line and exit code 2."""
    try:
        app()
    except RigError as error:
        said = escape(" ".join(str(error).split()))
        Console(stderr=True).print(f"[red]rig:[/red] {said}", highlight=False, soft_wrap=True)
        sys.exit(2)
