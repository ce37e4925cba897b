"""Network management: sign-on and key change give session keys, echo and sign-off nothing but an answer."""

from __future__ import annotations

from rig.acquirer.bookings import Result
from rig.acquirer.codes import APPROVED, INVALID
from rig.acquirer.request import Request
from rig.acquirer.security import Security
from rig.history import Journal
from rig.wire.iso8583 import Usage

_GIVES_KEYS = ("sign-on", "key-change")
_KEYS = 62


class Management:
    """Answers network management. The journal gets ``session_keys_given``."""

    def __init__(self, usage: Usage, security: Security, journal: Journal) -> None:
        self._usage = usage
        self._security = security
        self._journal = journal

    def answer(self, request: Request) -> Result:
        """The result of one request."""
        wish = self._usage.codes.get(request.code)
        if wish is None:
            return {39: INVALID}
        if wish not in _GIVES_KEYS:
            return {39: APPROVED}
        keys = self._security.new_session(request.tid)
        if keys is None:
            return {39: APPROVED}
        self._journal.write("session_keys_given", key=request.key, tid=request.tid, by=wish)
        return {39: APPROVED, _KEYS: keys}
