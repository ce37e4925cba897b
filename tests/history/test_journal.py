"""Journals that real threads and processes write, and what is left of them after a kill."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.history import Event, Journal, Tail, read_history
from rig.history.journal import boot_id
from tests.pans import make_pan, redactor


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal.open(tmp_path / "journals", "rig", redactor())
    yield journal
    journal.close()


def test_an_event_says_where_when_and_what(journal: Journal) -> None:
    before = time.monotonic_ns()
    written = journal.write("power", device="power", on=False)
    assert before <= written.t <= time.monotonic_ns()
    assert (written.process, written.pid, written.sequence, written.kind) == ("rig", os.getpid(), 1, "power")
    assert written.boot == boot_id() == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00", written.wall)
    assert read_history(journal.path.parent).events == (written,)


def test_an_event_can_be_read_as_soon_as_it_is_written(journal: Journal) -> None:
    tail = Tail(journal.path.parent)
    assert tail.poll() == ()
    for number in range(5):
        written = journal.write("tick", n=number)
        assert tail.poll() == (written,)


def test_a_journal_is_its_owners_alone_and_named_by_its_process(journal: Journal) -> None:
    assert journal.path.name == f"rig-{os.getpid()}.jsonl"
    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o600


def test_a_journal_is_never_continued(tmp_path: Path) -> None:
    paths = set()
    for _ in range(3):
        journal = Journal.open(tmp_path, "rig", redactor())
        journal.write("tick")
        journal.close()
        paths.add(journal.path)
    assert len(paths) == 3
    assert read_history(tmp_path).damage == ()


def test_a_closed_journal_refuses_events(journal: Journal) -> None:
    journal.close()
    journal.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        journal.write("late")


def test_a_durable_event_is_on_the_disk_before_write_returns(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", lambda fd: synced.append(os.fstat(fd).st_size))
    journal.write("tick")
    assert synced == []
    journal.write("intent", durable=True)
    assert synced == [journal.path.stat().st_size]


def test_bytes_become_upper_case_hex_at_any_depth(journal: Journal) -> None:
    data = journal.write("rx", data=b"\x06\xab", more=[bytearray(b"\x01"), {"deep": memoryview(b"\xff")}]).data
    assert data == {"data": "06AB", "more": ["01", {"deep": "FF"}]}


def test_what_is_no_json_becomes_text(journal: Journal) -> None:
    data = journal.write("x", path=Path("/a"), names={"one"}, pair=(1, None), flag=True, level=-70.5).data
    assert data == {"path": "/a", "names": ["one"], "pair": [1, None], "flag": True, "level": -70.5}


def test_a_file_name_that_is_no_utf8_can_be_told(journal: Journal) -> None:
    name = os.fsdecode(b"log-\xff.txt")
    journal.write("x", name=name)
    journal.write("y")
    history = read_history(journal.path.parent)
    assert history.damage == ()
    assert history.events[0].data == {"name": name}


def test_an_event_that_could_not_be_written_leaves_no_gap(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as full_disk:
        full_disk.setattr(os, "write", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(OSError, match="No space"):
            journal.write("lost")
    journal.write("kept")
    history = read_history(journal.path.parent)
    assert [event.kind for event in history] == ["kept"]
    assert history.damage == ()


def test_a_time_that_looks_like_a_pan_stays_a_time(journal: Journal) -> None:
    t = int(make_pan())
    journal.write("x", received_t=t, row={"reversed_t": t})
    assert read_history(journal.path.parent).events[0].data == {"received_t": t, "row": {"reversed_t": t}}


def places_of_a_pan() -> dict[str, Any]:
    pan = make_pan()
    return {
        "text": f"card {pan}",
        "number": int(pan),
        "track": f"{pan}=25122010000012345",
        "bytes": pan.encode(),
        "packed": bytes.fromhex(pan),
        "shifted": bytes.fromhex("0" + pan + "0"),
        "hex": f"5708{pan}9000",
        "list": [pan, {"deep": (pan,)}],
        pan: "as a key",
        "object": Path("/cards") / pan,
        "error": ValueError(f"cannot use {pan}"),
    }


def test_a_pan_reaches_the_disk_in_no_form(journal: Journal) -> None:
    pan = make_pan()
    journal.write("x", **places_of_a_pan())
    content = journal.path.read_text()
    assert pan[6:-4] not in content
    assert pan.encode().hex()[12:-8].upper() not in content
    assert content.count(pan[:6]) >= len(places_of_a_pan()) - 1, "the masked form is still there to read"
    assert json.loads(content)["data"]["number"] == redactor().mask(pan)


@given(st.dictionaries(st.text("abc", max_size=3), st.integers() | st.floats(allow_nan=False) | st.booleans()))
def test_numbers_stay_numbers(tmp_path_factory: pytest.TempPathFactory, data: dict[str, Any]) -> None:
    journal = Journal.open(tmp_path_factory.mktemp("numbers"), "rig", redactor())
    assert journal.write("x", **{f"_{key}": value for key, value in data.items()}).data == {
        f"_{key}": value for key, value in data.items()
    }
    journal.close()


def test_threads_share_a_journal(journal: Journal) -> None:
    def work(thread: int) -> None:
        for number in range(200):
            journal.write("tick", thread=thread, n=number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    history = read_history(journal.path.parent)
    assert history.damage == history.torn == ()
    assert [event.sequence for event in history] == list(range(1, 1601)), "time and sequence tell the same order"
    for thread in range(8):
        assert [e.data["n"] for e in history if e.data["thread"] == thread] == list(range(200))


WRITER = """
import sys
from pathlib import Path
from typing import Any
from rig.history import Event, Journal, Redactor
journal = Journal.open(Path(sys.argv[1]), sys.argv[2], Redactor(bytes(32), []))
number = 0
while True:
    number += 1
    journal.write("tick", n=number, text="x" * 200)
