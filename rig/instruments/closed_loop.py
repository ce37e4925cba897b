"""The closed loop of an attenuator and a reader: a level in dBm at the terminal, and the proof that a step was felt.

An attenuator's read-back says what the box believes. Only who stands at the end of the path knows what arrived there:
on an unchanged cell and channel the level must fall by what the attenuation grew. Where it does not, the box, its
channel or its cables do something else than the bench file says, and nothing that follows proves anything.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from rig.errors import BenchTrouble, CallerMistake
from rig.instruments.signal import Signal, SignalReader
from rig.units import Dbm, Decibel

TOLERANCE_DB = Decibel(2.0)
"""How far a change of the level may be off: modems tell whole decibels, of an average."""

SETTLE_S = 8.0
"""For how long a reading may lag: modems average, and some refresh what they tell every few seconds."""

_STEPS = 4
_REACH_S = 10.0


@dataclass(frozen=True)
class Lever:
    """An RF path as the loop moves it.

    Attributes:
        name: of the path.
        set: sets an attenuation in dB and returns what reads back.
        get: reads it back.
        maximum: the largest.
        step: what every value is a multiple of.
    """

    name: str
    set: Callable[[Decibel], Decibel]
    get: Callable[[], Decibel]
    maximum: Decibel
    step: Decibel


@dataclass(frozen=True)
class Step:
    """One change of attenuation, and what the reader told of it.

    Attributes:
        from_db: read back before.
        to_db: read back after.
        before: the signal before.
        after: the signal after.
        comparable: whether both have a level of the same cell and channel; else the step proves nothing.
    """

    from_db: Decibel
    to_db: Decibel
    before: Signal
    after: Signal
    comparable: bool

    @property
    def missed_db(self) -> Decibel | None:
        """By how much the level fell more (positive) or less than the attenuation grew; None where not comparable."""
        if not self.comparable or self.before.level is None or self.after.level is None:
            return None
        return Decibel((self.before.level - self.after.level) - (self.to_db - self.from_db))

    def as_dict(self) -> dict[str, Any]:
        """The fields by name, for the history."""
        return {**asdict(self), "missed_db": self.missed_db}


def prove_step(
    lever: Lever,
    reader: SignalReader,
    to: Decibel,
    tolerance: Decibel = TOLERANCE_DB,
    settle_s: float = SETTLE_S,
) -> Step:
    """Change the attenuation, and see that the reader feels it. Begin where the level stands: the first reading counts.

    Args:
        lever: the path.
        reader: who stands at its end.
        to: the attenuation wanted.
        tolerance: how far the change of the level may be off.
        settle_s: for how long a late reading is waited for.

    Returns:
        The step; not comparable where the cell changed or there was no level before or after: it is not judged then.

    Raises:
        BenchTrouble: the attenuator reads back what was asked and the level says otherwise: it is stuck, it lies, or
            another channel moves.
        CallerMistake, BenchTrouble: the attenuator's and the reader's own.
    """
    before, from_db = reader.signal(), lever.get()
    to_db = lever.set(to)

    def step(after: Signal) -> Step:
        heard = before.level is not None and after.level is not None
        return Step(from_db, to_db, before, after, heard and after.same_place_as(before))

    def settled(after: Signal) -> bool:
        missed = step(after).missed_db
        return after.level is None or (missed is not None and abs(missed) <= tolerance)

    try:
        return step(reader.wait_until(settled, settle_s))
    except BenchTrouble as error:
        if type(error) is not BenchTrouble:
            raise  # the reader is gone, mute or talks nonsense: that tells nothing of the box
        last = step(reader.signal())
    if last.missed_db is None or abs(last.missed_db) <= tolerance:
        return last
    raise _disagreement(lever, reader, last, tolerance)


def _disagreement(lever: Lever, reader: SignalReader, step: Step, tolerance: Decibel) -> BenchTrouble:
    """Read-back and reader tell different things of one step: what they tell, and the usual reasons."""
    assert step.before.level is not None
    assert step.after.level is not None
    moved = step.before.level - step.after.level
    if abs(moved) <= tolerance:
        cure = "it is stuck or lies, another channel than this path's moves, or the antenna hears past the cable"
    else:
        cure = "another attenuator or fader is in this path, or a channel of main and diversity antenna is left out"
    return BenchTrouble(
        f"path {lever.name}",
        f"attenuator and reader disagree: the box went from {step.from_db:g} to {step.to_db:g} dB by its own read-back,"
        f" the level at {reader.name} from {step.before.level:g} to {step.after.level:g} dBm on an unchanged cell",
        cure,
    )


def set_signal(
    lever: Lever,
    reader: SignalReader,
    wanted: Dbm,
    tolerance: Decibel = TOLERANCE_DB,
    settle_s: float = SETTLE_S,
) -> Step:
    """Attenuate until the reader tells the level that is wanted.

    Args:
        lever: the path.
        reader: who stands at its end.
        wanted: the level, in the terms of the reader's technology: RSRP, RSCP or RXLEV.
        tolerance: how near is near enough.
        settle_s: for how long a late reading is waited for, a step.

    Returns:
        From where it began to where it ended.

    Raises:
        CallerMistake: the level is outside what this path can do.
        BenchTrouble: as :func:`prove_step`; there is no service to begin with, or none at that level; the reader
            changed to another cell or technology on the way.
    """
    first, from_db = reader.signal(), lever.get()
    if first.level is None:
        from_db = lever.set(Decibel(0.0))
        first = reader.wait_until(lambda signal: signal.registered and signal.level is not None, _REACH_S)
    now, at = first, from_db
    for _ in range(_STEPS):
        assert now.level is not None  # a step that ends without one is raised below
        if abs(now.level - wanted) <= tolerance:
            return Step(from_db, at, first, now, now.same_place_as(first))
        target = _target(lever, reader, now.level, at, wanted)
        if target == at:
            break  # no setting of the box is nearer: the tolerance is less than its step
        done = prove_step(lever, reader, target, tolerance, settle_s)
        if done.after.level is None:
            raise BenchTrouble(
                f"path {lever.name}",
                f"{reader.name} lost its service on the way from {now.level:g} to {wanted:g} dBm",
                "ask for a stronger signal: this is beyond the edge of the cell",
            )
        if not done.comparable:
            raise BenchTrouble(
                f"path {lever.name}",
                f"{reader.name} went to another cell or technology on the way to {wanted:g} dBm: {done.after}",
                "bind the reader to one cell, or screen it from the others",
            )
        now, at = done.after, done.to_db
    assert now.level is not None
    if abs(now.level - wanted) <= max(tolerance, lever.step):
        return Step(from_db, at, first, now, now.same_place_as(first))
    raise BenchTrouble(
        f"path {lever.name}",
        f"{wanted:g} dBm was not reached: {reader.name} tells {now.level:g} dBm at {at:g} dB",
        "does the level swing by itself? screen the terminal, or allow more tolerance",
    )


def _target(lever: Lever, reader: SignalReader, level: Dbm, at: Decibel, wanted: Dbm) -> Decibel:
    """The attenuation that should bring the level there, as a multiple of the box's step."""
    needed = at + (level - wanted)
    target = round(needed / lever.step) * lever.step
    strongest, weakest = level + at, level + at - lever.maximum
    if not (-lever.step / 2 <= needed <= lever.maximum + lever.step / 2) or not math.isfinite(needed):
        raise CallerMistake(
            f"path {lever.name}",
            f"{wanted:g} dBm is outside what it can do: {reader.name} tells {level:g} dBm at {at:g} dB",
            f"ask for {weakest:g} to {strongest:g} dBm",
        )
    return Decibel(min(max(target, 0.0), lever.maximum))
