"""The lease of a bench: who may use it now. A lock that the kernel frees when its holder dies, however it dies."""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import getpass
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

from rig.errors import BenchBusy

_LOOKERS, _LOOK_S = 50, 0.01


@dataclass(frozen=True)
class Holder:
    """Who holds a bench.

    Attributes:
        pid: the process.
        user: whose it is.
        since: wall time, ISO 8601.
        why: what for.
    """

    pid: int
    user: str
    since: str
    why: str

    def __str__(self) -> str:
        return f"{self.user}, process {self.pid}, since {self.since}, for {self.why}"


class Lease:
    """An exclusive hold of a bench, until :meth:`release` or the end of the process."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    @classmethod
    def acquire(cls, lock: Path, bench: str, why: str) -> Lease:
        """Take the bench.

        Raises:
            BenchBusy: somebody else holds it; says who, and since when.
        """
        file = _open(lock)
        try:
            _lock(file, lock, bench)
        except BenchBusy:
            file.close()
            raise
        me = Holder(os.getpid(), _user(), datetime.datetime.now().astimezone().isoformat(timespec="seconds"), why)
        file.truncate()
        file.write(json.dumps(asdict(me)))
        file.flush()
        return cls(file)

    def release(self) -> None:
        """Give the bench back."""
        self._file.seek(0)
        self._file.truncate()
        self._file.close()


def busy(bench: str, who: Holder | None) -> BenchBusy:
    """The error that says who holds a bench, and since when."""
    return BenchBusy(f"bench {bench}", f"held by {who or 'somebody'}", "wait for it, or end that run")


def holder(lock: Path) -> Holder | None:
    """Who holds the bench now, or None where it is free."""
    if not lock.exists():
        return None
    with _open(lock) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            with contextlib.suppress(ValueError, TypeError):
                return Holder(**json.loads(file.read()))
            return Holder(0, "somebody", "just now", "an unknown purpose")
        return None


def _lock(file: TextIO, lock: Path, bench: str) -> None:
    """Take the lock. Somebody who only looks (:func:`holder`) has it for an instant: that is not being busy."""
    who: Holder | None = None
    for _ in range(_LOOKERS):
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            who = holder(lock)
            if who is not None:
                break
        time.sleep(_LOOK_S)
    raise busy(bench, who)


def _open(lock: Path) -> TextIO:
    fd = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    return os.fdopen(fd, "r+")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
