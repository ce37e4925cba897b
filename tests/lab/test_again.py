"""What does not hold is measured again, after the others, and says which try it was; what is wrong stays wrong."""

from __future__ import annotations

import pytest

from lab.again import Figures, measure_until_held
from lab.part import Disturbed, LabTrouble, Row


class Machine:
    """Figures that hold only in a certain try, and the order in which they were measured."""

    def __init__(self) -> None:
        self.measured: list[str] = []

    def figures(self, what: str, holds_in_try: int, disturbed: bool = False) -> Figures:
        def measure() -> list[Row]:
            self.measured.append(what)
            held = self.measured.count(what) >= holds_in_try
            if disturbed and not held:
                raise Disturbed("the wall clock was set")
            return [Row("part", what, "", "p50", "", ok=held)]

        return measure


@pytest.fixture
def minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that goes on by a minute each time it is read."""
    now = iter(range(0, 6000, 60))
    monkeypatch.setattr("lab.again.time.monotonic", lambda: float(next(now)))


def test_what_holds_is_measured_once() -> None:
    machine, told = Machine(), list[Row]()
    rows = measure_until_held([machine.figures("a", 1), machine.figures("b", 1)], 0.0, told.append)
    assert machine.measured == ["a", "b"]
    assert rows == told
    assert [row.measured for row in rows] == ["p50", "p50"]


@pytest.mark.parametrize("disturbed", [False, True])
def test_the_next_try_comes_after_all_the_others_and_is_told(disturbed: bool) -> None:
    machine = Machine()
    groups = [machine.figures("a", 3, disturbed), machine.figures("b", 2), machine.figures("c", 1)]
    rows = measure_until_held(groups, 60.0, lambda _: None)
    assert machine.measured == ["a", "b", "c", "a", "b", "a"]
    assert [row.measured for row in rows] == ["p50  (try 3)", "p50  (try 2)", "p50"]


@pytest.mark.usefixtures("minutes")
def test_what_is_wrong_stays_wrong_when_patience_ends() -> None:
    machine = Machine()
    rows = measure_until_held([machine.figures("a", 99), machine.figures("b", 1)], 180.0, lambda _: None)
    assert [row.ok for row in rows] == [False, True]
    assert machine.measured == ["a", "b", "a", "a", "a"]


@pytest.mark.usefixtures("minutes")
def test_a_machine_that_is_disturbed_to_the_end_says_so() -> None:
    machine = Machine()
    with pytest.raises(Disturbed, match="the wall clock was set"):
        measure_until_held([machine.figures("a", 99, disturbed=True)], 180.0, lambda _: None)


def test_what_cannot_be_measured_is_not_tried_again() -> None:
    calls = []

    def impossible() -> list[Row]:
        calls.append(1)
        raise LabTrouble("the kernel stamps no arrivals")

    with pytest.raises(LabTrouble, match="stamps no arrivals"):
        measure_until_held([impossible], 60.0, lambda _: None)
    assert calls == [1]
