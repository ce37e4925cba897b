"""The name server of a bearer: it knows the bench's names, and no others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rig.bearers.services.rules import Counts, Rule
from rig.wire.dns import TYPE_A, Answer, Rcode, decode_question, encode_answer

TTL_S = 0
"""Not to be kept (RFC 1035, 3.2.1), so that a failure bites in the next connection already."""


class NameService:
    """Answers questions; no sockets, no threads.

    Args:
        names: name → its IPv4 addresses.
    """

    def __init__(self, names: Mapping[str, Sequence[str]]) -> None:
        self._names = {name.lower().rstrip("."): tuple(addresses) for name, addresses in names.items()}
        self.rule: Rule | None = None
        self.counts = Counts()

    def reply(self, data: bytes) -> bytes | None:
        """The answer to a datagram; ``None``: silence.

        Raises:
            WireError: it is no question.
        """
        question = decode_question(data)
        self.counts.asked += 1
        if self.rule is not None:
            self.counts.misled += 1
            return self._wrong(Answer(question), self.rule)
        addresses = self._names.get(question.name)
        if addresses is None:
            return encode_answer(Answer(question, Rcode.NXDOMAIN))
        return encode_answer(Answer(question, Rcode.NOERROR, addresses if question.kind == TYPE_A else (), TTL_S))

    def _wrong(self, answer: Answer, rule: Rule) -> bytes | None:
        match rule.answer:
            case "servfail":
                return encode_answer(Answer(answer.question, Rcode.SERVFAIL))
            case "nxdomain":
                return encode_answer(Answer(answer.question, Rcode.NXDOMAIN))
            case "address":
                addresses = (rule.address,) if answer.question.kind == TYPE_A else ()
                return encode_answer(Answer(answer.question, Rcode.NOERROR, addresses, TTL_S))
            case _:
                return None
