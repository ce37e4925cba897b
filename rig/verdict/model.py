"""What the judge says: verdicts, the breaches they rest on, and how they are written down.

The written form holds nothing but what follows from the history, in one order: judged again, it is the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any

from rig.errors import CallerMistake
from rig.history.events import Event

FORMAT = 1
"""The version of the written verdict."""


class Verdict(Enum):
    """What the judge says of a case, worst first."""

    UNSAFE = "unsafe"
    BENCH_FAULT = "bench_fault"
    UNDECIDED = "undecided"
    NOT_AS_REQUIRED = "not_as_required"
    FAILED_SAFELY = "failed_safely"
    COMPLETED = "completed"

    @property
    def words(self) -> str:
        """For people: ``failed safely``."""
        return self.value.replace("_", " ")

    @property
    def terminal_failed(self) -> bool:
        """Whether the terminal is to blame."""
        return self in (Verdict.UNSAFE, Verdict.NOT_AS_REQUIRED)

    @property
    def could_not_tell(self) -> bool:
        """Whether the rig, not the terminal, is the reason."""
        return self in (Verdict.BENCH_FAULT, Verdict.UNDECIDED)

    @classmethod
    def named(cls, words: str) -> Verdict:
        """Read ``failed safely`` or ``failed_safely``.

        Raises:
            CallerMistake: no verdict is called that.
        """
        try:
            return cls(words.strip().lower().replace(" ", "_"))
        except ValueError:
            known = ", ".join(verdict.words for verdict in cls)
            raise CallerMistake("verdict", f"{words!r} is no verdict", f"use one of {known}") from None

    @classmethod
    def worst(cls, verdicts: Iterable[Verdict]) -> Verdict:
        """The worst of them; undecided where there is none, for nothing was seen."""
        found = set(verdicts)
        return next((verdict for verdict in cls if verdict in found), cls.UNDECIDED)


@dataclass(frozen=True, slots=True)
class EventRef:
    """Where an event stands: the journal's process and pid, the number in it, its kind, and monotonic nanoseconds."""

    process: str
    pid: int
    sequence: int
    kind: str
    t: int

    @classmethod
    def to(cls, event: Event) -> EventRef:
        """Point to an event."""
        return cls(event.process, event.pid, event.sequence, event.kind, event.t)

    def __str__(self) -> str:
        return f"{self.process}-{self.pid}#{self.sequence} {self.kind}"


@dataclass(frozen=True, slots=True)
class Breach:
    """A broken invariant: which one, why in one sentence, and the events that prove it."""

    invariant: str
    why: str
    evidence: tuple[EventRef, ...]

    @classmethod
    def proven(cls, invariant: str, why: str, *evidence: Event | None) -> Breach:
        """A breach that rests on these events; an event that is not there is left out."""
        found = sorted({EventRef.to(event) for event in evidence if event}, key=lambda ref: (ref.t, str(ref)))
        return cls(invariant, why, tuple(found))


@dataclass(frozen=True, slots=True)
class CaseVerdict:
    """The verdict of one case.

    Attributes:
        case: its id.
        title: for people.
        bearer: the bearer it was about.
        required: the verdicts that it accepts.
        verdict: what the judge says.
        why: in a sentence or a few.
        breaches: the broken invariants; only an unsafe case has any.
        not_judged: the invariants that could not be judged, each with the reason.
        counts: what was seen: ``intents``, ``requests``, ``answers``, ``reversals``, ``ledger_approved``, ``faults``,
            ``faults_proven``.
    """

    case: str
    title: str
    bearer: str
    required: tuple[Verdict, ...]
    verdict: Verdict
    why: str
    breaches: tuple[Breach, ...] = ()
    not_judged: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)

    def as_data(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            **asdict(self),
            "required": [verdict.value for verdict in self.required],
            "verdict": self.verdict.value,
            "not_judged": dict(self.not_judged),
            "counts": dict(self.counts),
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> CaseVerdict:
        """The reverse of :meth:`as_data`."""
        breaches = (
            Breach(raw["invariant"], raw["why"], tuple(EventRef(**ref) for ref in raw["evidence"]))
            for raw in data["breaches"]
        )
        return cls(
            data["case"],
            data["title"],
            data["bearer"],
            tuple(Verdict(name) for name in data["required"]),
            Verdict(data["verdict"]),
            data["why"],
            tuple(breaches),
            dict(data["not_judged"]),
            dict(data["counts"]),
        )


@dataclass(frozen=True, slots=True)
class RunVerdict:
    """The verdict of a run.

    Attributes:
        cases: one a case, in the order in which they ran; those that never ran stand last.
        bench_faults: the bench's trouble outside of any case, one sentence each.
        doubts: why the history is not whole, one sentence each.
        skipped: the cases that this bench cannot run, each with what it lacks. They are no verdict and no doubt.
    """

    cases: tuple[CaseVerdict, ...]
    bench_faults: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    skipped: Mapping[str, str] = field(default_factory=dict)

    @property
    def worst(self) -> Verdict:
        """The worst verdict of the cases and of the bench."""
        found = [case.verdict for case in self.cases]
        found += [Verdict.BENCH_FAULT] if self.bench_faults else []
        found += [Verdict.UNDECIDED] if self.doubts else []
        return Verdict.worst(found)

    @property
    def exit_code(self) -> int:
        """0: all as required. 1: the terminal failed somewhere. 2: the rig could not tell, or nothing ran."""
        if any(case.verdict.terminal_failed for case in self.cases):
            return 1
        return 2 if self.worst.could_not_tell else 0

    @property
    def verdicts(self) -> dict[str, int]:
        """How many cases have which verdict; every verdict is named."""
        found = [case.verdict for case in self.cases]
        return {verdict.value: found.count(verdict) for verdict in reversed(Verdict)}

    def total(self, name: str) -> int:
        """The sum of one of the cases' counts."""
        return sum(case.counts.get(name, 0) for case in self.cases)

    def to_json(self) -> str:
        """The verdict as text, the same bytes for the same history."""
        data = {
            "format": FORMAT,
            "worst": self.worst.value,
            "exit_code": self.exit_code,
            "verdicts": self.verdicts,
            "bench_faults": list(self.bench_faults),
            "doubts": list(self.doubts),
            "skipped": dict(self.skipped),
            "cases": [case.as_data() for case in self.cases],
        }
        return json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, written: str) -> RunVerdict:
        """Read what :meth:`to_json` wrote.

        Raises:
            CallerMistake: the text is no verdict, or of another version.
        """
        try:
            data = json.loads(written)
            if data["format"] != FORMAT:
                raise ValueError(f"format {data['format']}, and this rig reads {FORMAT}")
            cases = tuple(CaseVerdict.from_data(case) for case in data["cases"])
            return cls(cases, tuple(data["bench_faults"]), tuple(data["doubts"]), dict(data["skipped"]))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CallerMistake("verdict", f"not a written verdict: {error}", "judge the run again") from error
