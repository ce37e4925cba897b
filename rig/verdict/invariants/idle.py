"""M14: the terminal is idle again in bounded time after every fault."""

from __future__ import annotations

from collections.abc import Iterator

from rig.verdict.facts import number
from rig.verdict.model import Breach
from rig.verdict.stories import CaseStory

TERMINAL_IDLE = "terminal idle"
"""What ``settled`` waits for where the terminal itself does not come to rest."""


def terminal_is_idle_again(case: CaseStory) -> Iterator[Breach]:
    """The time to idle is within the terminal's declared limit."""
    if case.settled is None:
        return
    took, limit = number(case.settled.data, "idle_ms"), case.run.idle_limit_ms
    if not case.quiet and case.waiting_for == TERMINAL_IDLE:
        yield Breach.proven("M14", "the terminal did not become idle again", case.settled)
    elif took is not None and limit is not None and took > limit:
        why = f"the terminal became idle again after {took:.0f} ms, its limit is {limit:.0f} ms"
        yield Breach.proven("M14", why, case.settled)
