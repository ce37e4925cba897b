"""Two families of errors, each naming the thing, what happened, and the usual cure."""

from __future__ import annotations

import pickle

import pytest

from rig import errors
from rig.errors import BenchTrouble, CallerMistake, RigError

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, RigError) and kind is not RigError
]


def test_an_error_in_one_line() -> None:
    assert str(BenchTrouble("modem", "no answer", "power cycle it")) == "modem: no answer (power cycle it)"
    assert str(CallerMistake("bench", "no such path")) == "bench: no such path"


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_of_exactly_one_family(kind: type[RigError]) -> None:
    assert issubclass(kind, CallerMistake) != issubclass(kind, BenchTrouble)


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_survives_the_way_between_processes(kind: type[RigError]) -> None:
    # pytest-xdist and multiprocessing pickle exceptions.
    error = pickle.loads(pickle.dumps(kind("device", "what", "cure")))
    assert (type(error), error.device, error.what, error.cure) == (kind, "device", "what", "cure")
