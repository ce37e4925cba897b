"""The guard's memory of what it started, read by whoever comes after its death."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.bench.sessions import Session, SessionJournal
from rig.bench.spawn import start_time
from rig.history.journal import boot_id


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "guard.jsonl"


@pytest.fixture
def sessions(path: Path) -> SessionJournal:
    return SessionJournal(path)


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


def begin(sessions: SessionJournal, run: str = "run") -> None:
    sessions.begin(Path("bench.yaml"), Path(run), Path("runtime"))


def last(sessions: SessionJournal) -> Session:
    session = sessions.last()
    assert session is not None
    return session


def test_where_nothing_was_held_there_is_no_session(sessions: SessionJournal) -> None:
    assert sessions.last() is None


def test_a_session_from_its_begin_to_its_release(sessions: SessionJournal, path: Path) -> None:
    begin(sessions)
    sessions.spawned("link", os.getpid())
    session = last(sessions)
    assert session.bench_file == Path("bench.yaml").resolve()
    assert (session.run, session.runtime, session.boot) == (Path("run"), Path("runtime"), boot_id())
    assert session.guard == (os.getpid(), start_time(os.getpid()))
    assert session.processes == {"link": (os.getpid(), start_time(os.getpid()))}
    assert not session.released
    sessions.released()
    assert last(sessions).released
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_new_session_knows_nothing_of_the_one_before(sessions: SessionJournal) -> None:
    begin(sessions, "one")
    sessions.spawned("link", os.getpid())
    sessions.released()
    begin(sessions, "two")
    assert last(sessions).run == Path("two")
    assert last(sessions).processes == {}
    assert not last(sessions).released


def test_a_line_torn_at_any_byte_costs_that_line_alone(sessions: SessionJournal, path: Path) -> None:
    begin(sessions)
    whole = path.read_bytes()
    sessions.spawned("link", os.getpid())
    line = path.read_bytes()[len(whole) :]
    for length in range(len(line)):
        path.write_bytes(whole + line[:length])
        assert last(sessions).processes in ({}, {"link": (os.getpid(), start_time(os.getpid()))})
        sessions.spawned("acquirer", os.getpid())
        assert "acquirer" in last(sessions).processes, "what is written behind a torn line is not lost with it"


@pytest.mark.parametrize("garbage", ["nonsense", "1", "[]", "null", "{}", '{"how":"begin"}', "\x00\x00"])
def test_lines_that_are_no_records_are_passed_over(sessions: SessionJournal, path: Path, garbage: str) -> None:
    path.write_text(garbage + "\n")
    assert sessions.last() is None
    begin(sessions)
    assert last(sessions).run == Path("run")


def test_the_journal_does_not_grow_for_ever_and_keeps_a_session_that_is_not_over(
    sessions: SessionJournal, path: Path
) -> None:
    for number in range(100):
        begin(sessions, f"run-{number}")
        sessions.spawned("link", os.getpid())
        sessions.released()
    begin(sessions, "crashed")
    sessions.spawned("link", os.getpid())
    assert last(sessions).run == Path("crashed")
    size = path.stat().st_size
    for number in range(100):
        begin(sessions, f"again-{number}")
        sessions.released()
    assert path.stat().st_size < 2 * size
    assert last(sessions).run == Path("again-99")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_shortening_a_journal_without_any_begin_is_no_trouble(sessions: SessionJournal, path: Path) -> None:
    path.write_text('{"what":"released"}\n' * 300)
    begin(sessions)
    assert last(sessions).run == Path("run")
    assert len(path.read_text().splitlines()) == 1


def test_a_process_is_alive_until_it_is_dead(sessions: SessionJournal, sleeper: subprocess.Popen[bytes]) -> None:
    begin(sessions)
    sessions.spawned("link", sleeper.pid)
    assert last(sessions).alive() == {"link": sleeper.pid}
    os.kill(sleeper.pid, signal.SIGKILL)
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert last(sessions).alive() == {}, "a zombie is dead"
    sleeper.wait()
    assert last(sessions).alive() == {}


def test_a_pid_that_another_process_has_now_is_not_taken_for_ours(
    sessions: SessionJournal, path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    begin(sessions)
    sessions.spawned("link", sleeper.pid)
    records = [json.loads(line) for line in path.read_text().splitlines()]
    records[-1]["started"] -= 1  # the process of that pid began at another time
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    assert last(sessions).alive() == {}


def test_after_a_boot_nothing_of_a_session_lives(
    sessions: SessionJournal, path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    begin(sessions)
    sessions.spawned("link", sleeper.pid)
    path.write_text(path.read_text().replace(boot_id(), "another-boot"))
    assert last(sessions).alive() == {}


def test_a_process_that_was_dead_when_it_was_noted_is_not_remembered(
    sessions: SessionJournal, sleeper: subprocess.Popen[bytes]
) -> None:
    sleeper.kill()
    sleeper.wait()
    begin(sessions)
    sessions.spawned("link", sleeper.pid)
    assert last(sessions).processes == {}


def test_the_start_time_of_a_process_with_an_awkward_name(tmp_path: Path) -> None:
    # proc(5): the second field of stat is the name in parentheses, which may hold blanks and parentheses itself.
    awkward = tmp_path / "a) R 1 (b"
    awkward.symlink_to("/bin/cat")
    process = subprocess.Popen([awkward], stdin=subprocess.PIPE)
    before, after = start_time(os.getpid()), start_time(process.pid)
    process.communicate()
    assert before is not None
    assert after is not None
    assert after >= before
    assert start_time(process.pid) is None
