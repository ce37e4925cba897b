"""M16: what is meant for the host is given to nobody else."""

from __future__ import annotations

from collections.abc import Iterator

from rig.history.events import Event
from rig.verdict.facts import number, part, text
from rig.verdict.model import Breach
from rig.verdict.stories import CaseStory

INTERCEPTED = "network failures"
"""The capability of a bench that can play somebody else on a bearer; the fronts need the host alone."""


def nothing_is_given_to_a_false_host(case: CaseStory) -> Iterator[Breach]:
    """Not one byte of application data is given behind a TLS front that must not be believed, or to an impostor.

    A handshake that was finished is no breach yet: a terminal may look at the certificate after it. The bytes are the
    deed.
    """
    given: dict[str, list[tuple[Event, int]]] = {}
    for met in case.of("front_met"):
        _note(given, f"the front {text(met.data, 'front')!r}", met, number(met.data, "application_bytes"))
    for failure in case.of("network_failure"):
        if failure.data.get("active") is False:
            caught = number(part(failure.data, "detail"), "application_bytes")
            _note(given, f"an impostor ({text(failure.data, 'failure')})", failure, caught)
    for whom, deeds in given.items():
        total = sum(count for _, count in deeds)
        why = f"the terminal gave {total} bytes of application data to {whom}, which it must not believe"
        yield Breach.proven("M16", why, *[event for event, _ in deeds])


def _note(given: dict[str, list[tuple[Event, int]]], whom: str, event: Event, count: float | None) -> None:
    if count is not None and count > 0:
        given.setdefault(whom, []).append((event, round(count)))
