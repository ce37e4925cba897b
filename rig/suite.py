"""The hooks that turn a pytest session into a run on a bench. Registered by the plugin where a bench is named."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rig.bench import new_run_folder
from rig.bench.opening import Opening
from rig.errors import CallerMistake, RigError
from rig.verdict import CaseVerdict, Verdict

if TYPE_CHECKING:
    from rig.bench import Bench

HELD: pytest.StashKey[Bench] = pytest.StashKey()
"""The bench that this session holds."""

_SEVERAL = "several"
"""The bearer of a case that is not about one."""

_OPENING = pytest.StashKey[Opening]()
_LACKING = pytest.StashKey[list[str]]()
"""What the bench lacks for a case, which is then skipped by name and never begins."""

_VERDICT = pytest.StashKey[CaseVerdict]()


class Unsafe(AssertionError):
    """The money is, or may be, wrong. The message begins with the broken invariant; the report sorts by it."""


class NotAsRequired(AssertionError):
    """Safe, but not what the case requires."""


class Undecided(Exception):
    """The rig could not tell."""


class BenchFault(Exception):
    """The bench is to blame, not the terminal."""


def begin(config: pytest.Config) -> None:
    """Choose the run's folder, so that Allure's results land in it, and start taking the bench.

    The guard brings the bench up in its own process while pytest still collects the cases.
    """
    bench = Path(config.getoption("bench"))
    with _told_by_pytest():
        folder = Path(config.getoption("rig_run") or new_run_folder(Path(config.getoption("reports")), bench.stem))
        if not getattr(config.option, "allure_report_dir", None):
            config.option.allure_report_dir = str(folder / "allure-results")
        try:
            if not config.option.collectonly:
                config.stash[_OPENING] = Opening.start(bench, folder, config.getoption("rig_why"))
        finally:
            with contextlib.suppress(OSError):  # it is not empty: a run has begun
                folder.rmdir()


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Have the bench ready now that it is known which cases will run."""
    opening = session.config.stash.get(_OPENING, None)
    planned = [_case_id(item) for item in session.items if _is_case(item)]
    if opening is not None and planned:
        del session.config.stash[_OPENING]
        with _told_by_pytest():
            bench = session.config.stash[HELD] = opening.finish(planned)
        for item in filter(_is_case, session.items):
            if lacking := bench.lacking(_needs(item)):
                bench.skip_case(_case_id(item), lacking)
                item.stash[_LACKING] = lacking
                item.add_marker(pytest.mark.skip(reason=f"this bench has no {', no '.join(lacking)}"))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Give back a bench that no case came to use."""
    opening = config.stash.get(_OPENING, None)
    if opening is not None:
        opening.abandon()


@contextlib.contextmanager
def _told_by_pytest() -> Iterator[None]:
    """Turn errors of ours into pytest's own ways to end: a mistake is its usage error, trouble ends with code 2."""
    try:
        yield
    except CallerMistake as error:
        raise pytest.UsageError(str(error)) from error
    except RigError as error:
        pytest.exit(f"bench fault: {error}", returncode=2)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, None, None]:
    """Give the bench back, judge the whole run, and let the verdict be the exit code."""
    yield
    bench = session.config.stash.get(HELD, None)
    if bench is not None:
        bench.close(interrupted=session.exitstatus == pytest.ExitCode.INTERRUPTED)
        if not session.config.getoption("rig_no_report"):
            from rig.report import finish_run

            told = session.exitstatus
            session.exitstatus = finish_run(bench.run, Path(session.config.getoption("reports"))).exit_code
            if told != pytest.ExitCode.OK and not session.exitstatus:
                session.exitstatus = 2  # something failed that is no case: all is not as required


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    """A case begins before its fixtures touch the bench."""
    bench = _bench_of(item)
    if bench is None:
        return (yield)
    bench.begin_case(_case_id(item), _title(item), _required(item), _bearer(item))
    with _told_to(bench, item) as told:
        yield
    if told:
        _end_case(item, bench)
    return None


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Run a case, settle the bench, judge, and let the verdict decide."""
    bench = _bench_of(pyfuncitem)
    if bench is None:
        return (yield)
    with _told_to(bench, pyfuncitem):
        yield
    _end_case(pyfuncitem, bench)
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """A case that was broken off ends all the same; what its fixtures' ends raise is in the history too."""
    bench = _bench_of(item)
    if bench is None:
        return (yield)
    if bench.in_case:
        bench.end_case()
    try:
        return (yield)
    except RigError as error:
        bench.note_trouble(error)
        raise
    except Exception as error:
        bench.note_trouble(_own_trouble(item, error))
        raise


