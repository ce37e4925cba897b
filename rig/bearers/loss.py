"""Loss in bursts: the model of Gilbert and Elliott, as netem has it (``loss gemodel``).

A chain of two states, stepped once a packet. While it is good few packets are lost or none, while it is bad most or
all. The state in which a packet arrives decides over it; then the chain may turn.

Facts: Gilbert 1960; Elliott 1963; ``loss_gilb_ell`` in ``net/sched/sch_netem.c``; ``tc-netem(8)``, whose ``1-h`` and
``1-k`` are the losses here. Seen with 5/30/100/0 on a real kernel: 13.0 % lost (theory 14.3), mean burst 3.38 (3.33).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rig.bearers.ranges import require_known, require_range
from rig.errors import CallerMistake


@dataclass(frozen=True, slots=True)
class GilbertElliott:
    """The two states and how one turns into the other.

    Attributes:
        to_bad_percent: chance a packet that good turns bad (p).
        to_good_percent: chance a packet that bad turns good again (r); above zero.
        loss_in_bad_percent: chance that a packet is lost while bad (1-h).
        loss_in_good_percent: chance that a packet is lost while good (1-k).

    Raises:
        CallerMistake: a value outside its range.
    """

    to_bad_percent: float
    to_good_percent: float
    loss_in_bad_percent: float = 100.0
    loss_in_good_percent: float = 0.0

    def __post_init__(self) -> None:
        require_range("burst_loss.to_bad_percent", self.to_bad_percent, 0, 100)
        require_range("burst_loss.to_good_percent", self.to_good_percent, 0.001, 100, "it must get well again; or cut")
        require_range("burst_loss.loss_in_bad_percent", self.loss_in_bad_percent, 0, 100)
        require_range("burst_loss.loss_in_good_percent", self.loss_in_good_percent, 0, 100)

    @property
    def mean_loss_percent(self) -> float:
        """The share of packets that is lost in the long run."""
        p, r = self.to_bad_percent, self.to_good_percent
        return (p * self.loss_in_bad_percent + r * self.loss_in_good_percent) / (p + r)

    @property
    def mean_bad_packets(self) -> float:
        """How many packets a bad time lasts in the mean: the mean burst, where bad loses all and good none."""
        return 100 / self.to_good_percent

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> GilbertElliott:
        """Read fields by their names.

        Raises:
            CallerMistake: an unknown name, a missing one, or a wrong value.
        """
        values = require_known(cls, "burst_loss", raw)
        if missing := sorted({"to_bad_percent", "to_good_percent"} - set(values)):
            raise CallerMistake("burst_loss", f"lacks {', '.join(missing)}")
        return cls(**values)

    def __str__(self) -> str:
        return f"{self.mean_loss_percent:.3g} % loss in bursts of {self.mean_bad_packets:.3g}"
