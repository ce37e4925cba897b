"""Settling a bench after a case: everything restored, the terminal idle, its reversals out, the ledger in the history.

Only then may the judge look: what is still on its way is neither lost nor delivered.
"""

from __future__ import annotations

import time
from pathlib import Path

from rig.bench.description import BenchFile
from rig.bench.devices import Devices, Observe, require
from rig.bench.operations import Operations
from rig.bench.stage import BenchStage, elapsed_ms
from rig.errors import BenchTrouble, DeviceGone

_PAUSE_S = 0.1


def settle(
    bench: BenchFile, devices: Devices, stage: BenchStage, operations: Operations, observe: Observe, since_t: int
) -> None:
    """Bring the bench to rest, and write what the host's ledger says of everything since ``since_t``.

    Raises:
        BenchTrouble: the bench, not the terminal, is in the way.
    """
    observe("settle_begin", {})
    rebooting = stage.power_was_cut
    stage.restore()
    began = time.monotonic()
    waiting_for = _wait_for_terminal(bench, devices, rebooting)
    stage.power_was_cut = False
    idle_ms = elapsed_ms(began)
    stage.wait_for_stations()
    if not waiting_for:
        operations.resolve()
        waiting_for = _drain(bench, devices)
    stage.wait_for_service()
    for row in require(devices.acquirer, "acquirer").ledger(since_t=since_t):
        observe("ledger_row", row)
    observe("settled", {"quiet": not waiting_for, "waiting_for": waiting_for, "idle_ms": idle_ms})


def _wait_for_terminal(bench: BenchFile, devices: Devices, rebooting: bool) -> str:
    """Wait until the terminal answers that it is idle; returns what it was waited for in vain, or nothing."""
    terminal = require(devices.terminal, "terminal")
    line = bench.terminal.serial
    if line is not None and line.port.startswith("/") and not Path(line.port).exists():
        raise DeviceGone("terminal", f"no {line.port}", "the adapter of the cash-register line is unplugged")
    limit = bench.terminal.boot_limit_s if rebooting else bench.terminal.idle_limit_s
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        try:
            terminal.wait_until_up(deadline - time.monotonic())
            if terminal.idle(max(0.1, deadline - time.monotonic())):
                return ""
        except BenchTrouble:
            # Not up, or busy with what the fault left behind: that is what the limit is for.
            time.sleep(_PAUSE_S)
    return "terminal idle"


def _drain(bench: BenchFile, devices: Devices) -> str:
    """Make the terminal talk to its host until it says that nothing waits any more."""
    terminal = require(devices.terminal, "terminal")
    deadline = time.monotonic() + bench.terminal.flush_limit_s
    while time.monotonic() < deadline:
        if terminal.flush(max(0.1, deadline - time.monotonic())):
            return ""
        time.sleep(_PAUSE_S)
    return "reversal queue drained"
