"""The end of the process that answers calls."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.bearers.dialup.line_bench import line_bench


def test_a_modem_that_goes_with_the_whole_bench_is_no_fault(tmp_path: Path) -> None:
    with line_bench(tmp_path) as bench:
        exchange, answering = bench.processes
        exchange.terminate()
        exchange.wait(5)
        answering.terminate()
        assert answering.wait(5) == 0
        assert bench.events("bench_fault") == []


def test_a_modem_that_goes_alone_is_named(tmp_path: Path) -> None:
    with line_bench(tmp_path) as bench:
        exchange, answering = bench.processes
        exchange.send_signal(signal.SIGKILL)
        assert answering.wait(5) == 1
        assert bench.events("bench_fault")[0]["device"] == "modem of dialup"
