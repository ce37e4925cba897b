"""The ledger through 200 kills −9 and 5,000 torn write-ahead logs, and the order of system calls."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import threading
from pathlib import Path

import pytest

from rig.acquirer.ledger import Ledger
from rig.acquirer.opening import read_rows
from rig.acquirer.row import Row
from rig.wire.iso8583 import Totals
from tests.acquirer.load import Answered, Load
from tests.acquirer.test_ledger import ROW
from tests.acquirer.till import HostProcess, Till, changed, key, reversal, sale

KILLS, ROUNDS = 50, 4
RECOVERIES = int(os.environ.get("RIG_RECOVERIES", "5000"))


def _check(rows: list[Row], answered: Answered) -> None:
    """Every answered approval is there as it was answered, nothing is there twice, what was reversed is."""
    by_key: dict[str, list[Row]] = {}
    for row in rows:
        by_key.setdefault(row.key, []).append(row)
    assert all(len(found) == 1 for found in by_key.values())
    for name, answer in answered.approved.items():
        (row,) = by_key[name]
        assert (row.rrn, row.auth, row.rc) == (answer.text(37), answer.text(38), "00")
        assert row.state in ("approved", "reversed")
    for name in answered.reversed & set(by_key):
        assert by_key[name][0].state in ("reversed", "declined")


@pytest.mark.parametrize("number", range(ROUNDS))
def test_kill_9_at_random_points_of_a_load(tmp_path: Path, number: int) -> None:
    """After each kill the ledger agrees with what the terminals were answered; and so does the host that comes back."""
    chance, answered = random.Random(number), Answered()
    host = HostProcess(tmp_path / "host", tls=False)
    for kill in range(KILLS):
        load = Load(host.cards["credit"], answered, seed=1000 * number + kill)
        hit = threading.Timer(chance.uniform(0.001, 0.08), host.process.send_signal, [signal.SIGKILL])
        hit.start()
        load.run(host.port, seconds=2.0)
        hit.join()
        assert host.process.wait(5) == -signal.SIGKILL
        host.control.close()
        _check(read_rows(tmp_path / "host/ledger.sqlite"), answered)
        host.start()
    assert len(answered.approved) > 2 * KILLS
    assert answered.reversed
    with Till.plain(host.port) as till:
        for name in chance.sample(sorted(set(answered.approved) - answered.reversed), 10):
            again = till.ask(answered.asked[name])
            assert again.text(37) == answered.sales[name].text(37)
            assert again.text(39) == ("68" if host.row(name)["state"] == "reversed" else "00")
            assert till.ask(reversal(answered.asked[name])).text(39) == "00"
    host.end()
    _check(read_rows(tmp_path / "host/ledger.sqlite"), answered)


def test_recovery_from_a_log_torn_at_any_byte(tmp_path: Path) -> None:
    """A machine that stops tears the log anywhere. What was durable before is all there, and half a commit is not."""
    source = tmp_path / "ledger.sqlite"
    Ledger(source).close()  # the tables are in the file, and the log begins anew
    ledger, log = Ledger(source), Path(f"{source}-wal")
    chance, after = random.Random(5), {log.stat().st_size: 0}
    rows: list[Row] = []
    for commit in range(1, 41):
        with ledger.transaction():
            for _ in range(chance.randint(1, 4)):  # group commit
                stan = f"{len(rows) + 1:06d}"
                row = ROW._replace(unique_key=f"u{stan}", key=f"t/{stan}", stan=stan, batch="000002", amount=commit)
                rows.append(row)
                ledger.add(row)
        after[log.stat().st_size] = len(rows)
    shutil.copy(source, tmp_path / "kept")
    whole = log.read_bytes()
    torn = tmp_path / "torn"
    for _ in range(RECOVERIES):
        length = chance.randrange(len(whole) + 1)
        shutil.copy(tmp_path / "kept", torn)
        Path(f"{torn}-shm").unlink(missing_ok=True)
        Path(f"{torn}-wal").write_bytes(whole[:length])
        durable = max((count for size, count in after.items() if size <= length), default=0)
        with sqlite3.connect(torn) as db:
            found = db.execute("SELECT unique_key, amount FROM rows ORDER BY id").fetchall()
        db.close()
        assert len(found) in set(after.values())
        assert len(found) >= durable
        assert found == [(row.unique_key, row.amount) for row in rows[: len(found)]]
    again = Ledger(torn)
    assert again.totals("t", "000002") == Totals(len(found), sum(amount for _, amount in found))
    again.close()
    ledger.close()


def test_the_log_is_synced_before_each_answer_leaves(tmp_path: Path) -> None:
    """A trace of the host's system calls: what is written to the log is synced before the next byte to a terminal."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed (apt-get install strace)")
    trace = tmp_path / "trace"
    host = HostProcess(tmp_path / "host", tls=False)
    calls = "trace=pwrite64,fdatasync,fsync,sendto,recvfrom"
    tracer = subprocess.Popen(
        [strace, "-f", "-y", "-e", calls, "-o", str(trace), "-p", str(host.process.pid)], stderr=subprocess.PIPE
    )
    assert tracer.stderr is not None
    if b"attached" not in (said := tracer.stderr.readline()):
        host.end()
        pytest.skip(f"strace may not attach here: {said.decode().strip()}")
    with Till.plain(host.port) as till:
        for amount in range(1, 21):
            request = changed(sale(host.cards["credit"], amount), de55=None, de22="012")
            assert till.ask(request).text(39) == "00"
            assert till.ask(reversal(request)).text(39) == "00"
        assert host.row(key(request))["state"] == "reversed"
    host.end()
    tracer.wait(10)
    unsynced, answers, syncs = False, 0, 0
    for line in trace.read_text().splitlines():
        if re.search(r"pwrite64\(\d+<[^>]*-wal>", line):
            unsynced = True
        elif re.search(r"f(data)?sync(\(\d+<[^>]*-wal>| resumed>)\) += 0", line):
            unsynced, syncs = False, syncs + 1
        elif re.search(r"sendto\(\d+<(socket|TCP)", line):
            assert not unsynced, f"an answer left before the log was synced: {line}"
            answers += 1
    assert answers >= 40
    assert syncs >= 40
