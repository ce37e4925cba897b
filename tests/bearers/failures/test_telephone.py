"""Failures of a telephone line: each begins, is met by a caller, proves it, and leaves nothing behind."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from rig.bearers.failures import make_failure
from rig.bearers.failures.failure import Site
from rig.errors import BenchTrouble, CallerMistake
from rig.virtual.terminal.dialling import LineFailed
from tests.bearers.dialup.line_bench import LineBench, line_bench


class Contact:
    """A relay that follows."""

    def __init__(self) -> None:
        self.closed = True

    def on(self) -> None:
        self.closed = True

    def off(self) -> None:
        self.closed = False

    def read(self) -> bool:
        return self.closed


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LineBench]:
    with line_bench(tmp_path_factory.mktemp("line")) as bench:
        yield bench


@pytest.fixture
def bench(processes: LineBench) -> LineBench:
    processes.reset()
    return processes


def site(bench: LineBench | None = None, loop: Contact | None = None) -> Site:
    """The bearer as a failure sees it."""
    return Site("dialup", "answering.tty", ("127.0.0.1",), 5000, line=bench.line if bench else None, loop=loop)


@pytest.mark.parametrize(
    ("name", "says", "detail"),
    [
        ("line-busy", "BUSY", {"off_hook": True, "calls": 0}),
        ("no-answer", "NO ANSWER", {}),
        ("no-carrier", "NO CARRIER", {"answered": 1}),
    ],
)
def test_nobody_is_reached_while_it_lasts(bench: LineBench, name: str, says: str, detail: dict[str, Any]) -> None:
    failure = make_failure(name, {})
    failure.start(site(bench))
    with pytest.raises(LineFailed, match=says):
        bench.caller.dial(answer_s=2)
    hits = failure.hits()
    assert hits.count > 0
    assert detail.items() <= hits.detail.items()
    failure.stop()
    failure.stop()
    bench.caller.dial()
    assert bench.caller.ask(b"hello") == [b"1 hello"]


@pytest.mark.parametrize("rate", [1200, 2400])
def test_slow_line(bench: LineBench, rate: int) -> None:
    failure = make_failure("slow-line", {"rate": rate})
    evidence = failure.start(site(bench))
    assert evidence["modulation"] == rate
    assert failure.hits().count == 0
    assert bench.caller.dial() == rate
    bench.wait_for("call_begin")  # the answering side hears of it a moment later
    assert failure.hits().detail == {"calls": 1, "rate": rate}
    failure.stop()
    with pytest.raises(LineFailed):
        bench.caller.hear()
    assert bench.caller.dial() == 33600


def test_line_noise(bench: LineBench) -> None:
    failure = make_failure("line-noise", {"percent": 100})
    assert failure.start(site(bench))["noise_percent"] == 100
    bench.caller.dial()
    bench.caller.say(b"hello")
    assert bench.caller.hear(0.3) == []
    assert failure.hits().count >= len(b"hello")
    failure.stop()
    assert bench.caller.ask(b"clean") == [b"1 clean"]


def test_call_dropped_at_once_or_within_the_answer(bench: LineBench) -> None:
    for options in ({}, {"after_octets": 3}):
        failure = make_failure("call-dropped", options)
        bench.caller.dial()
        failure.start(site(bench))
        with contextlib.suppress(LineFailed):
            bench.caller.say(b"hello")
            assert bench.caller.hear() == []
        assert failure.hits().count == 1
        failure.stop()
        bench.wait_until_over()


def test_a_call_that_was_not_dropped_is_not_dropped_later(bench: LineBench) -> None:
    failure = make_failure("call-dropped", {"after_octets": 3})
    failure.start(site(bench))
    assert failure.hits().count == 0
    failure.stop()
    bench.caller.dial()
    assert bench.caller.ask(b"hello") == [b"1 hello"]


def test_no_dial_tone_reads_its_relay_until_the_end() -> None:
    loop = Contact()
    failure = make_failure("no-dial-tone", {})
    assert failure.start(site(loop=loop)) == {"loop_closed": False}
    assert failure.hits().count == 1
    loop.closed = True  # somebody else closed it
    assert failure.hits().count == 0
    failure.stop()
    assert loop.closed


@pytest.mark.parametrize("name", ["line-busy", "no-answer", "no-carrier", "call-dropped", "line-noise", "slow-line"])
def test_another_bearer_has_no_telephone_line(name: str) -> None:
    with pytest.raises(BenchTrouble, match="is no telephone line"):
        make_failure(name, {}).start(site())


def test_without_a_relay_the_line_cannot_be_dead() -> None:
    with pytest.raises(BenchTrouble, match=r"no relay lies in its line .*answering\.loop"):
        make_failure("no-dial-tone", {}).start(site())


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("slow-line", {"rate": 300}),
        ("line-noise", {"percent": 0}),
        ("line-noise", {"percent": 101}),
        ("call-dropped", {"after_octets": 0}),
        ("line-busy", {"rate": 1200}),
    ],
)
def test_options_out_of_range_are_refused(name: str, options: dict[str, Any]) -> None:
    with pytest.raises(CallerMistake):
        make_failure(name, options)


@pytest.mark.parametrize("name", ["silent-drop", "rst", "arp-lost", "mtu-black-hole"])
def test_a_call_has_no_packets_that_could_fail(bench: LineBench, name: str) -> None:
    with pytest.raises(CallerMistake, match="a telephone call has no packets"):
        make_failure(name, {}).start(site(bench))
