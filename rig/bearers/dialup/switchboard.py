"""Answers the calls of one bearer, and misbehaves as a bench really can from its own end of a telephone line.

One thread owns the modem; what others ask is done by it between two octets. What it can be asked: :meth:`verbs`.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args

from rig.bearers.dialup.call import Call, Ended, Note
from rig.bearers.dialup.direction import Direction
from rig.bearers.dialup.gate import Framing, make_gates
from rig.bearers.dialup.modem import MODULATIONS, AnsweringModem
from rig.bearers.dialup.orders import Orders
from rig.bearers.impairment import CLEAN, Impairment
from rig.errors import CallerMistake
from rig.rpc import Handler
from rig.wire.at_dial import Code, Result

Answering = Literal["calls", "nobody", "busy", "voice"]
"""Calls are answered; nobody lifts the receiver; it is off the hook; somebody lifts it who is no modem."""

_TRAINING_S = 40.0
"""Two modems that try every modulation need half a minute."""
_UNHEARD_S = 0.3
"""Sooner after an answer a ring may have been on its way already."""
_TOLD = ("up", "down", "noise_percent", "carrier", "answering", "modulation")
_VOICE_S = 1.0
"""Who is no modem says so often, and hangs up."""


class Switchboard:
    """The bench's end of one telephone line.

    Args:
        modem: the answering modem, in command state.
        host: address and TCP port that calls are relayed to.
        note: gets ``call_begin``, ``call_end``, ``line_octets``, ``frame_damaged``, ``ring`` and ``line_set`` events.
        framing: of the calls.
        seed: of the dice for noise.

    Raises:
        CallerMistake: there is no such framing.
    """

    def __init__(
        self, modem: AnsweringModem, host: tuple[str, int], note: Note, framing: Framing = "checked", seed: int = 1
    ) -> None:
        make_gates(framing)
        self._modem = modem
        self._framing: Framing = framing
        self._host = host
        self._note = note
        self._up, self._down = Direction(2 * seed), Direction(2 * seed + 1)
        self._answering: Answering = "calls"
        self._carrier = True
        self._modulation: int | None = None
        self._off_hook = False
        self._drop: int | None = None
        self._call: Call | None = None
        self._rate: int | None = None
        self._training_until = self._voice_until = self._answered_at = 0.0
        self._number = 0
        self._met: Counter[str] = Counter()
        self._orders = Orders()

    @property
    def verbs(self) -> dict[str, Handler]:
        """``get``: everything; ``set {up, down}``: impairments; ``noise {percent}``; ``carrier {up}``: hang up and do
        not answer; ``behave {answering, modulation}``; ``drop {after_octets}``: hang up once, at once or when so many
        octets more have gone to the caller; ``keep``: do not; ``clear``: as if never touched.
        """
        acts: dict[str, Callable[..., Mapping[str, Any]]] = {
            "get": self._get,
            "set": self._set,
            "noise": self._set_noise,
            "carrier": self._set_carrier,
            "behave": self._behave,
            "drop": self._drop_call,
            "keep": self._keep_call,
            "clear": self._clear,
        }
        return {name: self._orders.handler(act) for name, act in acts.items()}

    def run(self, stop: threading.Event, signalled: socket.socket) -> None:
        """Answer calls until ``stop``; :meth:`wake` after setting it. ``signalled`` is readable after a signal.

        Raises:
            BenchTrouble: the modem is gone.
        """
        while not stop.is_set():
            waiting: list[Any] = [signalled, self._modem, self._orders, *(self._call.sockets if self._call else [])]
            ready, _, _ = select.select(waiting, [], [], self._patience())
            if signalled in ready:
                signalled.recv(64)
            self._orders.do(self._orders in ready)
            now = time.monotonic()
            if self._call is not None:
                self._relay(self._call, ready, now)
            elif self._modem in ready:
                self._heard(self._modem.listen())
            if any(until and now > until for until in (self._training_until, self._voice_until)):
                self._free_modem("")
        self._free_modem("the bench ends")

    def wake(self) -> None:
        """Look again at what was ordered."""
        self._orders.wake()

    def close(self) -> None:
        """Let go of the modem."""
        self._modem.close()

    def _patience(self) -> float | None:
        dues = [until for until in (self._training_until, self._voice_until) if until]
        if self._call is not None:
            dues.append(time.monotonic() + 0.1)  # for what the modem held back as a possible NO CARRIER
            if (due := self._call.next_due()) is not None:
                dues.append(due)
        return max(0.0, min(dues) - time.monotonic()) if dues else None

    def _heard(self, results: list[Result]) -> None:
        for result in results:
            match result.code:
                case Code.RING if self._training_until:
                    if time.monotonic() - self._answered_at > _UNHEARD_S:  # a modem that answers hears no ring
                        self._rung()
                case Code.RING if not self._voice_until:
                    self._rung()
                case Code.CONNECT:
                    self._training_until = 0.0
                    self._begin_call(result.rate)
                case Code.NO_CARRIER | Code.ERROR | Code.BUSY if self._training_until:
                    self._training_until = 0.0
                    self._met["failed_trainings"] += 1

    def _rung(self) -> None:
        answered = self._answering == "calls" and self._carrier
        self._note("ring", answered=answered)
        if answered:
            self._answered_at = time.monotonic()
            self._training_until = self._answered_at + _TRAINING_S
            self._modem.answer()
        elif self._answering == "voice" and self._carrier:
            self._voice_until = time.monotonic() + _VOICE_S
            self._modem.set_hook(off=True)
            self._met["voices"] += 1
        else:
            self._met["rings_ignored"] += 1

    def _begin_call(self, rate: int | None) -> None:
        self._number += 1
        self._rate = rate
        self._met["calls"] += 1
        self._met[f"calls_at_{rate}"] += 1
        self._up.rate_bit, self._down.rate_bit = None, rate  # what came up has had its time on the line already
        self._note("call_begin", call=self._number, rate=rate)
        began = self._modem.begin_data()
        try:
            gates = make_gates(self._framing)
            self._call = Call(self._number, self._modem, self._up, self._down, self._host, gates, self._note)
        except Ended as end:
            self._modem.hang_up()
            self._note("call_end", call=self._number, why=str(end))
            return
        self._call.came_up(began, time.monotonic())
        if self._drop is not None:
            self._arm_drop()

    def _relay(self, call: Call, ready: list[Any], now: float) -> None:
        try:
            data = self._modem.read() if self._modem in ready else self._modem.overdue(now)
            call.came_up(data, now)
            for each in call.sockets:
                if each in ready:
                    call.host_ready(now)
            call.pump(now)
        except Ended as end:
            if call.drop_after == 0:
                self._met["calls_dropped"] += 1
            self._end_call(str(end))
            return
        if self._modem.lost:
            self._end_call("the caller hung up, or the carrier was lost")

    def _end_call(self, why: str) -> None:
        call, self._call = self._call, None
        if call is None:
            return
        try:
            if not self._modem.lost:
                self._modem.hang_up()
        finally:
            call.close()
            if call.drop_after:  # it ended before it was dropped: the next one is
                self._drop = call.drop_after
            self._met["frames_damaged"] += call.damaged
            self._rate = None
            self._modem.end_data()
        self._note("line_octets", call=call.number, **call.octets)
        self._note("call_end", call=call.number, why=why)

    def _free_modem(self, why: str) -> None:
        """Between calls the modem takes commands: end the one that stands, or that is about to."""
        if self._training_until:
            self._training_until = 0.0
            self._modem.hang_up()
        if self._voice_until:
            self._voice_until = 0.0
            self._modem.set_hook(off=False)
        self._end_call(why)

    def _get(self) -> dict[str, Any]:
        return {
            "up": self._up.impairment.to_dict(),
            "down": self._down.impairment.to_dict(),
            "noise_percent": self._up.noise_percent,
            "carrier": self._carrier and self._answering == "calls",
            "answering": self._answering,
            "off_hook": self._off_hook,
            "modulation": self._modulation,
            "call": None if self._call is None else {"number": self._number, "rate": self._rate, **self._call.octets},
            "counters": {
                name: {"packets": each.passed, "dropped": each.dropped}
                for name, each in (("up", self._up), ("down", self._down))
            },
            "met": {**self._met, "octets_damaged": self._up.damaged + self._down.damaged},
            "modem": self._modem.identity,
        }

    def _set(self, up: Mapping[str, Any], down: Mapping[str, Any]) -> dict[str, Any]:
        asked = Impairment.from_dict(up), Impairment.from_dict(down)
        for direction, impairment in zip((self._up, self._down), asked, strict=True):
            direction.set(impairment)
        return self._changed()

    def _set_noise(self, percent: float) -> dict[str, Any]:
        self._up.noise_percent = self._down.noise_percent = float(percent)
        return self._changed()

    def _set_carrier(self, up: bool) -> dict[str, Any]:
        self._carrier = up
        if not up:
            self._free_modem("the bench hung up")
        return self._changed()

    def _behave(self, answering: Answering = "calls", modulation: int | None = None) -> dict[str, Any]:
        if answering not in get_args(Answering):
            raise CallerMistake("answering", f"{answering!r} is none", f"use {', '.join(get_args(Answering))}")
        if modulation not in (None, *MODULATIONS):
            raise CallerMistake("modulation", f"{modulation} is none", f"use {', '.join(map(str, MODULATIONS))}")
        busy = answering == "busy"
        if (busy, modulation) != (self._off_hook, self._modulation) or answering != "calls" or self._voice_until:
            self._free_modem("the bench hung up")
        self._answering = answering
        if modulation != self._modulation:
            self._modem.set_modulation(modulation)
            self._modulation = modulation
        if busy != self._off_hook:
            self._modem.set_hook(off=busy)
            self._off_hook = busy
        return self._changed()

    def _drop_call(self, after_octets: int | None = None) -> dict[str, Any]:
        self._drop = 0 if after_octets is None else after_octets
        if self._call is not None:
            self._arm_drop()
        return self._changed()

    def _keep_call(self) -> dict[str, Any]:
        self._drop = None
        if self._call is not None:
            self._call.drop_after = None
        return self._changed()

    def _arm_drop(self) -> None:
        call = self._call
        assert call is not None
        call.drop_after, self._drop = self._drop, None
        if call.drop_after == 0:
            self._met["calls_dropped"] += 1
            self._end_call("the bench hung up")

    def _clear(self) -> dict[str, Any]:
        self._keep_call()
        for direction in (self._up, self._down):
            direction.set(CLEAN)
            direction.noise_percent = 0.0
        self._carrier = True
        return self._behave()

    def _changed(self) -> dict[str, Any]:
        state = self._get()
        self._note("line_set", **{name: state[name] for name in _TOLD})
        return state
