"""Syncs the ledger's log on a thread of its own, so that the next requests are booked while the disk is at work.

One sync at a time; what was committed while it ran is made durable by the next one together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from rig.acquirer.ledger import Ledger

Booked = TypeVar("Booked")


class Syncs(Generic[Booked]):
    """``synced`` is called with what is durable now, in the order of its booking; with the error where it is not."""

    def __init__(self, ledger: Ledger, synced: Callable[[list[Booked], Exception | None], None]) -> None:
        self._ledger = ledger
        self._synced = synced
        self._loop = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(1, "ledger sync")
        self._committed: list[Booked] = []
        self._running = False

    def after_sync(self, booked: list[Booked]) -> None:
        """What is committed is told as soon as a sync that began later is over."""
        self._committed += booked
        if not self._running and self._committed:
            self._start()

    def _start(self) -> None:
        self._running = True
        batch, self._committed = self._committed, []
        sync = self._loop.run_in_executor(self._thread, self._ledger.sync)
        sync.add_done_callback(lambda done: self._done(batch, done))

    def _done(self, batch: list[Booked], sync: asyncio.Future[None]) -> None:
        self._running = False
        if self._committed:
            self._start()
        error = sync.exception()
        self._synced(batch, error if isinstance(error, Exception) else None)
