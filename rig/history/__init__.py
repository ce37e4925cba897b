"""Everything that happened, on one monotonic clock, append-only.

Each process writes a journal of its own; a reader merges them. Card data is redacted before it reaches a disk.
"""

from rig.history.events import Event, History, Tail, read_history
from rig.history.journal import Journal
from rig.history.redaction import Redactor, TestRange

__all__ = ["Event", "History", "Journal", "Redactor", "Tail", "TestRange", "read_history"]
