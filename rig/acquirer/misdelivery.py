"""What a faulty host sends in place of its answer: the bytes, and what becomes of the connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from rig.acquirer.faults import Rule
from rig.acquirer.reply import Path
from rig.wire.iso8583 import Message, sealing

WHOLE = ("hold", "late", "decline", "change_keys", "unequal", "wrong_arpc", "no_arpc", "script")
"""After these the answer is sent as any other."""


def is_usable(rule: Rule) -> bool:
    """Whether what leaves contains the whole answer, so that the terminal may believe it."""
    return rule.action in ("twice", "trickle") or rule.at == "after"


async def send(rule: Rule, answer: Message, path: Path) -> str:
    """Send an answer as the rule has it; returns what became of it, in words.

    Raises OSError where the connection is gone before its end was meant.
    """
    wrong = _WRONG.get(rule.action)
    data = path.frame(wrong(answer, path) if wrong else path.payload(answer))
    if rule.action == "twice":
        path.send(data + data)
        return "sent twice"
    if rule.action == "truncated":
        path.send(data[: rule.bytes])
        return f"{min(rule.bytes or 0, len(data))} of its {len(data)} bytes left"
    if rule.action == "trickle":
        await _trickle(data, (rule.ms or 0) / 1000, path)
        return "sent byte by byte"
    if rule.action in ("close", "reset"):
        return _break_off(rule, data, path)
    if rule.action == "lose":
        return "the host falls over after its commit"
    path.send(data)
    return f"what left is {rule.action.replace('_', ' ')}"


async def _trickle(data: bytes, pause_s: float, path: Path) -> None:
    for place in range(len(data)):
        path.send(data[place : place + 1])
        try:
            async with asyncio.timeout(pause_s):
                await path.closed.wait()
        except TimeoutError:
            continue
        raise ConnectionResetError("the connection ended in the answer")


def _break_off(rule: Rule, data: bytes, path: Path) -> str:
    leaves = {"before": 0, "in": rule.bytes or 0, "after": len(data)}[rule.at or "before"]
    if leaves:
        path.send(data[:leaves])
    end = path.line.reset if rule.action == "reset" else path.line.close
    end(f"the host is told to {rule.action} {rule.at} the answer")
    return f"{min(leaves, len(data))} of its {len(data)} bytes left, and the connection ended"


def _other(answer: Message, path: Path) -> bytes:
    """The answer of another transaction: its STAN is one that nobody waits for."""
    stan = f"{(int(answer.text(11, '0')) + 500_000) % 1_000_000:06d}"
    return path.payload(replace(answer, fields={**answer.fields, 11: stan}))


def _wrong_mac(answer: Message, path: Path) -> bytes:
    data = path.payload(answer)
    last = data[-1] ^ 0x01 if path.dialect.spec["64"]["data_enc"] == "b" else ord("0" if data[-1:] != b"0" else "1")
    return data[:-1] + bytes([last]) if _has_code(answer, path) else data


def _has_code(answer: Message, path: Path) -> bool:
    data = path.payload(answer)
    return sealing.is_sealed(path.dialect.decode(data))


def _malformed(answer: Message, path: Path) -> bytes:
    """A whole frame whose message ends in the middle of an element."""
    return path.payload(answer)[:-1]


_WRONG: dict[str, Callable[[Message, Path], bytes]] = {
    "other": _other,
    "wrong_mac": _wrong_mac,
    "malformed": _malformed,
}