@contextlib.contextmanager
def _told_to(bench: Bench, item: pytest.Item) -> Iterator[list[BaseException]]:
    """Write into the history whatever a case or its fixtures raise: the judge must find it in the files alone."""
    told: list[BaseException] = []
    try:
        yield told
    except RigError as error:
        told.append(error)
        bench.note_trouble(error)
    except (pytest.skip.Exception, pytest.xfail.Exception) as error:
        told.append(error)
        bench.note_skip(str(error))
    except (AssertionError, pytest.fail.Exception) as error:
        told.append(error)
        bench.note_expectation(str(error).strip() or "an assertion of the case does not hold")
    except Exception as error:  # noqa: BLE001 - a case that cannot run is our side's trouble, never the terminal's
        told.append(error)
        bench.note_trouble(_own_trouble(item, error))


def _own_trouble(item: pytest.Item, error: Exception) -> CallerMistake:
    return CallerMistake(f"case {_case_id(item)}", f"{type(error).__name__}: {error}", "mend the case or its fixtures")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Carry the verdict to the progress lines, and its reason in the place of a traceback."""
    report = yield
    verdict = item.stash.get(_VERDICT, None)
    if verdict is not None and report.when in ("setup", "call"):
        report.user_properties.append(("verdict", verdict.verdict.words))
        if report.failed:
            report.longrepr = f"{_title(item)}\n{verdict.verdict.words}: {verdict.why}"
    return report


def pytest_report_teststatus(
    report: pytest.TestReport | pytest.CollectReport,
) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
    """Say the verdict where pytest would say PASSED."""
    if not isinstance(report, pytest.TestReport):
        return None  # a file that could not be collected has no verdict
    verdict = dict(report.user_properties).get("verdict")
    if verdict is None or report.when == "teardown" or (report.when == "setup" and report.passed):
        return None
    colour = "green" if report.passed else "red"
    return report.outcome, "." if report.passed else "F", (str(verdict), {colour: True})


def _end_case(item: pytest.Item, bench: Bench) -> None:
    verdict, events = bench.end_case()
    item.stash[_VERDICT] = verdict
    if bench.broken:
        item.session.shouldstop = f"bench fault: {bench.broken}"
    from rig.report import attach_case

    try:
        attach_case(verdict, events, bench.run)
    except Exception as error:  # noqa: BLE001 - a report that cannot be made never changes a verdict
        told = f"the evidence could not be attached: {type(error).__name__}: {error}"
        item.add_report_section("call", "report", told)
        item.warn(pytest.PytestWarning(told))
    match verdict.verdict:
        case Verdict.UNSAFE:
            raise Unsafe(verdict.why)
        case Verdict.NOT_AS_REQUIRED:
            raise NotAsRequired(verdict.why)
        case Verdict.UNDECIDED:
            raise Undecided(verdict.why)
        case Verdict.BENCH_FAULT:
            raise BenchFault(verdict.why)
        case _:
            return


def _is_case(item: pytest.Item) -> bool:
    return "bench" in getattr(item, "fixturenames", ())


def _bench_of(item: pytest.Item) -> Bench | None:
    return item.config.stash.get(HELD, None) if _is_case(item) and _LACKING not in item.stash else None


def _case_id(item: pytest.Item) -> str:
    parents = [each.name for each in item.listchain() if isinstance(each, pytest.Class)]
    return "/".join(part.removeprefix("test_") for part in (item.path.stem, *parents, item.name))


def _title(item: pytest.Item) -> str:
    text = (getattr(getattr(item, "function", None), "__doc__", None) or item.name).strip()
    return text.splitlines()[0].rstrip(".")


def _required(item: pytest.Item) -> list[Verdict]:
    marker = item.get_closest_marker("requires")
    if marker is None:
        return [Verdict.COMPLETED]
    return [each if isinstance(each, Verdict) else Verdict.named(each) for each in marker.args]


def _needs(item: pytest.Item) -> list[str]:
    needs = [str(need) for marker in item.iter_markers("needs") for need in marker.args]
    bearer = _bearer(item)
    return list(dict.fromkeys([*needs, *([bearer] if bearer != _SEVERAL else [])]))


def _bearer(item: pytest.Item) -> str:
    callspec = getattr(item, "callspec", None)
    return str(callspec.params.get("bearer", _SEVERAL)) if callspec else _SEVERAL
