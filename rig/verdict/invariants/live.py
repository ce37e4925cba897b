"""M1: at most one live authorisation an intent."""

from __future__ import annotations

from collections.abc import Iterator

from rig.verdict.model import Breach
from rig.verdict.stories import CaseStory


def one_live_authorisation(case: CaseStory) -> Iterator[Breach]:
    """Over all retries of an intent, under whatever trace numbers, the host holds one authorisation at most."""
    for intent in case.intents.values():
        live = [request for request in intent.requests.values() if request.sale_stands]
        if len(live) > 1:
            keys = " and ".join(request.key for request in live)
            evidence = [event for request in live for event in (request.first, request.row)]
            yield Breach.proven(
                "M1", f"{intent.operation} {intent.name} stands {len(live)} times at the host: {keys}",
                intent.begun, *evidence, case.settled,
            )  # fmt: skip
