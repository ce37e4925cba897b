"""Waiting for an absolute time, to some ten microseconds, and for a stop, at once; and what lateness comes to.

Facts: ``prctl(2)`` (timer slack: 50 µs unless a thread says otherwise), ``sched(7)``.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import os
import threading
import time
from collections.abc import Sequence

_PR_SET_TIMERSLACK = 29
_URGENCY = 10
_LAST_STRETCH_NS = 1_000_000


def be_punctual() -> None:
    """Let the calling thread run as soon as its time has come: its timers are not lumped together with others, and,
    where the system allows it, it goes before all that is not as urgent. For a thread that works for microseconds.
    """
    ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0)
    with contextlib.suppress(OSError):  # an ordinary user may not; then the machine should not be busy
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(_URGENCY))


def wait_until(t: int, stop: threading.Event) -> bool:
    """Wait until a monotonic time in nanoseconds, or until ``stop`` is set; returns whether it is not set.

    A time that has passed returns at once. Up to the last millisecond a stop wakes; that one is slept through, so that
    nothing but the scheduler stands between the timer and the caller.
    """
    while (left := t - time.monotonic_ns()) > _LAST_STRETCH_NS:
        if stop.wait((left - _LAST_STRETCH_NS) / 1e9):
            return False
    if left > 0:
        time.sleep(left / 1e9)
    return not stop.is_set()


def percentile(values: Sequence[float], percent: float) -> float:
    """Nearest rank; 0 of nothing."""
    if not values:
        return 0.0
    return sorted(values)[max(math.ceil(percent / 100 * len(values)), 1) - 1]
