"""DNS messages as a stub resolver and a small server exchange them (RFC 1035): one question, addresses as answers.

Names are lower case and without the last dot. Records of other types than A are passed over when a message is read.
"""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass
from enum import IntEnum

from rig.wire.errors import WireError

PORT = 53
TYPE_A, TYPE_AAAA = 1, 28
_CLASS_IN = 1
_RESPONSE, _AUTHORITATIVE, _RECURSION_DESIRED, _RECURSION_AVAILABLE = 0x8000, 0x0400, 0x0100, 0x0080
_TRUNCATED, _OPCODE = 0x0200, 0x7800
_POINTER = 0xC0
_TO_QUESTION = b"\xc0\x0c"
"""A pointer to the name of the question, which begins behind the header's 12 bytes."""


class Rcode(IntEnum):
    """What a server says of a question (RFC 1035, 4.1.1)."""

    NOERROR = 0
    FORMERR = 1
    SERVFAIL = 2
    NXDOMAIN = 3
    NOTIMP = 4
    REFUSED = 5


@dataclass(frozen=True, slots=True)
class Question:
    """One question.

    Attributes:
        number: the identifier that the answer must bear, 16 bits.
        name: what is asked for.
        kind: the record type; 1 is an IPv4 address.
        recursion: whether the server is asked to find out elsewhere.
    """

    number: int
    name: str
    kind: int = TYPE_A
    recursion: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said to a question.

    Attributes:
        question: the question as the answer repeats it.
        rcode: its result.
        addresses: IPv4 addresses, in the server's order.
        ttl_s: how long the answer may be kept; the shortest of its records.
    """

    question: Question
    rcode: int = Rcode.NOERROR
    addresses: tuple[str, ...] = ()
    ttl_s: int = 0


def encode_question(question: Question) -> bytes:
    """A query.

    Raises:
        WireError: the name is none.
    """
    flags = _RECURSION_DESIRED if question.recursion else 0
    return struct.pack("!6H", question.number, flags, 1, 0, 0, 0) + _encode_question(question)


def encode_answer(answer: Answer) -> bytes:
    """A response; each record's name is a pointer to the question's.

    Raises:
        WireError: the name is none, or an address is none.
    """
    question = answer.question
    flags = _RESPONSE | _AUTHORITATIVE | _RECURSION_AVAILABLE | answer.rcode
    flags |= _RECURSION_DESIRED if question.recursion else 0
    head = struct.pack("!6H", question.number, flags, 1, len(answer.addresses), 0, 0)
    try:
        packed = [ipaddress.IPv4Address(address).packed for address in answer.addresses]
    except ValueError as error:
        raise WireError(f"no IPv4 address: {error}") from error
    records = [_TO_QUESTION + struct.pack("!HHIH", TYPE_A, _CLASS_IN, answer.ttl_s, 4) + each for each in packed]
    return head + _encode_question(question) + b"".join(records)


def decode_question(data: bytes) -> Question:
    """Read a query of one question.

    Raises:
        WireError: it is a response, no plain query, or damaged.
    """
    number, flags, questions = _header(data)[:3]
    if flags & _RESPONSE or flags & _OPCODE or questions != 1:
        raise WireError("no DNS query of one question")
    name, kind, _ = _read_question(data, 12)
    return Question(number, name, kind, bool(flags & _RECURSION_DESIRED))


def decode_answer(data: bytes) -> Answer:
    """Read a response.

    Raises:
        WireError: it is a query, cut off, or damaged.
    """
    number, flags, questions, answers = _header(data)
    if not flags & _RESPONSE or flags & _TRUNCATED or questions != 1:
        raise WireError("no whole DNS response to one question")
    name, kind, place = _read_question(data, 12)
    addresses, ttls = [], []
    for _ in range(answers):
        _, place = _read_name(data, place)
        record, network, ttl, length = struct.unpack("!HHIH", _take(data, place, 10))
        content = _take(data, place + 10, length)
        place += 10 + length
        if record == TYPE_A and network == _CLASS_IN and length == 4:
            addresses.append(str(ipaddress.IPv4Address(content)))
        ttls.append(ttl)
    question = Question(number, name, kind, bool(flags & _RECURSION_DESIRED))
    return Answer(question, flags & 0x000F, tuple(addresses), min(ttls, default=0))


def _header(data: bytes) -> tuple[int, int, int, int]:
    number, flags, questions, answers = struct.unpack("!4H4x", _take(data, 0, 12))
    return number, flags, questions, answers


def _encode_question(question: Question) -> bytes:
    labels = [label.encode("ascii", "replace") for label in question.name.split(".")] if question.name else []
    if not all(0 < len(label) < 64 for label in labels) or sum(len(label) + 1 for label in labels) > 254:
        raise WireError(f"no DNS name: {question.name!r}")
    name = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    return name + struct.pack("!HH", question.kind, _CLASS_IN)


def _read_question(data: bytes, place: int) -> tuple[str, int, int]:
    name, place = _read_name(data, place)
    kind, network = struct.unpack("!HH", _take(data, place, 4))
    if network != _CLASS_IN:
        raise WireError(f"DNS class {network} is not the internet's")
    return name, kind, place + 4


def _read_name(data: bytes, place: int) -> tuple[str, int]:
    """A name and where what follows it begins. A pointer leads backwards alone, so that no name is endless."""
    labels: list[str] = []
    end = None
    while length := _take(data, place, 1)[0]:
        if length & _POINTER == _POINTER:
            target = ((length & ~_POINTER) << 8) | _take(data, place + 1, 1)[0]
            end = end or place + 2
            if target >= place:
                raise WireError("a DNS name that points forwards")
            place = target
            continue
        if length & _POINTER:
            raise WireError("a DNS label of no known kind")
        labels.append(_take(data, place + 1, length).decode("ascii", "replace").lower())
        place += 1 + length
        if len(labels) > 127:
            raise WireError("a DNS name without an end")
    return ".".join(labels), end or place + 1


def _take(data: bytes, place: int, length: int) -> bytes:
    taken = data[place : place + length]
    if len(taken) != length:
        raise WireError("a DNS message that ends too early")
    return taken
