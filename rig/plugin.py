"""The pytest plugin: a bench for a suite, a verdict for every case.

    pytest testcases/regression --bench fixtures/benches/virtual.yaml

A case is a test that uses the ``bench`` fixture. It declares the verdicts that it accepts by
``@pytest.mark.requires("completed")``. When its function has returned, the bench is settled and the judge reads the
history; unsafe and not-as-required fail the test, a bench fault and an undecided case break it.

Without ``--bench`` the plugin does nothing, and imports nothing of the rig.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from rig.bench.session import Bench

_SUITE = "rig suite"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The rig's options."""
    group = parser.getgroup("rig", "payment terminal test rig")
    group.addoption("--bench", metavar="FILE", help="the bench file, such as fixtures/benches/virtual.yaml")
    group.addoption("--reports", metavar="FOLDER", default="reports", help="where runs are kept (reports)")
    group.addoption("--rig-run", metavar="FOLDER", help="the folder of this run; made under --reports otherwise")
    group.addoption("--rig-why", metavar="TEXT", default="pytest", help="what the bench is taken for")
    group.addoption("--rig-no-report", action="store_true", help="leave judging the run and the report to `rig report`")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Bring in the rest where a bench is named."""
    config.addinivalue_line("markers", "requires(*verdicts): the verdicts that a case accepts, such as 'completed'")
    config.addinivalue_line(
        "markers", "needs(*capabilities): what a bench must have for a case, such as 'power control'"
    )
    if config.getoption("bench") is not None:
        from rig import suite

        config.pluginmanager.register(suite, _SUITE)
        suite.begin(config)


@pytest.fixture
def bench(pytestconfig: pytest.Config) -> Bench:
    """The bench in use; it lives as long as the session."""
    suite = pytestconfig.pluginmanager.get_plugin(_SUITE)
    if suite is None:
        pytest.skip("no bench: name one with --bench FILE")
    held: Bench = pytestconfig.stash[suite.HELD]
    return held


@pytest.fixture
def bearer(bench: Bench, request: pytest.FixtureRequest) -> str:
    """The one bearer that the terminal has in this case; the others are switched off. Parametrize it indirectly."""
    name: str = getattr(request, "param", next(iter(bench.bearers)))
    bench.use_only(name)
    return name


@pytest.fixture
def terminal(bench: Bench) -> Any:
    """The terminal under test, over its cash-register line."""
    return bench.terminal


@pytest.fixture
def card(bench: Bench) -> Any:
    """What presents contactless cards."""
    return next((each for each in bench.presenters.values() if each.interface == "contactless"), None)


@pytest.fixture
def acquirer(bench: Bench) -> Any:
    """The host's control."""
    return bench.acquirer
