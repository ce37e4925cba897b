"""What a scorecard holds. It follows from a run's stored files alone: made again, it is the same bytes.

Times in milliseconds, sizes in bytes of IPv4 packets, levels in dBm, losses in dB, money as decimal text.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from rig.report.scorecard.figures import Cost, Portability, Security, Stability, Traffic

FORMAT = 1
"""The version of the written scorecard."""

CONDITIONS = ("ideal", "weak signal", "busy network", "moving", "outage", "hostile network")
"""The conditions of the compare suite, in the order in which they are shown; others follow."""

COUNTED = ("ideal", "weak signal", "busy network")
"""Where a sale should come through. In the others it is meant to fail, or does at some point: the share tells nothing.
"""


@dataclass(frozen=True, slots=True)
class BearerCard:
    """One bearer in four parts."""

    name: str
    kind: str
    stability: tuple[Stability, ...]
    cost: Cost
    security: Security
    portability: Portability

    def under(self, condition: str) -> Stability | None:
        """Its stability under a condition, None where it was not measured."""
        return next((each for each in self.stability if each.condition == condition), None)


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence of the conclusion.

    Attributes:
        about: ``measured``, ``recommendation``, ``stability``, ``choice``, ``cost``, ``security``, ``portability``,
            ``limits``.
        en: in English.
        zh: in Chinese.
        better: the bearers that it prefers; empty where it prefers none.
        worse: those that these are preferred to.
        condition: under which; empty for all.
    """

    about: str
    en: str
    zh: str
    better: tuple[str, ...] = ()
    worse: tuple[str, ...] = ()
    condition: str = ""


@dataclass(frozen=True, slots=True)
class Scorecard:
    """The comparison of a run.

    Attributes:
        run: the name of its folder.
        bench: the bench's name.
        rig: the version that measured.
        backend: who degraded the network.
        simulated: the parts of the bench that were simulated.
        radio: what played the radio, or an empty text.
        devices: what took part.
        traffic: what a month is reckoned for.
        tariff: where the prices are from; empty without.
        tariff_note: what its file says of them.
        bearers: those that were measured, in the order of the bench file.
        doubts: why the history is not whole.
        conclusion: in sentences.
        haste: how many times quicker than in truth the radio model loses and finds its cells.
    """

    run: str
    bench: str
    rig: str
    backend: str
    simulated: tuple[str, ...]
    radio: str
    devices: dict[str, str]
    traffic: Traffic
    tariff: str
    tariff_note: str
    bearers: tuple[BearerCard, ...]
    doubts: tuple[str, ...] = ()
    conclusion: tuple[Statement, ...] = ()
    haste: float = 1.0

    @property
    def conditions(self) -> tuple[str, ...]:
        """Those under which anything was measured, in the order in which they are shown."""
        found = dict.fromkeys(each.condition for bearer in self.bearers for each in bearer.stability)
        return tuple([c for c in CONDITIONS if c in found] + [c for c in found if c not in CONDITIONS])

    def as_data(self) -> dict[str, Any]:
        """As JSON values."""
        return {"format": FORMAT, **asdict(self)}

    def to_json(self) -> str:
        """As text, the same bytes for the same run."""
        return json.dumps(self.as_data(), indent=1, ensure_ascii=False) + "\n"
