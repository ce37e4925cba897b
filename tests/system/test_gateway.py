"""A bench that stands between the terminal and somebody else's host: moments, faults, and a judgement by its export."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from rig.acquirer.opening import read_rows
from rig.acquirer.portal import export
from rig.history import read_history
from tests.system.rigs import PROJECT, RIG, Rig

SUITE = '''
import json
import subprocess
import pytest
from rig.faults import Moment, cut, host_silent
from rig.verdict import Verdict

pytestmark = [pytest.mark.parametrize("bearer", ["wifi"], indirect=True)]
HOST = {command!r}


@pytest.fixture(scope="module", autouse=True)
def somebody_elses_host():
    """In the bench's own network, and nothing of the bench's."""
    with subprocess.Popen(HOST, stdout=subprocess.PIPE, text=True) as process:
        while json.loads(process.stdout.readline())["kind"] != "ready":
            pass
        yield
        process.terminate()


@pytest.mark.requires(Verdict.COMPLETED)
def test_approved(bench, bearer):
    assert bench.sale(5_01, "visa-credit").approved


@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_answer_lost(bench, bearer):
    assert not bench.sale(5_02, "visa-credit", host_silent()).approved


@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_cut_at_the_moment(bench, bearer):
    assert not bench.sale(5_03, "visa-credit", cut(bearer).at(Moment.REQUEST_RECEIVED)).approved
'''


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Rig, int, dict[str, object], Path]:
    """A run of three cases before a host of its own, with the state directory of that host."""
    folder = tmp_path_factory.mktemp("gateway")
    rig, host = Rig.make(folder), folder / "host"
    raw = yaml.safe_load(rig.bench.read_text())
    upstream = {"address": "127.0.0.1", "port": 7000, "ca": str(host / "pki/ca.pem"), "server_name": "acquirer.bench"}
    raw["acquirer"]["gateway"] = upstream
    rig.bench.write_text(yaml.safe_dump(raw, sort_keys=False))
    command = [str(RIG), "acquirer", "serve", "--dialect", "ascii-1987", "--listen", "127.0.0.1:7000", "--json"]
    command += ["--state", str(host), "--cards", str(PROJECT / "fixtures/cards")]
    made = subprocess.run(
        [RIG, "acquirer", "client-certificate", "any", "--state", host], capture_output=True, text=True
    )
    assert made.returncode == 0, made.stderr
    suite = folder / "test_it.py"
    suite.write_text(SUITE.format(command=command))
    done = rig.call("run", "--bench", str(rig.bench), "--reports", str(rig.reports), "--json", "--suite", str(suite))
    assert done.stdout.strip(), done.stderr
    return rig, done.returncode, json.loads(done.stdout), host


def test_the_cases_run_as_before_a_host_of_the_rigs_own(ran: tuple[Rig, int, dict[str, object], Path]) -> None:
    rig, code, summary, _ = ran
    assert code == 0, summary
    history = rig.history()
    assert len(history.of("answer_withheld")) == 1
    assert not history.of("ledger_row")
    run = rig.newest_run()
    assert run is not None
    journals = "".join(path.read_text() for path in (run / "journals").glob("*.jsonl"))
    cards = [yaml.safe_load(path.read_text())["pan"] for path in (PROJECT / "fixtures/cards").glob("*.yaml")]
    assert not any(pan in journals for pan in cards)
    assert read_history(run / "journals").of("request_received")


def test_the_hosts_export_judges_the_run(ran: tuple[Rig, int, dict[str, object], Path], tmp_path: Path) -> None:
    rig, _, _, host = ran
    run = rig.newest_run()
    assert run is not None
    books = tmp_path / "books.csv"
    books.write_text(export(read_rows(host / "ledger.sqlite")))
    judged = rig.call("judge", str(run), "--ledger", str(books), "--json")
    assert judged.returncode == 0, judged.stdout
    verdicts = json.loads(judged.stdout)["verdicts"]
    assert (verdicts["completed"], verdicts["failed_safely"]) == (1, 2)
    books.write_text(books.read_text().replace(",reversed,", ",approved,"))
    judged = rig.call("judge", str(run), "--ledger", str(books), "--json")
    assert judged.returncode == 1
    assert json.loads(judged.stdout)["verdicts"]["unsafe"] == 2
