"""What the host knows of money: SQLite, on the disk before an answer leaves.

The card number is in no table: a row has the bench's keyed token and the masked form. WAL with ``synchronous=FULL``:
a commit that has returned survives the end of the process and of the machine (sqlite.org/pragma.html).
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from rig.acquirer.row import Row
from rig.errors import CallerMistake
from rig.wire.iso8583 import Original, Totals

_VERSION = 1
_SCHEMA = """
CREATE TABLE rows (
    id INTEGER PRIMARY KEY, session INTEGER NOT NULL, unique_key TEXT NOT NULL UNIQUE, key TEXT NOT NULL,
    tid TEXT NOT NULL, mid TEXT NOT NULL, stan TEXT NOT NULL, mti TEXT NOT NULL, time TEXT NOT NULL,
    operation TEXT NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL, rc TEXT NOT NULL, state TEXT NOT NULL,
    token TEXT, masked TEXT, rrn TEXT, auth TEXT, atc INTEGER, batch TEXT NOT NULL, of TEXT,
    received_t INTEGER NOT NULL, reversed_t INTEGER, reversal TEXT,
    requests INTEGER NOT NULL, reversals INTEGER NOT NULL, duplicates INTEGER NOT NULL
) STRICT;
CREATE INDEX rows_by_original ON rows (tid, stan, time);
CREATE TABLE answers (unique_key TEXT PRIMARY KEY, content TEXT NOT NULL, answer TEXT NOT NULL) STRICT;
CREATE TABLE early_reversals (tid TEXT, stan TEXT, time TEXT, reversal TEXT NOT NULL, t INTEGER NOT NULL,
    count INTEGER NOT NULL, PRIMARY KEY (tid, stan, time)) STRICT;
