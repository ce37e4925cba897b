"""A cut of one direction is one only where the other direction is whole."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from lab import fates
from lab.timing import Bench
from rig.bearers.impairment import Impairment


class FakeWire:
    """A link on which so many of 200 packets arrive in a direction that is cut, and in one that is whole."""

    def __init__(self, cut: int, whole: int) -> None:
        self.came = {True: cut, False: whole}
        self.now: tuple[Impairment, ...] = ()

    def put(self, up: Impairment, down: Impairment) -> None:
        self.now = up, down

    def both(self, *_: Any) -> tuple[SimpleNamespace, ...]:
        return tuple(SimpleNamespace(arrivals=[None] * self.came[each.cut]) for each in self.now)


@pytest.mark.parametrize(("cut", "whole", "held"), [(0, 200, True), (1, 200, False), (0, 0, False), (0, 199, False)])
def test_a_cut_alone(cut: int, whole: int, held: bool) -> None:
    bench = Bench("x", "netem", cast(Any, [FakeWire(cut, whole)]))
    rows = list(fates._cut(bench))
    assert [row.what for row in rows] == ["cut up alone", "cut down alone"]
    assert [row.ok for row in rows] == [held, held]
    assert rows[0].measured == f"{cut} of 200 came, {whole} down"
