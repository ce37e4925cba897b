"""Stands for the bench's link in tests of simulated physics: records what is asked of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rig.rpc import RpcServer


@dataclass
class Links:
    """What is in force on each segment."""

    carriers: dict[str, bool] = field(default_factory=dict)
    shapes: dict[str, dict[str, Any]] = field(default_factory=dict)
    _came: threading.Condition = field(default_factory=threading.Condition)

    @contextmanager
    def served(self, path: Path) -> Iterator[None]:
        """On this socket."""
        server = RpcServer(path, {"set": self._set, "carrier": self._carrier})
        try:
            yield
        finally:
            server.close()

    def wait(self, segment: str, wanted: Callable[[bool | None, dict[str, Any]], bool], what: str) -> None:
        """Until a segment is so."""
        with self._came:
            assert self._came.wait_for(lambda: wanted(self.carriers.get(segment), self.shapes.get(segment, {})), 5), (
                f"{segment} never {what}: {self.carriers}, {self.shapes}"
            )

    def wait_for_carrier(self, segment: str, up: bool) -> None:
        """Until it has a carrier, or none."""
        self.wait(segment, lambda carrier, _: carrier is up, f"carrier {up}")

    def _set(self, link: str, up: dict[str, Any], down: dict[str, Any]) -> None:
        with self._came:
            self.shapes[link] = {"up": up, "down": down}
            self._came.notify_all()

    def _carrier(self, link: str, up: bool) -> None:
        with self._came:
            self.carriers[link] = up
            self._came.notify_all()
