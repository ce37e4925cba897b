"""One instrument, one process: the lock file of an instrument, held as long as its session is open.

Most boxes serve whoever connects, several at once, and each reads the other's answers or undoes the other's settings.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from pathlib import Path
from typing import IO

from rig.errors import BenchBusy


def own(resource: str, name: str, folder: Path) -> IO[str]:
    """Hold the instrument's lock file; it is free when the file is closed, however the process ends.

    Args:
        resource: the instrument's address, as the bench file writes it; the file is named after it.
        name: what the bench calls it.
        folder: where the lock files of this machine's instruments are.

    Raises:
        BenchBusy: another process holds it; names that process.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (re.sub(r"[^A-Za-z0-9.]+", "-", resource).strip("-") + ".lock")
    lock = path.open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        holder = lock.read().strip() or "another process"
        lock.close()
        raise BenchBusy(name, f"{resource} is held by {holder}", "end it, or wait for it") from None
    lock.truncate(0)
    lock.write(f"process {os.getpid()} since {time.strftime('%Y-%m-%d %H:%M:%S')}\n")
    lock.flush()
    return lock
