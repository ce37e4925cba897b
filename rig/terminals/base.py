"""What every cash-register protocol looks like from above, and what an ECR may believe of an operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from rig.units import Money

Observe = Callable[[str, dict[str, Any]], None]
"""Called with the kind and the data of each event for the history: ``ecr_tx``, ``ecr_rx``, ``ecr_link``."""

Moment = Callable[[str, dict[str, Any]], None]
"""Called at a named point of a transaction. What the terminal waits for is held until it returns."""

MOMENTS = ("ecr_command_sent", "intermediate_status", "status_information", "print_line", "completion")
"""The moments that a driver calls; the acknowledgement of the last four goes out after the call."""


class Outcome(StrEnum):
    """What the cash register may believe of an operation."""

    APPROVED = "approved"
    DECLINED = "declined"
    """Not approved. Where the host was asked already, a reversal may still be pending."""
    FAILED = "failed"
    """Certainly not charged: the command did not reach the terminal, or the terminal refused it."""
    UNKNOWN = "unknown"
    """The answer was lost. Only :meth:`Terminal.resolve` may settle it; the sale is never sent again."""


@dataclass(frozen=True)
class LastReceipt:
    """What the terminal stored last. Numbers are None where the terminal has none, or says none.

    Attributes:
        receipt: receipt number, 1 to 9999, begins again at 1.
        trace: trace number (STAN), 1 to 999999, begins again at 1.
    """

    receipt: int | None = None
    trace: int | None = None

    def newer_than(self, before: LastReceipt) -> bool:
        """Whether something was stored since ``before``: receipt or trace number has gone on."""
        return _gone_on(before.receipt, self.receipt, 9999) or _gone_on(before.trace, self.trace, 999_999)

    def advanced_to(self, other: LastReceipt) -> LastReceipt:
        """These numbers, each replaced by the other's where that says one."""
        return LastReceipt(other.receipt or self.receipt, other.trace or self.trace)


def _gone_on(before: int | None, after: int | None, highest: int) -> bool:
    """Serial numbers that begin again: after ``before`` comes what lies less than half the range ahead."""
    if not after:
        return False
    return not before or 0 < (after - before) % highest < highest // 2


@dataclass(frozen=True)
class OperationResult:
    """How an operation ended, as the cash register sees it.

    Attributes:
        outcome: what may be believed.
        amount: minor units; what the terminal said, else what was asked for.
        currency: ISO 4217, alphabetic.
        result_code: the terminal's code for the end, or None where it said none.
        masked_pan: the card number, never in the clear.
        print_lines: what the terminal printed through the ECR.
        why: one sentence for people.
        before: what the terminal had stored before; None where nobody knows.
    """

    outcome: Outcome
    why: str
    amount: int | None = None
    currency: str = "EUR"
    result_code: int | None = None
    trace: int | None = None
    receipt: int | None = None
    terminal_id: str | None = None
    masked_pan: str | None = None
    text: str | None = None
    print_lines: tuple[str, ...] = ()
    before: LastReceipt | None = None


@dataclass(frozen=True)
class SaleResult(OperationResult):
    """How a sale ended. An unknown one is settled by ``terminal.resolve(result.before, amount)``."""


@dataclass(frozen=True)
class Resolution:
    """What a query found out about an unknown sale.

    Attributes:
        outcome: approved or declined where the terminal could tell, else still unknown.
        by: the query that told, or was asked in vain.
    """

    outcome: Outcome
    by: str
    why: str
    amount: int | None = None
    result_code: int | None = None
    trace: int | None = None
    receipt: int | None = None


class Terminal(Protocol):
    """A terminal behind its cash-register protocol. One owner; every call blocks and ends in bounded time.

    Operations do not raise for what the terminal does or fails to do: that is their outcome.
    """

    name: str

    @classmethod
    def from_settings(cls, name: str, settings: Mapping[str, Any], observe: Observe, moment: Moment) -> Terminal:
        """Make a driver from the ``terminal`` part of a bench file. Raises CallerMistake for settings it cannot use."""
        ...

    @property
    def last_receipt(self) -> LastReceipt | None:
        """What the terminal stored last, as far as the driver knows."""
        ...

    def connect(self) -> None:
        """Open the line and register. Raises BenchTrouble."""
        ...

    def wait_until_up(self, deadline_s: float) -> None:
        """Connect as soon as the terminal is there, after a power-on. Raises BenchTrouble when it is not in time."""
        ...

    def sale(self, amount: Money) -> SaleResult:
        """Ask for a payment."""
        ...

    def void(self, receipt: int, amount: Money) -> OperationResult:
        """Take the payment with this receipt number back."""
        ...

    def end_of_day(self) -> OperationResult:
        """Settle the day's payments with the host."""
        ...

    def resolve(self, before: LastReceipt | None, amount: Money) -> Resolution:
        """Find out what became of a sale whose answer was lost. Never sends the sale again."""
        ...

    def flush(self, timeout_s: float) -> bool:
        """Make the terminal talk to its host, so that waiting reversals leave; True when it says that it did."""
        ...

    def idle(self, timeout_s: float) -> bool:
        """Whether the terminal answers a status enquiry within this time."""
        ...

    def log_off(self) -> None:
        """Give the terminal back to its own keys. Raises BenchTrouble."""
        ...

    def hang_up(self) -> None:
        """Give up the operation under way, from any thread. Its outcome is unknown. Never raises.

        For when the bench knows what a cash register would only learn by waiting: the terminal has no power.
        """
        ...

    def close(self) -> None:
        """Close the line. Never raises."""
        ...
