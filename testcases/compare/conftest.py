"""The same conditions for every bearer that the bench has: each case is multiplied by them."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.bench import Bench
from rig.bench.description import load_bench
from rig.errors import CallerMistake


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--bearers", metavar="NAMES", help="compare these alone, such as wifi,lte")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "condition(name): what the bearer is put through; the scorecard sorts by it")
    config.addinivalue_line("markers", "kinds(*kinds): the kinds of bearer to which a condition applies")
    config.addinivalue_line("markers", "by_tls: applies where the terminal can tell its host by TLS")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One case a bearer to which the condition applies; a cable has no signal that could be weak."""
    path = metafunc.config.getoption("bench")
    if path is None or "bearer" not in metafunc.fixturenames:
        return
    bearers = load_bench(Path(path)).bearers
    wanted = (metafunc.config.getoption("bearers") or ",".join(bearers)).split(",")
    if unknown := [name for name in wanted if name not in bearers]:
        error = CallerMistake("--bearers", f"this bench has no bearer {unknown[0]!r}", f"use {', '.join(bearers)}")
        raise pytest.UsageError(str(error))
    kinds = [kind for mark in metafunc.definition.iter_markers("kinds") for kind in mark.args]
    by_tls = metafunc.definition.get_closest_marker("by_tls") is not None
    applies = [
        name
        for name in wanted
        if (not kinds or bearers[name].kind in kinds)
        and not (by_tls and (bearers[name].plain or not bearers[name].has_packets))
    ]
    metafunc.parametrize("bearer", applies, indirect=True)


@pytest.fixture(autouse=True)
def _condition(bench: Bench, request: pytest.FixtureRequest) -> None:
    """Write down which condition the case is about, before anything is done to the bearer."""
    mark = request.node.get_closest_marker("condition")
    bench.observe("condition", {"condition": mark.args[0]})
