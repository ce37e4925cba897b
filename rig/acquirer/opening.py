"""Opening a ledger's file: one writer at a time, the tables made where there are none, older versions moved aside."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from pathlib import Path

from rig.acquirer.row import Row
from rig.acquirer.schema import SELECT, VERSION, from_columns, prepare
from rig.errors import CallerMistake


def lock(path: Path) -> int:
    """Be the one writer, for what is kept in memory is right for one alone; returns a descriptor to close.

    Raises CallerMistake where another process is.
    """
    descriptor = os.open(path.with_name(path.name + ".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise CallerMistake(str(path), "another process has this ledger open", "end it, or name another file") from None
    return descriptor


def connect(path: Path) -> sqlite3.Connection:
    """The open file, its tables made. Raises CallerMistake for what is no ledger of this version."""
    db = sqlite3.connect(path, isolation_level=None, cached_statements=256)
    try:
        version = prepare(db)
        if version < VERSION:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.DatabaseError as error:
        raise CallerMistake(str(path), f"no ledger: {error}", "name another file, or move this one away") from error
    if version > VERSION:
        raise CallerMistake(str(path), f"a ledger of version {version}", "move it away; a new one is made")
    if version < VERSION:  # nothing of it is lost, and nothing of it is needed: accounts are of one session
        db.close()
        path.rename(path.with_name(f"{path.name}.version{version}"))
        return connect(path)
    return db


def read_rows(path: Path) -> list[Row]:
    """Every row of a ledger that another process may have open. Raises CallerMistake where it is no ledger."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            (version,) = db.execute("PRAGMA user_version").fetchone()
            if version == VERSION:
                return [from_columns(each) for each in db.execute(f"{SELECT} ORDER BY id")]
    except sqlite3.Error as error:
        raise CallerMistake(str(path), f"no ledger: {error}", "name the ledger's own file") from None
    raise CallerMistake(str(path), f"a ledger of version {version}", "this rig reads others no more")
