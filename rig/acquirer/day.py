"""The host's business day: midnight, cut-over and end of day are brought about, not waited for.

Until a day was brought about, the business day is the calendar's and no answer speaks of it; from then on it is told
in DE15 (settlement date, MMDD) and in the reference numbers.
"""

from __future__ import annotations

import datetime
import time

from rig.acquirer.ledger import Ledger


class BusinessDay:
    """The business date of a ledger, in memory and on the disk."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        told = ledger.business_date()
        self._date = datetime.date.fromisoformat(told) if told else None
        self._prefix: tuple[str, str] = ("", "")

    @property
    def date(self) -> datetime.date:
        """The business date."""
        return self._date or datetime.date.today()

    def settlement_date(self) -> str | None:
        """DE15; None while the business day is the calendar's."""
        return f"{self._date:%m%d}" if self._date else None

    def reference_prefix(self) -> str:
        """The first six digits of DE37: last digit of the year, day of the year, hour."""
        now = time.strftime("%y%j%H")
        hour = now[5:]
        key = f"{self._date}{now}"
        if self._prefix[0] != key:
            self._prefix = (key, f"{self.date:%y%j}"[1:] + hour)
        return self._prefix[1]

    def begin_next(self) -> datetime.date:
        """Cut over to the next business date; inside the ledger's transaction."""
        self._date = self.date + datetime.timedelta(days=1)
        self._ledger.begin_day(self._date.isoformat(), time.monotonic_ns())
        return self._date