"""


def start_writers(folder: Path, count: int) -> list[subprocess.Popen[bytes]]:
    return [subprocess.Popen([sys.executable, "-c", WRITER, str(folder), f"writer{n}"]) for n in range(count)]


def wait_for_journals(folder: Path, count: int, size: int) -> None:
    deadline = time.monotonic() + 20
    while sum(path.stat().st_size > size for path in folder.glob("*.jsonl")) < count:
        assert time.monotonic() < deadline, "the writers do not write"
        time.sleep(0.01)


def test_writers_killed_while_they_write_leave_a_history_that_reads(tmp_path: Path) -> None:
    writers = start_writers(tmp_path, 4)
    wait_for_journals(tmp_path, 4, size=20_000)
    for writer in writers:
        os.kill(writer.pid, signal.SIGKILL)
        assert writer.wait() == -signal.SIGKILL
    history = read_history(tmp_path)
    assert history.damage == ()
    assert [event.order for event in history] == sorted(event.order for event in history)
    for number in range(4):
        told = [event.data["n"] for event in history if event.process == f"writer{number}"]
        assert len(told) > 10
        assert told == list(range(1, len(told) + 1))


def test_a_tail_beside_writers_that_are_killed_loses_nothing(tmp_path: Path) -> None:
    tail, seen = Tail(tmp_path), list[Event]()
    done = threading.Event()

    def follow() -> None:
        while not done.is_set():
            seen.extend(tail.poll())

    follower = threading.Thread(target=follow)
    follower.start()
    writers = start_writers(tmp_path, 2)
    wait_for_journals(tmp_path, 2, size=20_000)
    for writer in writers:
        writer.kill()
        writer.wait()
    done.set()
    follower.join()
    seen.extend(tail.poll())
    assert sorted(event.order for event in seen) == [event.order for event in read_history(tmp_path)]


def test_gathered_events_are_written_in_one_call_and_in_order(journal: Journal) -> None:
    journal.write("before")
    journal.gather()
    journal.write("one")
    journal.write("two")
    assert [event.kind for event in read_history(journal.path.parent)] == ["before"]
    journal.flush()
    journal.write("after")
    history = read_history(journal.path.parent)
    assert [event.kind for event in history] == ["before", "one", "two", "after"]
    assert history.damage == ()


def test_gathered_events_that_could_not_be_written_leave_no_gap(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.gather()
    journal.write("lost")
    with monkeypatch.context() as full_disk:
        full_disk.setattr(os, "write", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(OSError, match="No space"):
            journal.flush()
    journal.write("kept")
    history = read_history(journal.path.parent)
    assert [event.kind for event in history] == ["kept"]
    assert history.damage == ()
