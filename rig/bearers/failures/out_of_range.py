"""Out of range: the path between the terminal and its cell or base is attenuated away."""

from __future__ import annotations

from typing import Any, Protocol

from rig.bearers.failures.failure import Hits, Site
from rig.errors import CallerMistake


class RadioPath(Protocol):
    """The attenuators of one bearer's RF path. Every method raises BenchTrouble where a box fails or clamps."""

    @property
    def maximum_db(self) -> float:
        """As much as the box can."""
        ...

    def attenuate(self, db: float) -> float:
        """Set it, in dB; returns what reads back. CallerMistake: outside the box's range."""
        ...

    def read(self) -> float:
        """What reads back now, in dB."""
        ...

    def make_safe(self) -> object:
        """As at rest."""
        ...


class OutOfRange:
    """The terminal is carried away from its cell or base.

    The terminal sees: silence at first, then no service; after its return it searches before it is connected again.

    Args:
        db: how far, as attenuation; as far as the box can where it is left out.
    """

    sees = "it is carried out of range: silence, then no service; back in range it searches first"

    def __init__(self, db: float | None = None) -> None:
        if db is not None and (isinstance(db, bool) or not 0 < db <= 200):
            raise CallerMistake("out-of-range", f"db is {db}", "above 0, at most what the box can")
        self._db = db
        self._path: RadioPath | None = None

    def start(self, site: Site) -> dict[str, Any]:
        """Attenuate.

        Raises:
            BenchTrouble: no RF path leads there, or its box failed.
        """
        path = site.radio()
        self._db = path.maximum_db if self._db is None else self._db
        self._path = path
        return {"asked_db": self._db, "read_back_db": path.attenuate(self._db)}

    def hits(self) -> Hits:
        """Whether the box still reads so."""
        if self._path is None or self._db is None:
            return Hits(0)
        db = self._path.read()
        return Hits(int(db >= self._db), {"read_back_db": db})

    def stop(self) -> None:
        """Back."""
        path, self._path = self._path, None
        if path is not None:
            path.make_safe()
