"""What the ledger keeps in memory, so that a sale asks the disk for nothing that the host knows already.

It follows from the tables alone, and is read from them again when the file is opened and after a transaction that was
rolled back.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field
from typing import Any

from rig.acquirer.schema import SELECT, from_columns
from rig.wire.iso8583 import Original

At = tuple[str, str, str]
"""Terminal, STAN, and DE7 or the batch: what a reversal points at."""


@dataclass
class EarlyReversal:
    """A reversal whose original had not come: its particulars, when it came, and how often."""

    reversal: dict[str, Any]
    t: int
    count: int


@dataclass
class Books:
    """Balances of this session, reversals that came early, closed batches, the number of the last row."""

    session: int
    last_id: int = 0
    held: dict[str, int] = field(default_factory=dict)
    early: dict[At, EarlyReversal] = field(default_factory=dict)
    settled: set[tuple[str, str]] = field(default_factory=set)

    @classmethod
    def read(cls, db: sqlite3.Connection) -> Books:
        """Out of the tables. Raises sqlite3.Error."""
        (session,) = db.execute("SELECT COALESCE(MAX(number), 0) FROM sessions").fetchone()
        (last_id,) = db.execute("SELECT COALESCE(MAX(id), 0) FROM rows").fetchone()
        books = cls(int(session), int(last_id))
        for found in db.execute(f"{SELECT} WHERE session=? AND state IN ('approved', 'settled')", (session,)):
            row = from_columns(found)
            books.change(row.token, row.held)
        for tid, stan, at, reversal, t, count in db.execute("SELECT * FROM early_reversals"):
            books.early[tid, stan, at] = EarlyReversal(json.loads(reversal), t, count)
        books.settled.update(db.execute("SELECT tid, batch FROM batches"))
        return books

    def change(self, token: str | None, minor: int) -> None:
        """A card's account gives so much more."""
        if token and minor:
            self.held[token] = self.held.get(token, 0) + minor


def at_of(tid: str, original: Original) -> At:
    """What an original is known by."""
    return tid, original.stan, original.time or original.batch
