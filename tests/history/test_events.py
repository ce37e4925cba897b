"""One order for all journals, whatever the order in which they are read, and whatever a crash left of them."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.history import Event, Tail, read_history
from rig.history.events import VERSION, merge

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def event(t: int = 1, process: str = "rig", sequence: int = 1, boot: str = "b", pid: int = 7, **data: Any) -> Event:
    return Event(boot, t, process, pid, sequence, "kind", data)


def write(folder: Path, name: str, *events: Event, tail: bytes = b"") -> Path:
    path = folder / f"{name}.jsonl"
    path.write_bytes(b"".join(each.to_line().encode() + b"\n" for each in events) + tail)
    return path


@given(st.integers(0, 2**63), st.text(min_size=1), st.dictionaries(st.text(), json_values, max_size=4))
def test_an_event_reads_back_as_it_was_written(t: int, kind: str, data: dict[str, Any]) -> None:
    written = Event("boot", t, "rig", 7, 1, kind, data, "2026-01-01T00:00:00+00:00")
    line = written.to_line()
    assert "\n" not in line
    assert Event.from_line(line) == written


def test_the_written_form_is_this_one() -> None:
    # Stored histories are read years later: a change here is a new version.
    line = '{"v":1,"boot":"b","t":5,"process":"rig","pid":7,"seq":2,"kind":"power","wall":"w","data":{"on":false}}'
    assert Event.from_line(line) == Event("b", 5, "rig", 7, 2, "power", {"on": False}, "w")
    assert Event.from_line(line).to_line() == line
    assert VERSION == 1


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("", "Expecting value"),
        ("null", "not an event of version 1"),
        ("[]", "not an event of version 1"),
        ("{}", "not an event of version 1"),
        ('{"v":2,"boot":"b","t":1,"process":"p","pid":1,"seq":1,"kind":"k","data":{}}', "not an event of version 1"),
        ('{"v":1,"boot":"b","process":"p","pid":1,"seq":1,"kind":"k","data":{}}', "an event without 't'"),
        ('{"v":1,"boot":"b","t":"1","process":"p","pid":1,"seq":1,"kind":"k","data":{}}', "of the wrong type"),
        ('{"v":1,"boot":"b","t":true,"process":"p","pid":1,"seq":1,"kind":"k","data":{}}', "of the wrong type"),
        ('{"v":1,"boot":"b","t":1,"process":"p","pid":"1","seq":1,"kind":"k","data":{}}', "of the wrong type"),
        ('{"v":1,"boot":"b","t":1,"process":"p","pid":1,"seq":null,"kind":"k","data":{}}', "of the wrong type"),
        ('{"v":1,"boot":"b","t":1,"process":"p","pid":1,"seq":1,"kind":"k","data":[]}', "of the wrong type"),
        ("[" * 100_000, "nested too deep"),
    ],
    ids=range(12),
)
def test_a_line_that_is_no_event_says_why(line: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Event.from_line(line)


def test_the_merge_is_by_boot_then_time_then_process_then_sequence() -> None:
    expected = [
        event(boot="a", t=9, process="z", sequence=9),
        event(boot="b", t=1, process="z", sequence=9),
        event(boot="b", t=2, process="acquirer", sequence=9),
        event(boot="b", t=2, process="rig", sequence=1),
        event(boot="b", t=2, process="rig", sequence=2),
        event(boot="b", t=3, process="acquirer", sequence=1),
    ]
    shuffled = expected[:]
    random.Random(1).shuffle(shuffled)
    assert list(merge(shuffled)) == expected


def test_wall_time_has_no_say() -> None:
    early, late = Event("b", 1, "rig", 7, 1, "k", {}, "2030"), Event("b", 2, "rig", 7, 2, "k", {}, "2020")
    assert merge([late, early]) == (early, late)


journals = st.dictionaries(
    st.tuples(st.sampled_from(["rig", "acquirer", "terminal"]), st.integers(1, 3), st.sampled_from(["a", "b"])),
    st.lists(st.integers(0, 20), min_size=1, max_size=6).map(sorted),
    max_size=6,
)


@given(journals, st.randoms())
def test_the_merge_does_not_depend_on_the_order_of_the_files(
    tmp_path_factory: pytest.TempPathFactory, content: dict[tuple[str, int, str], list[int]], chance: random.Random
) -> None:
    files = [
        [event(t, process, number, boot, pid) for number, t in enumerate(times, 1)]
        for (process, pid, boot), times in content.items()
    ]
    histories = []
    for _ in range(2):
        chance.shuffle(files)
        folder = tmp_path_factory.mktemp("journals")
        for number, events in enumerate(files):
            write(folder, f"{number}", *events)
        histories.append(read_history(folder))
    assert histories[0] == histories[1]
    assert histories[0].damage == histories[0].torn == ()
    assert len(histories[0]) == sum(len(events) for events in files)
    for events in files:
        assert [each for each in histories[0] if each in events] == events, "a journal's own order stays"


def test_a_journal_cut_at_any_byte_of_its_last_line_loses_that_line_alone(tmp_path: Path) -> None:
    whole = [event(1, "rig", 1), event(3, "rig", 2)]
    other = [event(2, "acquirer", 1), event(4, "acquirer", 2)]
    last = event(5, "rig", 3, text="Grüße\n", more=[1, 2]).to_line().encode()
    write(tmp_path, "acquirer", *other)
    for length in range(len(last) + 1):
        write(tmp_path, "rig", *whole, tail=last[:length])
        history = read_history(tmp_path)
        assert history.events == (whole[0], other[0], whole[1], other[1])
        assert history.damage == ()
        assert history.torn == (("rig.jsonl",) if length else ())


def test_every_writers_last_line_may_be_torn(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        write(tmp_path, name, event(1, name), tail=b'{"v":1,"boot":"b","t":9')
    history = read_history(tmp_path)
    assert [each.process for each in history] == ["a", "b", "c"]
    assert history.torn == ("a.jsonl", "b.jsonl", "c.jsonl")
    assert history.damage == ()


def test_damage_anywhere_else_is_named_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, "rig", event(1, sequence=1), event(2, sequence=2), event(3, sequence=3))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1][:20] + b"\n" + lines[2])
    history = read_history(tmp_path)
    assert [each.t for each in history] == [1, 3]
    assert len(history.damage) == 2
    assert history.damage[0].startswith("rig.jsonl line 2: ")
    assert history.damage[1] == "rig.jsonl line 3: event 3 follows event 1"


@pytest.mark.parametrize("garbage", [b"\xff\xfe\x00", b"", b"{}", b"nonsense", b"\x00" * 100])
def test_garbage_between_events_is_damage_and_never_an_exception(tmp_path: Path, garbage: bytes) -> None:
    line = event(1).to_line().encode()
    (tmp_path / "rig.jsonl").write_bytes(garbage + b"\n" + line + b"\n")
    history = read_history(tmp_path)
    assert [each.t for each in history] == [1]
    assert [text.split(":")[0] for text in history.damage] == ["rig.jsonl line 1"]


def test_an_event_that_is_missing_or_comes_twice_is_damage(tmp_path: Path) -> None:
    write(tmp_path, "gap", event(1, sequence=1), event(2, sequence=3))
    write(tmp_path, "late", event(1, "late", sequence=2))
    write(tmp_path, "twice", event(1, "twice"), event(1, "twice"))
    assert read_history(tmp_path).damage == (
        "gap.jsonl line 2: event 3 follows event 1",
        "late.jsonl line 1: event 2 follows event 0",
        "twice.jsonl line 2: event 1 follows event 1",
    )


def test_a_journal_of_another_version_is_damage_in_each_line(tmp_path: Path) -> None:
    raw = json.loads(event(1).to_line()) | {"v": VERSION + 1}
    (tmp_path / "rig.jsonl").write_text(json.dumps(raw) + "\n")
    history = read_history(tmp_path)
    assert len(history) == 0
    assert history.damage == ("rig.jsonl line 1: not an event of version 1",)


def test_only_journals_are_read_and_no_folder_is_no_history(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nonsense")
    (tmp_path / "empty.jsonl").touch()
    assert read_history(tmp_path) == read_history(tmp_path / "absent")


def test_events_of_some_kinds_in_their_order(tmp_path: Path) -> None:
    kinds = ["power", "moment", "power", "signal"]
    write(tmp_path, "rig", *(Event("b", t, "rig", 7, t, kind, {}) for t, kind in enumerate(kinds, 1)))
    assert [each.t for each in read_history(tmp_path).of("power", "signal")] == [1, 3, 4]


def test_a_tail_tells_each_event_once_and_in_order(tmp_path: Path) -> None:
    tail = Tail(tmp_path)
    assert tail.poll() == ()
    write(tmp_path, "rig", event(1), event(4, sequence=2))
    write(tmp_path, "acquirer", event(2, "acquirer"))
    assert [each.t for each in tail.poll()] == [1, 2, 4]
    assert tail.poll() == ()
    with (tmp_path / "rig.jsonl").open("ab") as file:
        file.write(event(5, sequence=3).to_line().encode() + b"\n")
    assert [each.t for each in tail.poll()] == [5]


@given(st.lists(st.integers(0, 400), max_size=12))
def test_a_tail_that_meets_half_written_lines_loses_nothing_and_doubles_nothing(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("tail")
    events = [event(number, sequence=number, text="ü\u2028\r") for number in range(1, 5)]
    content = b"".join(each.to_line().encode() + b"\n" for each in events)
    tail, seen, written = Tail(folder), list[Event](), 0
    for cut in [*sorted(cuts), len(content)]:
        with (folder / "rig.jsonl").open("ab") as file:
            file.write(content[written:cut])
        written = max(written, min(cut, len(content)))
        seen += tail.poll()
    assert seen == events


def test_a_tail_passes_over_damage(tmp_path: Path) -> None:
    (tmp_path / "rig.jsonl").write_bytes(b"nonsense\n\xff\n" + event(1).to_line().encode() + b"\n")
    assert [each.t for each in Tail(tmp_path).poll()] == [1]
