"""The time server of a bearer."""

from __future__ import annotations

import time

from rig.bearers.services.rules import Counts, Rule
from rig.wire.sntp import TimeAnswer, decode_time_question, encode_time_answer


class TimeService:
    """Answers with this machine's time; no sockets, no threads."""

    def __init__(self) -> None:
        self.rule: Rule | None = None
        self.counts = Counts()

    def reply(self, data: bytes, now: float | None = None) -> bytes | None:
        """The answer to a datagram that came at ``now`` (seconds since 1970); ``None``: silence.

        Raises:
            WireError: it is no question.
        """
        version, transmit = decode_time_question(data)
        self.counts.asked += 1
        now = time.time() if now is None else now
        if self.rule is not None:
            self.counts.misled += 1
            if self.rule.answer == "timeout":
                return None
            now += self.rule.seconds
        return encode_time_answer(TimeAnswer(transmit, now), now, version)
