"""Presenting cards leaves nothing behind. ``python -m benchmarks card`` does the same a thousand times."""

from pathlib import Path

from benchmarks.card import WARM_UP, Held, devices, field, leaked, present_one_after_the_other


def test_two_hundred_presentations_leak_no_file_no_thread_and_no_process(tmp_path: Path) -> None:
    with field(tmp_path) as pid, devices(tmp_path) as (presenter, reader):
        present_one_after_the_other(presenter, reader, WARM_UP)
        before = Held.now(pid)
        present_one_after_the_other(presenter, reader, 200)
        assert leaked(pid, before) == {}
