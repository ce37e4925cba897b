"""The host's moments: the acquirer holds an answer and says so; the fault runs; the answer goes, and it says so too."""

from __future__ import annotations

import threading
from collections.abc import Callable

from rig.acquirer.client import AcquirerClient
from rig.errors import BenchTrouble

Call = Callable[[str], None]


class HostMoments:
    """Listens to the acquirer on a thread of its own, and calls back with the key of the request."""

    def __init__(self, acquirer: AcquirerClient) -> None:
        self._acquirer = acquirer
        self._closed = False

    def listen(self, on_held: Call, on_answered: Call, on_trouble: Callable[[BenchTrouble], None]) -> None:
        """Call while an answer is held (the call must release it), and when one has left the host."""
        calls = {"held": on_held, "answered": on_answered}

        def run() -> None:
            while (event := self._acquirer.notifications.get()) is not None:
                if event["event"] in calls and not self._closed:
                    try:
                        calls[event["event"]](event["key"])
                    except BenchTrouble as error:  # the next moment must still be met
                        on_trouble(error)

        threading.Thread(target=run, name="host moments", daemon=True).start()

    def arm_hold(self) -> None:
        """The answer to the next sale request is held."""
        self._acquirer.hold("sale")

    def release(self, key: str) -> None:
        """Let a held answer go."""
        try:
            self._acquirer.release(key)
        except BenchTrouble:
            if not self._closed:
                raise

    def close(self) -> None:
        """Stop calling back."""
        self._closed = True
