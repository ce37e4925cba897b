"""What every simulated device shares: its journal, and following another device's socket."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rig.errors import BenchTrouble, CallerMistake
from rig.rpc import RpcClient

_COMMON = {"name", "runtime", "journals", "redaction"}
_RETRY_S = 0.05


def check_settings(config: Mapping[str, Any], own: set[str]) -> None:
    """Refuse settings that the device does not know: a misspelt one would be ignored for ever.

    Raises:
        CallerMistake: names them, and those that there are.
    """
    if unknown := config.keys() - own - _COMMON:
        raise CallerMistake(
            f"device {config['name']}",
            f"unknown settings {', '.join(sorted(unknown))}",
            f"use {', '.join(sorted(own))}",
        )


def follow(
    path: Path,
    on_connect: Callable[[RpcClient], None],
    on_event: Callable[[dict[str, Any]], None],
    on_loss: Callable[[], None] = lambda: None,
) -> None:
    """Stay connected to another process's socket until this process ends, in a thread of its own.

    The other process may start later, end, and start again: each time ``on_connect`` is called anew. Its events go
    to ``on_event``. All three are called from the one thread.
    """

    def run() -> None:
        retry = threading.Event()
        while True:
            try:
                client = RpcClient(path)
                try:
                    on_connect(client)
                    while (event := client.notifications.get()) is not None:
                        on_event(event)
                finally:
                    client.close()
                    on_loss()
            except BenchTrouble:
                pass  # not there yet, or gone: both end with the next attempt
            retry.wait(_RETRY_S)

    threading.Thread(target=run, name=f"follow {path.name}", daemon=True).start()
