"""What the host knows of money: SQLite, on the disk before an answer leaves.

No table holds a card number in the clear: a row has the bench's keyed token, the masked form, and the number encrypted
under the bench's key. A commit is in SQLite's write-ahead log; once that is synced it survives the end of the process
and of the machine (sqlite.org/wal.html). Syncing may be left to another thread, while the next requests are booked.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rig.acquirer.books import Books, EarlyReversal, at_of
from rig.acquirer.opening import connect, lock
from rig.acquirer.row import Row
from rig.acquirer.schema import COLUMNS, INSERT, SELECT, from_columns, to_columns
from rig.history.journal import boot_id
from rig.wire.iso8583 import Original, Totals

_IN_BATCH = ("approved", "voided")
_GIVES = ("sale", "completion")
_TAKES = ("void", "refund")
_BY_KEY = f"{SELECT} WHERE unique_key=?"
REFERENCES = 1_000_000
"""After so many rows the digits of a reference number that count rows begin anew."""
_SET = ", ".join(f"{name}=?" for name in COLUMNS)


@dataclass(frozen=True)
class Remembered:
    """What was answered to a request, and the digest of its content."""

    content: str
    answer: dict[str, str]


class Ledger:
    """One file of accounts. Used from one thread, and by one process at a time.

    Every writer works inside :meth:`transaction`, or between :meth:`begin` and :meth:`commit`, which may hold the
    requests of several connections (group commit). Each opening of the file begins a new *session*: accounts are full
    again, while rows, duplicates and batches stay.

    Raises:
        CallerMistake: the file is no ledger of this version, or another process has it open.
    """

    def __init__(self, path: Path) -> None:
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
        self._lock = lock(path)
        self._db = connect(path)
        self._books = Books.read(self._db)
        self._log = os.open(f"{path}-wal", os.O_RDWR | os.O_CLOEXEC)
        with self.transaction():
            self._books.session += 1
            session = (self._books.session, time.monotonic_ns(), boot_id())
            self._db.execute("INSERT INTO sessions VALUES (?, ?, ?)", session)
            self._books.held.clear()

    def close(self) -> None:
        """Close the file."""
        self._db.close()
        os.close(self._log)
        os.close(self._lock)

    # Transactions ------------------------------------------------------------------------------------------------

    @property
    def open(self) -> bool:
        """Whether a transaction has begun."""
        return self._db.in_transaction

    def begin(self) -> None:
        """Begin a transaction, unless one has begun."""
        if not self._db.in_transaction:
            self._db.execute("BEGIN IMMEDIATE")

    def sync(self) -> None:
        """Make durable what was committed; from any thread. Raises OSError."""
        os.fdatasync(self._log)

    def commit(self) -> None:
        """End it; it is durable after :meth:`sync`. Raises sqlite3.Error, and nothing of it has happened then."""
        try:
            self._db.execute("COMMIT")
        except sqlite3.Error:
            self.rollback()
            raise

    def rollback(self) -> None:
        """End it as if it had not begun."""
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")
        self._books = Books.read(self._db)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; durable when it ends without an error."""
        self.begin()
        try:
            yield
        except BaseException:
            self.rollback()
            raise
        self.commit()
        self.sync()

    # Requests that were answered ---------------------------------------------------------------------------------

    def remembered(self, unique_key: str) -> Remembered | None:
        """What was answered to a request that has no row (a reversal, a settlement …)."""
        found = self._db.execute("SELECT content, answer FROM answers WHERE unique_key=?", (unique_key,)).fetchone()
        return Remembered(found[0], json.loads(found[1])) if found else None

    def remember(self, unique_key: str, content: str, answer: dict[str, str]) -> None:
        """Keep an answer for the repeats of its request."""
        self._db.execute("INSERT INTO answers VALUES (?, ?, ?)", (unique_key, content, json.dumps(answer)))

    # Rows --------------------------------------------------------------------------------------------------------

    @property
    def next_reference(self) -> int:
        """The number of the next row: one that this ledger never gave before."""
        return self._books.last_id + 1

    def add(self, row: Row) -> None:
        """Enter a new row."""
        self._books.last_id += 1
        self._db.execute(INSERT, (self._books.last_id, self._books.session, *to_columns(row)))
        self._books.change(row.token, row.held)

    def change(self, row: Row, **changes: Any) -> Row:
        """Change a row that was read from this ledger; returns it as it is now."""
        changed = row._replace(**changes)
        self._db.execute(f"UPDATE rows SET {_SET} WHERE unique_key=?", (*to_columns(changed), row.unique_key))
        if changed.held != row.held and self._is_of_this_session(row):
            self._books.change(row.token, changed.held - row.held)
        return changed

    def _is_of_this_session(self, row: Row) -> bool:
        (session,) = self._db.execute("SELECT session FROM rows WHERE unique_key=?", (row.unique_key,)).fetchone()
        return bool(session == self._books.session)

    def row(self, unique_key: str) -> Row | None:
        """The row of one request."""
        found = self._db.execute(_BY_KEY, (unique_key,)).fetchone()
        return from_columns(found) if found else None

    def by_original(self, tid: str, original: Original) -> Row | None:
        """The row that DE90 or DE61 points at."""
        if original.time:
            return self._one("tid=? AND stan=? AND time=?", tid, original.stan, original.time)
        dated = " AND date=?" if original.date else ""
        values = (tid, original.stan, original.batch, *([original.date] if original.date else []))
        return self._one(f"tid=? AND stan=? AND batch=?{dated}", *values)

    def by_rrn(self, tid: str, rrn: str) -> Row | None:
        """The row with this retrieval reference number (DE37)."""
        if not (rrn.isascii() and rrn.isdigit()):
            return None
        numbers = range(int(rrn[-6:]), self._books.last_id + 1, REFERENCES)  # no index: it would cost every sale
        for number in numbers:
            if found := self._one("id=? AND rrn=? AND tid=?", number, rrn, tid):
                return found
        return None

    def by_authorisation(self, tid: str, auth: str, token: str | None) -> Row | None:
        """The authorisation with this code (DE38), of this card where one is named."""
        of_card = " AND token=?" if token else ""
        values = (auth, tid, *([token] if token else []))
        return self._one(f"auth=? AND tid=? AND operation='authorisation'{of_card}", *values)

    def by_counter(self, token: str, atc: int, live: bool = False) -> Row | None:
        """The first row of this card with this transaction counter, or the first of those that stand."""
        standing = " AND state IN ('approved', 'settled')" if live else ""
        return self._one(f"token=? AND atc=?{standing}", token, atc)

    def given_back(self, unique_key: str) -> int:
        """What refunds have given back of a row, in minor units."""
        (total,) = self._db.execute(
            "SELECT COALESCE(SUM(amount), 0) FROM rows WHERE of=? AND operation='refund'"
            " AND state IN ('approved', 'settled')",
            (unique_key,),
        ).fetchone()
        return int(total)

    def rows(self, since_t: int = 0) -> list[Row]:
        """The rows received at or after a monotonic time (ns), in the order of their coming."""
        found = self._db.execute(f"{SELECT} WHERE received_t>=? ORDER BY id", (since_t,))
        return [from_columns(each) for each in found]

    def _one(self, condition: str, *values: object) -> Row | None:
        found = self._db.execute(f"{SELECT} WHERE {condition} ORDER BY id LIMIT 1", values).fetchone()
        return from_columns(found) if found else None

    def last_counter(self, token: str) -> int | None:
        """The highest transaction counter that this card has shown."""
        query = "SELECT MAX(atc) FROM rows WHERE token=? AND atc IS NOT NULL"
        (last,) = self._db.execute(query, (token,)).fetchone()
        return last if isinstance(last, int) else None

    def spent(self, tokens: Collection[str]) -> int:
        """What is held of the account of these cards in this session, in minor units."""
        return sum(self._books.held.get(token, 0) for token in tokens)

    # Reversals that came before their original -------------------------------------------------------------------

    def add_early_reversal(self, tid: str, original: Original, reversal: dict[str, Any], t: int) -> None:
        """Keep a reversal whose original is unknown, so that the original is refused if it still comes."""
        at = at_of(tid, original)
        early = self._books.early.setdefault(at, EarlyReversal(reversal, t, 0))
        early.count += 1
        self._db.execute(
            "INSERT INTO early_reversals VALUES (?, ?, ?, ?, ?, 1) ON CONFLICT DO UPDATE SET count=count+1",
            (*at, json.dumps(reversal), t),
        )

    def early_reversal(self, tid: str, stan: str, time: str, batch: str) -> EarlyReversal | None:
        """The reversal that came before this request, if one did."""
        if not self._books.early:
            return None
        return self._books.early.get((tid, stan, time)) or self._books.early.get((tid, stan, batch))

    # Batches -----------------------------------------------------------------------------------------------------

    def totals(self, tid: str, batch: str) -> Totals:
        """The host's gross totals of a batch that is not settled: see :class:`~rig.wire.iso8583.Totals`."""
        counted = self._db.execute(
            f"SELECT operation, COUNT(*), SUM(amount) FROM rows WHERE tid=? AND batch=? AND state IN {_IN_BATCH}"
            " GROUP BY operation",
            (tid, batch),
        )
        found = {operation: (count, total) for operation, count, total in counted}
        sums = [[found.get(each, (0, 0)) for each in side] for side in (_GIVES, _TAKES)]
        return Totals(*(sum(each[place] for each in side) for side in sums for place in (0, 1)))

    def settle(self, tid: str, batch: str, t: int) -> None:
        """Close a batch: what stands in it can be neither voided nor reversed any more. Authorisations go on."""
        self._db.execute(
            "UPDATE rows SET state='settled' WHERE tid=? AND batch=? AND state='approved'"
            " AND operation<>'authorisation'",
            (tid, batch),
        )
        self._db.execute("INSERT OR IGNORE INTO batches VALUES (?, ?, ?)", (tid, batch, t))
        self._books.settled.add((tid, batch))

    def is_settled(self, tid: str, batch: str) -> bool:
        """Whether a batch was closed."""
        return (tid, batch) in self._books.settled

    def open_batches(self) -> list[tuple[str, str]]:
        """Terminal and batch of all that has rows and was not closed."""
        found = self._db.execute("SELECT DISTINCT tid, batch FROM rows ORDER BY tid, batch")
        return [(tid, batch) for tid, batch in found if not self.is_settled(tid, batch)]

    # Days --------------------------------------------------------------------------------------------------------

    def business_date(self) -> str | None:
        """The business date that was brought about last (YYYY-MM-DD); None where none was."""
        found = self._db.execute("SELECT business_date FROM days ORDER BY number DESC LIMIT 1").fetchone()
        return str(found[0]) if found else None

    def begin_day(self, business_date: str, t: int) -> None:
        """A new business date begins."""
        self._db.execute("INSERT INTO days (t, business_date) VALUES (?, ?)", (t, business_date))
