"""The ledger's tables, and how a row becomes columns."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from rig.acquirer.row import Row

VERSION = 2
SCHEMA = """
CREATE TABLE rows (
    id INTEGER PRIMARY KEY, session INTEGER NOT NULL, unique_key TEXT NOT NULL UNIQUE, key TEXT NOT NULL,
    tid TEXT NOT NULL, mid TEXT NOT NULL, stan TEXT NOT NULL, mti TEXT NOT NULL, time TEXT NOT NULL,
    date TEXT NOT NULL, operation TEXT NOT NULL, amount INTEGER NOT NULL, requested INTEGER NOT NULL,
    currency TEXT NOT NULL, batch TEXT NOT NULL, received_t INTEGER NOT NULL, token TEXT, masked TEXT, sealed BLOB,
    atc INTEGER, of TEXT, bank TEXT, rrn TEXT, auth TEXT, rc TEXT NOT NULL, state TEXT NOT NULL,
    reversed_t INTEGER, reversal TEXT, requests INTEGER NOT NULL, reversals INTEGER NOT NULL,
    duplicates INTEGER NOT NULL, content TEXT NOT NULL, answer TEXT NOT NULL
) STRICT;
CREATE INDEX rows_by_original ON rows (tid, stan);
CREATE INDEX rows_by_counter ON rows (token, atc) WHERE atc IS NOT NULL;
CREATE INDEX rows_by_auth ON rows (auth) WHERE operation = 'authorisation';
CREATE INDEX rows_of ON rows (of) WHERE of IS NOT NULL;
CREATE TABLE answers (unique_key TEXT PRIMARY KEY, content TEXT NOT NULL, answer TEXT NOT NULL) STRICT;
CREATE TABLE early_reversals (tid TEXT, stan TEXT, at TEXT, reversal TEXT NOT NULL, t INTEGER NOT NULL,
    count INTEGER NOT NULL, PRIMARY KEY (tid, stan, at)) STRICT;
CREATE TABLE batches (tid TEXT, batch TEXT, t INTEGER NOT NULL, PRIMARY KEY (tid, batch)) STRICT;
CREATE TABLE sessions (number INTEGER PRIMARY KEY, t INTEGER NOT NULL, boot TEXT NOT NULL) STRICT;
CREATE TABLE days (number INTEGER PRIMARY KEY, t INTEGER NOT NULL, business_date TEXT NOT NULL) STRICT;
"""
COLUMNS = Row._fields
_REVERSAL = COLUMNS.index("reversal")

INSERT = (
    f"INSERT INTO rows (id, session, {', '.join(COLUMNS)}) VALUES ({', '.join('?' * (len(COLUMNS) + 2))})"
)  # fmt: skip
SELECT = f"SELECT {', '.join(COLUMNS)} FROM rows"


def to_columns(row: Row) -> tuple[Any, ...]:
    """The values of a row in the order of :data:`COLUMNS`."""
    return row if row.reversal is None else row._replace(reversal=json.dumps(row.reversal))  # type: ignore[arg-type]


def from_columns(found: tuple[Any, ...]) -> Row:
    """The row of a :data:`SELECT`."""
    values = list(found)
    if values[_REVERSAL]:
        values[_REVERSAL] = json.loads(values[_REVERSAL])
    return Row(*values)


def prepare(db: sqlite3.Connection) -> int:
    """Make the tables where there are none; returns the version that is there. Raises sqlite3.DatabaseError.

    ``synchronous=NORMAL`` leaves it to :meth:`rig.acquirer.ledger.Ledger.sync` to sync the log after a commit; SQLite
    itself syncs it before it is carried over into the file (sqlite.org/wal.html).
    """
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=NORMAL")
    db.execute("PRAGMA busy_timeout=2000")
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version == 0:
        db.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version={VERSION}; COMMIT;")
        return VERSION
    return int(version)
