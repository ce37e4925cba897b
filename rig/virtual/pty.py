"""A serial port of a simulated device: a raw pseudo-terminal with a stable name."""

from __future__ import annotations

import os
import select
import tty
from pathlib import Path


class PtyPort:
    """A PTY whose slave side is found at ``link``.

    The slave stays open here, so that the master never sees EIO while nobody is connected, and what a client leaves
    behind when it is killed is a port that the next client can open.
    """

    def __init__(self, link: Path) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._master)
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self.link = link
        link.unlink(missing_ok=True)
        link.symlink_to(self.path)

    def fileno(self) -> int:
        """The master's file descriptor, for select."""
        return self._master

    def read(self, timeout_s: float | None = None) -> bytes:
        """What has come in; empty when nothing came in time."""
        waiting = select.poll()  # select() knows no descriptor above 1,023
        waiting.register(self._master, select.POLLIN)
        ready = waiting.poll(None if timeout_s is None else timeout_s * 1000)
        return os.read(self._master, 4096) if ready else b""

    def write(self, data: bytes) -> None:
        """Send all of ``data``."""
        while data:
            data = data[os.write(self._master, data) :]

    def close(self) -> None:
        """Remove the name and close both sides."""
        self.link.unlink(missing_ok=True)
        os.close(self._master)
        os.close(self._slave)
