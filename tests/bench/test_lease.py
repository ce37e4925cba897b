"""One holder a bench, named to whoever comes second, and gone with its process."""

from __future__ import annotations

import fcntl
import getpass
import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rig.bench.lease import Lease, holder
from rig.errors import BenchBusy

HOLDER = """
import sys
from pathlib import Path
from rig.bench.lease import Lease
lease = Lease.acquire(Path(sys.argv[1]), "virtual", "the nightly run")
print("held", flush=True)
sys.stdin.readline()
lease.release()
print("released", flush=True)
sys.stdin.readline()
"""


@contextmanager
def other_process(lock: Path) -> Iterator[subprocess.Popen[str]]:
    """A second process that holds the bench."""
    command = [sys.executable, "-c", HOLDER, str(lock)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "lease.lock"


def test_who_comes_second_hears_who_holds_it_since_when_and_for_what(lock: Path) -> None:
    with other_process(lock) as process:
        with pytest.raises(BenchBusy) as caught:
            Lease.acquire(lock, "virtual", "mine")
        who = holder(lock)
        assert who is not None
        assert (who.pid, who.user, who.why) == (process.pid, getpass.getuser(), "the nightly run")
        assert caught.value.device == "bench virtual"
        assert caught.value.what == f"held by {who.user}, process {who.pid}, since {who.since}, for the nightly run"
        assert caught.value.cure == "wait for it, or end that run"


def test_a_kill_of_the_holder_frees_the_bench(lock: Path) -> None:
    with other_process(lock) as process:
        process.kill()
        process.wait()
        assert holder(lock) is None
        Lease.acquire(lock, "virtual", "mine").release()


def test_a_release_frees_the_bench_while_its_process_lives(lock: Path) -> None:
    with other_process(lock) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "released\n"
        lease = Lease.acquire(lock, "virtual", "mine")
        assert process.poll() is None
        lease.release()


def test_what_a_dead_holder_wrote_is_not_taken_for_the_new_one(lock: Path) -> None:
    with other_process(lock) as process:
        process.kill()
        process.wait()
    assert "nightly" in lock.read_text()
    lease = Lease.acquire(lock, "virtual", "x")
    assert json.loads(lock.read_text())["pid"] == os.getpid()
    with pytest.raises(BenchBusy, match=f"process {os.getpid()}, since .*, for x"):
        Lease.acquire(lock, "virtual", "again")
    lease.release()
    assert lock.read_text() == ""


def test_a_bench_that_nobody_ever_held_is_free(lock: Path) -> None:
    assert holder(lock) is None
    assert not lock.exists(), "who only looks leaves nothing behind"


def test_the_lock_is_its_owners_alone(lock: Path) -> None:
    Lease.acquire(lock, "virtual", "x").release()
    assert stat.S_IMODE(lock.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}'])
def test_a_holder_that_has_not_said_who_it_is_still_holds_it(lock: Path, content: str) -> None:
    lock.write_text(content)
    with lock.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(BenchBusy, match="held by somebody"):
            Lease.acquire(lock, "virtual", "x")


def test_somebody_who_only_looks_does_not_make_it_busy(lock: Path) -> None:
    lock.touch()
    with lock.open() as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        threading.Timer(0.1, lambda: fcntl.flock(looking, fcntl.LOCK_UN)).start()
        Lease.acquire(lock, "virtual", "x").release()
