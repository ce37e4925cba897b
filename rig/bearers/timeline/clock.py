"""Waiting for an absolute time, to some ten microseconds, and for a stop, at once.

Facts: ``prctl(2)`` (timer slack: 50 µs unless a thread says otherwise), ``clock_nanosleep(2)``.
"""

from __future__ import annotations

import ctypes
import threading
import time

_PR_SET_TIMERSLACK = 29
_LAST_STRETCH_NS = 1_000_000


def be_punctual() -> None:
    """The timers of the calling thread are no longer lumped together with others; costs nothing else."""
    ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0)


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
