"""Named points of a transaction at which a fault can be made to happen.

Where the rig owns the other side of a wire it *holds* the moment: the terminal waits for an answer while the fault is
applied, so that the fault is there before the transaction goes on. Otherwise it *sees* the moment and acts at once.
"""

from __future__ import annotations

from enum import StrEnum


class Moment(StrEnum):
    """A point of a transaction, in the order of a sale."""

    BETWEEN_SALES = "between sales"
    """Before the payment command; nothing is under way."""
    CARD_COMMAND = "card command"
    """A command of the terminal reaches the card. Only faults of :mod:`rig.faults.card` meet it."""
    CARD_SELECTED = "card selected"
    """The terminal selected an application; the card's answer is held."""
    BEFORE_REQUEST = "before the request"
    """The card has computed its cryptogram and its answer is held: no request can have left."""
    CARD_ANSWERED = "card answered"
    """The card's cryptogram has gone to the terminal (seen)."""
    CARD_NOT_READ = "card not read"
    """The terminal says that it cannot read the card, and waits for it in another way; the acknowledgement is held."""
    REQUEST_ON_WIRE = "request on the wire"
    """The packet with the request crosses the bench's interface; what is armed for it acts in the kernel, before the
    host can see it. Only faults of :mod:`rig.faults.wire` meet it."""
    REQUEST_RECEIVED = "request received"
    """The host has received and booked the request; its answer is held."""
    ANSWER_SENT = "answer sent"
    """The host's answer has left the host (seen)."""
    STATUS_INFORMATION = "status information"
    """The terminal told the cash register its result; the acknowledgement is held."""
    PRINT_LINE = "print line"
    """The terminal sent a line of its receipt to the cash register; the acknowledgement is held."""

    @property
    def held(self) -> bool:
        """Whether the transaction waits while a fault is applied."""
        return self not in (Moment.CARD_ANSWERED, Moment.ANSWER_SENT)

    @property
    def at_host(self) -> bool:
        """Whether the acquirer must hold its answer so that this moment can be met."""
        return self in (Moment.REQUEST_RECEIVED, Moment.ANSWER_SENT)
