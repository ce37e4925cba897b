"""The way of an answer from the ledger to the wire: at once, or as a fault of the host will have it."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from rig.acquirer import misdelivery
from rig.acquirer.faults import DEFAULT_HOLD_MS, FaultRules, HeldAnswer, Rule, Taken
from rig.acquirer.reply import Path
from rig.acquirer.request import Request
from rig.history import Journal
from rig.wire.iso8583 import Message

Push = Callable[..., None]
"""``push(event, **data)``: tells whoever listens at the control socket."""

_TOLD = {"action", "ms", "rc", "at", "bytes", "script"}


class Delivery:
    """Sends answers, and keeps the ones that are held.

    ``answer_sent`` says that an answer was given to a connection that stood; where the connection breaks right then,
    ``answer_lost`` follows.

    Args:
        journal: gets ``answer_held``, ``answer_released``, ``answer_sent``, ``answer_lost``, ``answer_withheld`` and
            ``fault_applied``.
        push: gets ``received``, ``held``, ``answered``, ``lost`` and ``withheld``, each with ``key`` and ``mti``.
    """

    def __init__(self, rules: FaultRules, journal: Journal, push: Push) -> None:
        self.rules = rules
        self.held: list[HeldAnswer] = []
        self.fell_over: Callable[[], None] = lambda: None
        self._journal = journal
        self._push = push

    def release(self, key: str) -> list[str]:
        """Let the held answers to a request go, or those to all for ``"all"``; returns their keys."""
        going = [held for held in self.held if key in (held.key, "all")]
        for held in going:
            self.held.remove(held)
            held.release()
        return [held.key for held in going]

    def begin(self, request: Request) -> Taken | None:
        """The fault that this request meets, if any; written to the journal."""
        taken = self.rules.take(request.kind, bool(request.chip))
        if taken is not None:
            particulars = taken.rule.model_dump(include=_TOLD, exclude_none=True)
            if not taken.rule.booked:
                particulars["booked"] = False
            mti = request.message.mti
            self._journal.write("fault_applied", key=request.key, mti=mti, rule=taken.number, **particulars)
        return taken

    def drop(self, request: Request, path: Path, rule: Rule) -> None:
        """A request that is lost before the host has booked it."""
        told: dict[str, Any] = {"key": request.key, "mti": request.message.mti}
        self._push("received", **told)
        self._tell("answer_withheld", "withheld", told, why="the request is lost before it is booked")
        if rule.action != "silent":
            end = path.line.reset if rule.action == "reset" else path.line.close
            end(f"the host is told to {rule.action} before it books")

    def begin_sending(self, request: Request, answer: Message, path: Path) -> Callable[[], None]:
        """An answer, which the ledger holds already, is about to leave; what is returned sends it."""
        told: dict[str, Any] = {"key": request.key, "mti": request.message.mti}
        self._push("received", **told)
        data, result = path.frame(path.payload(answer)), _result(answer, late=False)
        self._tell_sent(told, result, path)
        return partial(self._give, told, result, data, path)

    async def misdeliver(self, request: Request, answer: Message, path: Path, rule: Rule) -> None:
        """Bring an answer, which the ledger holds already, to its connection as a rule has it."""
        told: dict[str, Any] = {"key": request.key, "mti": request.message.mti}
        self._push("received", **told)
        if rule.action == "silent":
            self._tell("answer_withheld", "withheld", told, why="the host is told to be silent")
            return
        late = rule.action in ("hold", "late") or (rule.action == "decline" and rule.ms is not None)
        if late and not await self._wait(rule, told, path):
            self._tell("answer_lost", "lost", told, why="the connection ended while the answer was kept back")
            return
        if rule.action in misdelivery.WHOLE:
            result = _result(answer, late)
            self._tell_sent(told, result, path)
            self._give(told, result, path.frame(path.payload(answer)), path)
            if rule.action == "change_keys":
                self._journal.write("keys_changed", tid=path.change_keys())
            return
        usable, result = misdelivery.is_usable(rule), _result(answer, late=False)
        if usable:
            self._tell_sent(told, result, path)
        try:
            why = await misdelivery.send(rule, answer, path)
        except (OSError, TimeoutError) as error:
            usable, why = False, f"the connection ended: {type(error).__name__}"
        if usable:
            self._push("answered", **told, **result)
        else:
            self._tell("answer_lost", "lost", told, why=why)
        if rule.action == "lose":
            self.fell_over()

    def _tell_sent(self, told: dict[str, Any], result: dict[str, Any], path: Path) -> None:
        """Written before the bytes go: nothing that follows from an answer may precede it in the history."""
        if path.alive:
            self._journal.write("answer_sent", **told, **result)

    def _give(self, told: dict[str, Any], result: dict[str, Any], data: bytes, path: Path) -> None:
        try:
            path.send(data)
        except (OSError, TimeoutError) as error:
            self._tell("answer_lost", "lost", told, why=f"the connection ended: {type(error).__name__}")
        else:
            self._push("answered", **told, **result)

    async def _wait(self, rule: Rule, told: dict[str, Any], path: Path) -> bool:
        """Keep an answer back; whether its connection is still there afterwards."""
        holds = rule.action == "hold"
        held = HeldAnswer(told["key"], told["mti"], time.monotonic_ns())
        self.held.append(held)
        try:
            if holds:
                self._tell("answer_held", "held", told, moment="request_received")
            why = await held.wait(rule.ms or DEFAULT_HOLD_MS, path.closed)
        finally:
            if held in self.held:
                self.held.remove(held)
        if holds and why != "connection closed":
            self._journal.write("answer_released", key=held.key, why=why)
        return why != "connection closed"

    def _tell(self, kind: str, event: str, told: dict[str, Any], **data: Any) -> None:
        """To the history first, then to whoever waits."""
        self._journal.write(kind, **told, **data)
        self._push(event, **told, **data)


def _result(answer: Message, late: bool) -> dict[str, Any]:
    return {"rc": answer.text(39), "auth": answer.text(38) or None, "rrn": answer.text(37) or None, "late": late}
