"""What the test process is told when its guard does not come up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rig.bench.guard_client import GuardClient, reconcile
from rig.bench.lease import Lease
from rig.bench.plan import Places
from rig.bench.sessions import SessionJournal
from rig.errors import BenchBusy, BenchTrouble, CallerMistake, DeviceGone
from rig.history import Redactor
from tests.bench.conftest import VIRTUAL


def settings(places: Places, **changes: Any) -> dict[str, Any]:
    return {
        "bench": str(VIRTUAL), "run": str(places.run), "runtime": str(places.runtime), "why": "a test", **changes
    }  # fmt: skip


def test_a_busy_bench_says_who_holds_it(places: Places) -> None:
    lease = Lease.acquire(places.state.lock, "virtual", "the nightly run")
    with pytest.raises(BenchBusy, match=r"bench virtual: held by .*, for the nightly run"):
        GuardClient(settings(places), places.logs, places.state.root).wait_until_ready()
    lease.release()


def test_a_wrong_bench_file_is_the_callers_mistake(places: Places, tmp_path: Path) -> None:
    with pytest.raises(CallerMistake, match=r"absent\.yaml: no bench file"):
        GuardClient(
            settings(places, bench=str(tmp_path / "absent.yaml")), places.logs, places.state.root
        ).wait_until_ready()


def test_a_state_without_its_keys_is_the_callers_mistake(places: Places) -> None:
    with pytest.raises(CallerMistake, match="no redaction key"):
        GuardClient(settings(places), places.logs, places.state.root).wait_until_ready()


def test_a_guard_that_dies_is_gone_with_its_last_words(places: Places) -> None:
    incomplete = settings(places)
    del incomplete["why"]
    with pytest.raises(DeviceGone, match=r"guard: ended with code 1: KeyError: 'why' \(see .*guard\.log\)"):
        GuardClient(incomplete, places.logs, places.state.root).wait_until_ready()


def test_a_guard_that_fails_in_its_own_way_is_told_as_trouble_of_the_bench(places: Places) -> None:
    Redactor.with_new_key([]).save(places.state.redaction)
    (places.state.root / "guard.jsonl").mkdir()
    with pytest.raises(BenchTrouble, match=r"guard: .*IsADirectoryError"):
        GuardClient(settings(places), places.logs, places.state.root).wait_until_ready()


def test_a_clean_bench_needs_no_mending(places: Places) -> None:
    assert reconcile(VIRTUAL) == 0


def test_a_session_of_which_nothing_lives_is_closed(places: Places) -> None:
    sessions = SessionJournal(places.state.guard_journal)
    sessions.begin(VIRTUAL, places.run, places.runtime)
    assert reconcile(VIRTUAL) == 0
    last = sessions.last()
    assert last is not None
    assert last.released


def test_what_is_in_use_is_not_mended(places: Places) -> None:
    lease = Lease.acquire(places.state.lock, "virtual", "the nightly run")
    with pytest.raises(BenchTrouble, match=r"still not clean: .*the nightly run"):
        reconcile(VIRTUAL)
    lease.release()
