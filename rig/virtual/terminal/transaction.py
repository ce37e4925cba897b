"""What the terminal knows of a transaction: its numbers, its card's face, how far it came, and its undoing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class State(StrEnum):
    """How far a transaction came."""

    BEGUN = "begun"
    """It has its numbers; nothing has left."""
    SENDING = "sending"
    """From here on its request may have left the terminal."""
    ANSWERED = "answered"
    """The host's valid answer came in time; the cash register has not acknowledged the result."""
    OFFLINE = "offline"
    """Card and terminal approved without the host; the cash register has not acknowledged the result."""
    COMMITTED = "committed"
    """Approved, acknowledged, final."""
    FAILED = "failed"
    """Not approved, final; a reversal may be due."""


class Operation(StrEnum):
    """What a transaction does."""

    SALE = "sale"
    VOID = "void"


@dataclass(frozen=True)
class CardFace:
    """What may be seen of a card: ``masked`` has ``E`` for hidden digits, ``last4`` is all that a receipt shows.

    ``entry`` is how it was read, as DE22; ``aid`` the application's name in hexadecimal, where it was a chip.
    """

    masked: str
    last4: str
    sequence: int
    name: str
    type_code: int
    entry: str = "071"
    aid: str = ""


@dataclass
class Reversal:
    """The undoing of a transaction: DE39 ``reason``, tries so far, and the answer that finished it."""

    reason: str
    attempts: int = 0
    done: str | None = None


@dataclass
class Advice:
    """The telling of an offline approval to the host: tries so far, and the answer (DE39) that finished it."""

    attempts: int = 0
    done: str | None = None


@dataclass
class Transaction:
    """A sale or void. Amounts are minor units; ``result`` is the ZVT result code once the transaction is final.

    ``public`` holds the data elements of the request that are no card data, ``sealed`` the others, encrypted.
    """

    trace: int
    receipt: int
    batch: int
    operation: Operation
    amount: int
    when: datetime
    original: int | None = None
    state: State = State.BEGUN
    face: CardFace | None = None
    public: dict[int, str] = field(default_factory=dict)
    sealed: str = ""
    rc: str = ""
    auth: str = ""
    rrn: str = ""
    result: int | None = None
    voided: bool = False
    reversal: Reversal | None = None
    advice: Advice | None = None
    """There for what was approved offline; it is due once the transaction is committed."""

    @property
    def final(self) -> bool:
        """Whether it is decided."""
        return self.state in (State.COMMITTED, State.FAILED)


@dataclass(frozen=True)
class Settlement:
    """A closing of a batch that the host may know of: its repeat must say the same, ``totals`` as in DE48."""

    trace: int
    batch: int
    totals: str
    when: datetime
