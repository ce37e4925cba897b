"""Whether a bench in use still lives: its guard, and every process of it."""

from __future__ import annotations

from rig.bench.devices import Observe
from rig.bench.guard_client import GuardClient
from rig.bench.plan import Places
from rig.errors import BenchTrouble, DeviceGone, RigError


class Health:
    """Hears of the end of processes, and writes ``process_died`` and ``bench_fault`` at once: what the terminal does
    from there on proves nothing against it.
    """

    def __init__(self, guard: GuardClient, places: Places, observe: Observe) -> None:
        self._guard, self._logs, self._observe = guard, places.logs, observe
        self._dead: list[str] = []
        guard.on_death(self._note_death)

    def check(self) -> None:
        """See that all live.

        Raises:
            GuardLost: the guard is gone.
            DeviceGone: a process of the bench ended by itself.
        """
        self._guard.check()
        if self._dead:
            raise DeviceGone(self._dead[0], "its process ended by itself", f"see {self._logs}")

    @property
    def broken(self) -> str:
        """Why nothing further makes sense on this bench. Empty: it lives."""
        try:
            self.check()
        except BenchTrouble as error:
            return str(error)
        return ""

    def note(self, error: RigError) -> None:
        """The bench, not the terminal, is to blame for what follows."""
        self._observe("bench_fault", {"device": error.device, "what": error.what, "cure": error.cure})

    def _note_death(self, name: str, code: int) -> None:
        self._dead.append(name)
        self._observe("process_died", {"name": name, "code": code})
        try:
            self.check()
        except RigError as error:
            self.note(error)
