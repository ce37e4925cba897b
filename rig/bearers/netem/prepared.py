"""Impairments laid out as netlink messages in advance: to put one in force is to send its bytes.

Both directions go in one message to the kernel, which says of each whether it was taken. A step that begins or ends a
cut changes the handle of its netem, so that what was queued is gone; it looks at what is there first, for the count
and for strangers, and costs some round trips more. Whatever the fast way cannot do, the link's whole way does, with
its rollback and its errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rig.bearers.impairment import Impairment
from rig.bearers.netem.qdisc import Encoded, PlacedNetem
from rig.errors import CallerMistake

if TYPE_CHECKING:
    from rig.bearers.netem import NetemLink

Ends = tuple[PlacedNetem, PlacedNetem]
"""The netems of up and down."""


class PreparedNetem:
    """Steps of one link, made by :meth:`NetemLink.prepare`."""

    def __init__(self, link: NetemLink, steps: Sequence[tuple[Impairment, Impairment]], ends: Ends) -> None:
        self._link = link
        self.steps = tuple(steps)
        self._ends = ends
        self._messages: list[tuple[Encoded, Encoded]] = []
        self._lay_out()

    def put(self, number: int) -> None:
        """Put the numbered step in force, both directions.

        Raises:
            CallerMistake: there is no such step.
            BenchTrouble: the interface is gone, a stranger's queueing discipline is there, or the kernel refused.
        """
        if not 0 <= number < len(self.steps):
            raise CallerMistake("step", f"there is no {number}", f"there are {len(self.steps)}, from 0")
        self._link.put_prepared(self, number)

    def ready(self, number: int, ends: Ends) -> tuple[Encoded, Encoded]:
        """The messages of a step, laid out anew where the link was cleared since and has other places now."""
        if ends != self._ends:
            self._ends = ends
            self._lay_out()
        return self._messages[number]

    def _lay_out(self) -> None:
        up, down = self._ends
        cache: dict[tuple[int, Impairment], Encoded] = {}

        def encoded(which: int, end: PlacedNetem, impairment: Impairment) -> Encoded:
            key = (which, impairment)
            if key not in cache:
                cache[key] = end.encode(impairment)
            return cache[key]

        self._messages = [(encoded(0, up, a), encoded(1, down, b)) for a, b in self.steps]