CREATE TABLE batches (tid TEXT, batch TEXT, t INTEGER NOT NULL, PRIMARY KEY (tid, batch)) STRICT;
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
INSERT INTO counters VALUES ('session', 0), ('reference', 0);
"""
_COLUMNS = tuple(field.name for field in fields(Row))


@dataclass(frozen=True)
class Remembered:
    """What was answered to a request, and the digest of its content."""

    content: str
    answer: dict[str, str]


@dataclass(frozen=True)
class EarlyReversal:
    """A reversal whose original had not come: its particulars, when it came, and how often."""

    reversal: dict[str, Any]
    t: int
    count: int


class Ledger:
    """One file of accounts. Used from one thread.

    Every writer works inside :meth:`transaction`. Each opening of the file begins a new *session*: accounts are full
    again, while rows, duplicates and batches stay.

    Raises:
        CallerMistake: the file is no ledger of this version.
    """

    def __init__(self, path: Path) -> None:
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        try:
            self._prepare(path)
        except sqlite3.DatabaseError as error:
            raise CallerMistake(str(path), f"no ledger: {error}", "name another file, or move this one away") from error
        with self.transaction():
            self._session = self._count("session")

    def _prepare(self, path: Path) -> None:
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute("PRAGMA busy_timeout=2000")
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version == 0:
            self._db.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version={_VERSION}; COMMIT;")
        elif version != _VERSION:
            raise CallerMistake(str(path), f"a ledger of version {version}", "move it away; a new one is made")

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; durable when it ends without an error."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    # Requests that were answered ---------------------------------------------------------------------------------

    def remembered(self, unique_key: str) -> Remembered | None:
        """What was answered to this request before."""
        found = self._db.execute("SELECT content, answer FROM answers WHERE unique_key=?", (unique_key,)).fetchone()
        return Remembered(found["content"], json.loads(found["answer"])) if found else None

    def remember(self, unique_key: str, content: str, answer: dict[str, str]) -> None:
        """Keep an answer for the repeats of its request."""
        self._db.execute("INSERT INTO answers VALUES (?, ?, ?)", (unique_key, content, json.dumps(answer)))

    def next_reference(self) -> int:
        """A number that this ledger never gave before."""
        return self._count("reference")

    def _count(self, name: str) -> int:
        self._db.execute("UPDATE counters SET value=value+1 WHERE name=?", (name,))
        (value,) = self._db.execute("SELECT value FROM counters WHERE name=?", (name,)).fetchone()
        return int(value)

    # Rows --------------------------------------------------------------------------------------------------------

    def add(self, row: Row) -> None:
        """Enter a new row."""
        values = _to_columns(row)
        names = ("session", *values)
        marks = ", ".join("?" * len(names))
        self._db.execute(f"INSERT INTO rows ({', '.join(names)}) VALUES ({marks})", (self._session, *values.values()))

    def change(self, row: Row, **changes: Any) -> Row:
        """Change a row that was read from this ledger; returns it as it is now."""
        changed = replace(row, **changes)
        values = _to_columns(changed)
        assignments = ", ".join(f"{name}=?" for name in values)
        self._db.execute(f"UPDATE rows SET {assignments} WHERE unique_key=?", (*values.values(), row.unique_key))
        return changed

    def row(self, unique_key: str) -> Row | None:
        """The row of one request."""
        return self._one("unique_key=?", unique_key)

    def by_original(self, tid: str, original: Original) -> Row | None:
        """The row that a DE90 points at."""
        return self._one("tid=? AND stan=? AND time=?", tid, original.stan, original.time)

    def by_rrn(self, tid: str, rrn: str) -> Row | None:
        """The row with this retrieval reference number (DE37)."""
        return self._one("tid=? AND rrn=?", tid, rrn)

    def by_counter(self, token: str, atc: int, live: bool = False) -> Row | None:
        """The first row of this card with this transaction counter, or the first of those that stand."""
        standing = " AND state IN ('approved', 'settled')" if live else ""
        return self._one(f"token=? AND atc=?{standing}", token, atc)

    def rows(self, since_t: int = 0) -> list[Row]:
        """The rows received at or after a monotonic time (ns), in the order of their coming."""
        found = self._db.execute("SELECT * FROM rows WHERE received_t>=? ORDER BY id", (since_t,))
        return [_from_columns(each) for each in found]

    def _one(self, condition: str, *values: object) -> Row | None:
        found = self._db.execute(f"SELECT * FROM rows WHERE {condition} ORDER BY id LIMIT 1", values).fetchone()
        return _from_columns(found) if found else None

    def last_counter(self, token: str) -> int | None:
        """The highest transaction counter that this card has shown."""
        (last,) = self._db.execute("SELECT MAX(atc) FROM rows WHERE token=?", (token,)).fetchone()
        return last if isinstance(last, int) else None

    def spent(self, tokens: Collection[str]) -> int:
        """What stands against the account of these cards in this session, in minor units."""
        (total,) = self._db.execute(
            f"SELECT COALESCE(SUM(amount), 0) FROM rows WHERE token IN ({', '.join('?' * len(tokens))}) AND session=?"
            " AND operation='sale' AND state IN ('approved', 'settled')",
            (*tokens, self._session),
        ).fetchone()
        return int(total)

    # Reversals that came before their original -------------------------------------------------------------------

    def add_early_reversal(self, tid: str, original: Original, reversal: dict[str, Any], t: int) -> None:
        """Keep a reversal whose original is unknown, so that the original is refused if it still comes."""
        self._db.execute(
            "INSERT INTO early_reversals VALUES (?, ?, ?, ?, ?, 1) ON CONFLICT DO UPDATE SET count=count+1",
            (tid, original.stan, original.time, json.dumps(reversal), t),
        )

    def early_reversal(self, tid: str, stan: str, time: str) -> EarlyReversal | None:
        """The reversal that came before this request, if one did."""
        found = self._db.execute(
            "SELECT reversal, t, count FROM early_reversals WHERE tid=? AND stan=? AND time=?", (tid, stan, time)
        ).fetchone()
        return EarlyReversal(json.loads(found["reversal"]), found["t"], found["count"]) if found else None

    # Batches -----------------------------------------------------------------------------------------------------

    def totals(self, tid: str, batch: str) -> Totals:
        """The host's gross totals of a batch that is not settled: see :class:`~rig.wire.iso8583.Totals`."""
        counted = self._db.execute(
            "SELECT operation, COUNT(*) AS n, SUM(amount) AS total FROM rows"
            " WHERE tid=? AND batch=? AND state IN ('approved', 'voided') GROUP BY operation",
            (tid, batch),
        )
        found = {each["operation"]: (each["n"], each["total"]) for each in counted}
        return Totals(*found.get("sale", (0, 0)), *found.get("void", (0, 0)))

    def settle(self, tid: str, batch: str, t: int) -> None:
        """Close a batch: what stands in it can be neither voided nor reversed any more."""
        self._db.execute("UPDATE rows SET state='settled' WHERE tid=? AND batch=? AND state='approved'", (tid, batch))
        self._db.execute("INSERT OR IGNORE INTO batches VALUES (?, ?, ?)", (tid, batch, t))

    def is_settled(self, tid: str, batch: str) -> bool:
        """Whether a batch was closed."""
        found = self._db.execute("SELECT 1 FROM batches WHERE tid=? AND batch=?", (tid, batch)).fetchone()
        return found is not None


def _to_columns(row: Row) -> dict[str, Any]:
    values = asdict(row)
    values["reversal"] = json.dumps(row.reversal) if row.reversal is not None else None
    return values


def _from_columns(found: sqlite3.Row) -> Row:
    values = {name: found[name] for name in _COLUMNS}
    values["reversal"] = json.loads(found["reversal"]) if found["reversal"] else None
    return Row(**values)
