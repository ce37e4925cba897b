"""A bench in use by a test process: operations with faults, cases, and the evidence of them in the history."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from rig.bearers.bearer import Bearer
from rig.bearers.timeline import Replay, Timeline
from rig.bearers.timeline.play import Play
from rig.bench.carding import Carding
from rig.bench.cases import Cases
from rig.bench.description import BenchFile
from rig.bench.devices import open_devices, require
from rig.bench.failing import Begun
from rig.bench.guard_client import GuardClient
from rig.bench.health import Health
from rig.bench.host_moments import HostMoments
from rig.bench.inventory import capabilities, inventory
from rig.bench.operations import Operation, Operations
from rig.bench.plan import Places
from rig.bench.seen import SeenMoments
from rig.bench.settle import settle
from rig.bench.stage import BenchStage
from rig.cards.presenter import Presenter
from rig.cards.profile import Interface
from rig.errors import RigError
from rig.faults import Fault, Injector, LateProof, Moment
from rig.history import Event, Journal, Redactor
from rig.instruments.closed_loop import Step
from rig.instruments.signal import Signal
from rig.units import Dbm, Decibel
from rig.verdict import CaseVerdict, Verdict


class Bench:
    """One bench, opened by :func:`rig.bench.opening.open_bench` and held until :meth:`close`.

    One thread uses it; faults run on the threads of the devices. An operation writes its intent to the history before
    anything else, and never raises for what the terminal does: that is its outcome. What the bench itself does wrong
    is raised as :class:`rig.errors.BenchTrouble`.
    """

    def __init__(self, bench_file: BenchFile, places: Places, guard: GuardClient, journal: Journal) -> None:
        self.file = bench_file
        self.run = places.run
        self._places = places
        self._guard = guard
        self._journal = journal
        self._unsettled = False
        self._health = Health(guard, places, self.observe)
        seen = SeenMoments()
        self._devices = open_devices(bench_file, places, guard.info["backend"], self.observe, seen.card, seen.ecr)
        self._carding = Carding(places.cards(bench_file), Redactor.load(places.state.redaction).allows, self._devices)
        impairments, timelines = places.impairments(bench_file), places.timelines(bench_file)
        self.stage = BenchStage(bench_file, self._devices, self._carding, impairments, self.observe, timelines)
        self._host_moments = HostMoments(require(self._devices.acquirer, "acquirer"))
        self._injector = seen.injector = Injector(self.stage, self._host_moments, self.observe)
        self._host_moments.listen(self._injector.held_at_host, self._injector.answered_by_host, self.note_trouble)
        self.operations = Operations(bench_file, self._devices, self._carding, self._injector, journal)
        self._cases = Cases(journal, places.journals)

    def begin(self, planned: list[str]) -> None:
        """Wait until the terminal is up, and begin the run's history.

        Args:
            planned: the cases that will run, so that those which never ran are known.

        Raises:
            BenchTrouble: the terminal is not up in time; the bench is given back then.
        """
        try:
            self.terminal.wait_until_up(self.file.terminal.boot_limit_s)
            # What an earlier run left in the terminal's queue goes now, and is nobody's in this one.
            self.terminal.flush(self.file.terminal.flush_limit_s)
            self.inventory = inventory(self.file, self._devices, self._guard.info, self._places.state.calibration)
            self._begin_run(planned)
        except BaseException as error:
            if isinstance(error, RigError):
                self.note_trouble(error)
            self.close(interrupted=isinstance(error, KeyboardInterrupt))
            raise

    def _begin_run(self, planned: list[str]) -> None:
        begun = self._journal.write(
            "run_begin",
            durable=True,
            planned=planned,
            capabilities=capabilities(self.file),
            terminal=self.file.terminal.model_dump(exclude={"password"}),
            **self.inventory,
        )
        self._cases.begin_run(begun)

    def close(self, interrupted: bool = False) -> bool:
        """Give the bench back; returns whether the guard restored it, read it back, and found it clean.

        Trouble on the way is noted, not raised: the verdict and the report of what ran must follow.
        """
        self._journal.write("run_end", interrupted=interrupted)
        self._host_moments.close()
        clean = False
        try:
            self._devices.close()
        except RigError as error:
            self.note_trouble(error)
        try:
            clean = self._guard.let_go()
        except RigError as error:
            self.note_trouble(error)
        if not clean:
            self.observe("bench_fault", {"device": "bench", "what": "not clean after the run", "cure": "rig doctor"})
        self._journal.close()
        return clean

    # --- what the bench is made of -----------------------------------------------------------------------------------

    @property
    def terminal(self) -> Any:
        """The terminal under test, a :class:`rig.terminals.base.Terminal`."""
        return self._devices.terminal

    @property
    def bearers(self) -> dict[str, Bearer]:
        """Bearers by name."""
        return self._devices.bearers

    @property
    def presenters(self) -> dict[str, Presenter]:
        """What presents cards, by name."""
        return self._devices.presenters

    @property
    def acquirer(self) -> Any:
        """The host's control, a :class:`rig.acquirer.control.AcquirerClient`."""
        return self._devices.acquirer

    @property
    def response_timeout_s(self) -> float:
        """How long the terminal waits for its host."""
        return self.file.terminal.response_timeout_s

    # --- operations --------------------------------------------------------------------------------------------------

    def sale(self, amount: int, card: str, *faults: Fault, interface: Interface | None = None) -> Operation:
        """A sale of ``amount`` minor units with the named test card, with faults at their moments.

        Args:
            amount: minor units of the terminal's currency.
            card: the name of a test card.
            faults: what happens to the sale.
            interface: how the card is presented; the first of the card's own that the bench can do where left out.

        Raises:
            CallerMistake: no such card or bearer, or an amount that is none.
            BenchTrouble: the bench failed.
        """
        sale = self.operations.sale(amount, card, *faults, interface=interface)
        self.check()
        return sale

    def void(self, sale: Operation) -> Operation:
        """Take a sale back."""
        return self.operations.void(sale)

    def end_of_day(self, *faults: Fault) -> Operation:
        """Settle the day between terminal and host; ``faults`` are the host's own (:mod:`rig.faults.host`)."""
        return self.operations.end_of_day(*faults)

    def attenuate(self, path: str, loss: Decibel) -> float:
        """Set an RF path; returns what reads back, in dB."""
        return self.stage.attenuate(path, loss)

    def signal(self, bearer: str | None = None) -> Signal:
        """What the modem reports now of a bearer, the first one that is watched where left out."""
        return self.stage.signal(bearer)

    def set_signal(self, path: str, level: Dbm) -> Step:
        """Attenuate an RF path until its reader tells that level: RSRP, RSCP or RXLEV, by the technology in use."""
        return self.stage.signals.set_signal(path, level)

    def wait_for_signal(self, wanted: Callable[[Signal], bool], bearer: str | None = None) -> Signal:
        """Wait until the modem reports what is wanted."""
        return self.stage.wait_for_signal(wanted, bearer)

    def impair(self, bearer: str, profile: str) -> None:
        """Give a bearer a named impairment until the case ends."""
        self.stage.impair_bearer(bearer, profile)

    def fail(self, bearer: str, failure: str, **options: Any) -> LateProof:
        """Give a bearer a named failure until the case ends (:mod:`rig.bearers.failures`); it must be felt by then.

        Returns:
            What it has met until the moment when this is called.

        Raises:
            CallerMistake: no such bearer or failure, or an option out of range.
            BenchTrouble: it could not be begun.
        """
        begun = Begun(bearer, failure, options)
        self._injector.arm(begun.action.at(Moment.BETWEEN_SALES))
        return begun.proof

    def play(self, bearer: str, timeline: str | Timeline) -> Play:
        """Play a timeline on a bearer: a name in ``fixtures/timelines``, a file's path, or one made by an importer.

        It ends with the case at the latest; the handle can be waited for and stopped. Raises as :meth:`Playing.start`.
        """
        return self.stage.play(bearer, timeline)

    def wait_for_timeline(self, bearer: str) -> Replay:
        """Wait until what plays on a bearer has ended; its last step stays in force until the case ends."""
        return self.stage.wait_for_timeline(bearer)

    def use_only(self, *bearers: str) -> None:
        """Switch every other bearer off until the case ends."""
        self.stage.use_only(*bearers)

    def bring_back(self, bearer: str) -> None:
        """As if nothing had been done to a bearer, and it is there again; the others stay as they are."""
        self.stage.bring_back(bearer)

    def host_up(self) -> None:
        """The host accepts connections again."""
        self.stage.host_up()

    def power_cycle(self) -> None:
        """Cut the terminal's power, give it back, and wait until it has booted."""
        self.stage.power_cycle()

    # --- cases -------------------------------------------------------------------------------------------------------

    @property
    def in_case(self) -> bool:
        """Whether a case has begun and not ended."""
        return self._cases.current is not None

    def lacking(self, needs: Iterable[str]) -> list[str]:
        """What a case needs and this bench has not, by name."""
        found = capabilities(self.file)
        return [need for need in needs if need not in found]

    def skip_case(self, case: str, lacking: list[str]) -> None:
        """This bench cannot run a case; it is skipped by name, and nobody is blamed."""
        self.observe("case_skipped", {"case": case, "lacking": lacking})

    def begin_case(self, case: str, title: str, requires: list[Verdict], bearer: str) -> None:
        """From here on, everything that happens belongs to this case. What the case before could not settle is settled
        first: what it left behind would be blamed on the terminal.
        """
        self.operations.forget()
        self._cases.begin(case, title, requires, bearer)
        if self._unsettled and not self.broken:
            self._settle()
        self._unsettled = True

    def end_case(self) -> tuple[CaseVerdict, list[Event]]:
        """Settle the bench, and judge what happened since :meth:`begin_case`."""
        self._unsettled = not self._settle()
        return self._cases.end()

    def _settle(self) -> bool:
        try:
            self._injector.finish()
            self.check()
            settle(self.file, self._devices, self.stage, self.operations, self.observe, self._cases.began_t)
            self.check()
        except RigError as error:
            self.note_trouble(error)
            return False
        return True

    def check(self) -> None:
        """See that the guard and every process of the bench still live.

        Raises:
            GuardLost: the guard is gone.
            DeviceGone: a process of the bench ended by itself.
        """
        self._health.check()

    @property
    def broken(self) -> str:
        """Why no further case makes sense on this bench: its guard or one of its processes is gone. Empty: it lives."""
        return self._health.broken

    def note_trouble(self, error: RigError) -> None:
        """The bench, not the terminal, is to blame for what follows."""
        self._health.note(error)

    def note_expectation(self, what: str) -> None:
        """Something that the case asserts does not hold."""
        self.observe("expectation_failed", {"what": what})

    def note_skip(self, why: str) -> None:
        """The case was not run to its end, and is no pass therefore."""
        self.observe("case_skipped", {"why": why})

    def observe(self, kind: str, data: dict[str, Any]) -> None:
        """Write an event to the history."""
        self._journal.write(kind, **data)
