"""The safety invariants, one function each: from a case's story to the breaches found in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum

from rig.verdict.cards import CARD_VIEWS
from rig.verdict.invariants.agreement import terminal_and_host_agree
from rig.verdict.invariants.believed import INTERCEPTED, nothing_is_given_to_a_false_host
from rig.verdict.invariants.committed import committed_sale_is_not_reversed
from rig.verdict.invariants.idle import TERMINAL_IDLE, terminal_is_idle_again
from rig.verdict.invariants.late import late_answers_are_discarded
from rig.verdict.invariants.live import one_live_authorisation
from rig.verdict.invariants.matching import reversal_matches_original
from rig.verdict.invariants.owed import reversal_is_sent, reversal_survives_and_precedes
from rig.verdict.invariants.own import cryptogram_is_the_cards_own
from rig.verdict.model import Breach
from rig.verdict.stories import CaseStory

HOST, REGISTER = "host ledger", "ecr"
"""The views, as the bench's capabilities call them."""


class Ripe(Enum):
    """From when on an invariant may be judged."""

    ALWAYS = "always"
    SETTLED = "settled"
    AT_REST = "at rest"
    """A reversal may still be coming until the case has come to rest."""


@dataclass(frozen=True)
class Invariant:
    """One invariant.

    Attributes:
        name: ``M1`` and so on.
        title: what it demands.
        check: finds the breaches.
        views: the capabilities without which nothing can be said.
        either: capabilities one of which is needed, where there are any.
        ripe: from when on it may be judged.
        limit: the field of the run's facts that it measures against, where it does.
    """

    name: str
    title: str
    check: Callable[[CaseStory], Iterator[Breach]]
    views: tuple[str, ...]
    ripe: Ripe = Ripe.ALWAYS
    limit: str = ""
    either: tuple[str, ...] = ()

    def obstacle(self, case: CaseStory) -> str:
        """Why it cannot be judged in this case; empty where it can."""
        if missing := [view for view in self.views if view not in case.run.capabilities]:
            return f"the bench has no view of: {', '.join(missing)}"
        if self.either and not case.run.capabilities.intersection(self.either):
            return f"the bench has no view of: {' or '.join(self.either)}"
        if self.limit and getattr(case.run, self.limit) is None:
            return f"the run does not declare the terminal's {self.limit.replace('_', ' ')}"
        if self.ripe is not Ripe.ALWAYS and case.settled is None:
            return "the case was never settled"
        if self.ripe is Ripe.AT_REST and not case.quiet:
            return f"the case did not come to rest, it was waiting for {case.waiting_for}"
        return ""


_BOTH = (HOST, REGISTER)

INVARIANTS = (
    Invariant("M1", "at most one live authorisation an intent", one_live_authorisation, (HOST,), Ripe.AT_REST),
    Invariant("M2", "terminal and host agree", terminal_and_host_agree, _BOTH, Ripe.AT_REST),
    Invariant("M3", "the owed reversal is sent", reversal_is_sent, _BOTH, Ripe.AT_REST),
    Invariant("M4", "the owed reversal survives, and precedes", reversal_survives_and_precedes, _BOTH, Ripe.AT_REST),
    Invariant("M5", "a reversal matches its original", reversal_matches_original, (HOST,)),
    Invariant("M6", "what is committed is not reversed", committed_sale_is_not_reversed, _BOTH),
    Invariant("M7", "late answers are discarded", late_answers_are_discarded, _BOTH, limit="response_timeout"),
    Invariant("M10", "the cryptogram is the card's own", cryptogram_is_the_cards_own, (HOST,), either=CARD_VIEWS),
    Invariant("M14", "the terminal is idle again", terminal_is_idle_again, (REGISTER,), Ripe.SETTLED, "idle_limit_ms"),
    Invariant(
        "M16", "nothing is given to a false host", nothing_is_given_to_a_false_host, (), either=(HOST, INTERCEPTED)
    ),
)

__all__ = ["HOST", "INVARIANTS", "REGISTER", "TERMINAL_IDLE", "Invariant", "Ripe"]
