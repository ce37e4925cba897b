"""Taking a bench: its state made ready, its leftovers mended, its guard started, its devices opened.

The guard brings the bench up in its own process while this one still imports the drivers.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rig.bench.description import BenchFile, load_bench
from rig.bench.guard_client import GuardClient, reconcile
from rig.bench.isolation import isolate
from rig.bench.lease import busy, holder
from rig.bench.places import StateDirectory, new_runtime_folder
from rig.bench.plan import Places, cards_folder
from rig.bench.sessions import SessionJournal
from rig.bench.state import prepare_state
from rig.history import Journal

if TYPE_CHECKING:
    from rig.bench.session import Bench


@dataclass
class Opening:
    """A bench on its way up: taken, its guard at work, its devices not opened yet."""

    bench_file: BenchFile
    places: Places
    journal: Journal
    guard: GuardClient

    @classmethod
    def start(cls, path: Path, run: Path, why: str) -> Opening:
        """Take a bench, and do not wait until it is up.

        Args:
            path: the bench file.
            run: the run's folder; journals, capture and results land in it.
            why: what the bench is taken for; others who want it will read it.

        Raises:
            CallerMistake: the bench file is wrong.
            BenchBusy: somebody else holds the bench.
            BenchTrouble: there can be no private network, or what a crash left could not be mended.
        """
        bench_file = load_bench(path)
        state = StateDirectory.of(bench_file.name)
        if who := holder(state.lock):
            raise busy(bench_file.name, who)
        redactor = prepare_state(bench_file, state, cards_folder(path, bench_file))
        last = SessionJournal(state.guard_journal).last()
        if last is not None and not last.released:
            reconcile(path)
        isolate(bench_file)
        places = Places(path.resolve(), state, run.resolve(), new_runtime_folder(bench_file.name))
        places.make()
        journal = Journal.open(places.journals, "rig", redactor)
        settings = {"bench": str(places.bench_file), "run": str(places.run), "runtime": str(places.runtime), "why": why}
        return cls(bench_file, places, journal, GuardClient(settings, places.logs, state.root))

    def finish(self, planned: list[str] | None = None) -> Bench:
        """Wait until the bench is up, and open its devices.

        Args:
            planned: the cases that will run, so that those which never ran are known.

        Raises:
            BenchBusy: somebody else holds the bench.
            BenchTrouble: a device is missing, mute, or talks nonsense. The bench is given back then.
        """
        from rig.bench.session import Bench

        try:
            self.guard.wait_until_ready()
            bench = Bench(self.bench_file, self.places, self.guard, self.journal)
        except BaseException:
            self.abandon()
            raise
        bench.begin(planned or [])
        return bench

    def abandon(self) -> None:
        """Give the bench back unused."""
        self.guard.let_go()
        self.journal.close()


def open_bench(path: Path, run: Path, why: str, planned: list[str] | None = None) -> Bench:
    """Take a bench and wait until it is up; arguments and errors as :class:`Opening` has them."""
    return Opening.start(path, run, why).finish(planned)
