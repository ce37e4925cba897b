"""The bench's blocking client of the host's side door."""

from __future__ import annotations

import queue
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from rig.errors import DeviceGone, DeviceMute
from rig.rpc import RpcClient

Match = Literal[
    "sale", "advice", "void", "refund", "authorisation", "completion", "cancel", "reversal", "settlement", "upload",
    "upload_end", "script", "network", "any",
]  # fmt: skip


@dataclass(frozen=True)
class HostState:
    """What the host says of itself.

    Attributes:
        up: whether it listens, on ``port`` and, where there is one, on ``plain_port``.
        rules: the faults that are armed.
        held: the answers it keeps back, each with ``key``, ``mti``, ``since_t``.
        connections: who is connected, each with ``peer``, ``local``, ``security``.
        network: the rules of card network and issuers, and whether they are those of the beginning (``restored``).
        front: the TLS front that is up (``name``), and what came of the last one that was not the good one (``seen``:
            :class:`rig.acquirer.fronts.meeting.Seen`); None without TLS.
    """

    up: bool
    port: int
    rules: list[dict[str, Any]]
    held: list[dict[str, Any]]
    connections: list[dict[str, Any]]
    plain_port: int | None = None
    hangs: bool = False
    front: dict[str, Any] | None = None
    network: dict[str, Any] = field(default_factory=lambda: {"restored": True})

    @property
    def restored(self) -> bool:
        """Whether it is as :meth:`AcquirerClient.clear` leaves it."""
        sound = self.front is None or self.front["name"] == "good"
        return self.up and not self.rules and not self.held and bool(self.network["restored"]) and sound


class AcquirerClient:
    """Asks the host. Every method raises DeviceGone, DeviceMute, or RpcError with the host's words."""

    def __init__(self, path: Path, timeout_s: float = 10.0) -> None:
        self._rpc = RpcClient(path, "acquirer", timeout_s)

    @property
    def notifications(self) -> queue.Queue[dict[str, Any] | None]:
        """What the host pushes, in order; None once it is gone."""
        return self._rpc.notifications

    def close(self) -> None:
        """End the connection; what is armed stays armed."""
        self._rpc.close()

    def ping(self) -> int:
        """The host's process id."""
        return int(self._rpc.call("ping")["pid"])

    def arm(self, rule: Mapping[str, Any]) -> int:
        """Arm a rule of :mod:`rig.acquirer.faults`; returns its number."""
        return int(self._rpc.call("arm", rule=dict(rule))["rule"])

    def hold(self, match: Match = "sale", count: int | None = 1, deadline_ms: int = 60_000) -> int:
        """Keep answers back, after the ledger's commit, until released or the deadline is over."""
        return self.arm({"action": "hold", "match": match, "count": count, "ms": deadline_ms})

    def late(self, ms: int, match: Match = "sale", count: int | None = 1) -> int:
        """Send answers late."""
        return self.arm({"action": "late", "match": match, "count": count, "ms": ms})

    def silent(self, match: Match = "sale", count: int | None = 1) -> int:
        """Book, and answer nothing."""
        return self.arm({"action": "silent", "match": match, "count": count})

    def decline(self, rc: str, match: Match = "sale", count: int | None = 1) -> int:
        """Decline with a response code."""
        return self.arm({"action": "decline", "match": match, "count": count, "rc": rc})

    def release(self, key: str = "all") -> list[str]:
        """Let held answers go; returns their keys."""
        return list(self._rpc.call("release", key=key)["released"])

    def down(self) -> HostState:
        """Stop listening and end every connection at once: new ones are refused."""
        return _state(self._rpc.call("down"))

    def up(self) -> HostState:
        """Listen again."""
        return _state(self._rpc.call("up"))

    def hang(self) -> HostState:
        """Take connections and say nothing on them, until :meth:`up`."""
        return _state(self._rpc.call("hang"))

    def restart(self, ms: int) -> HostState:
        """Be down for so many milliseconds, and come back."""
        return _state(self._rpc.call("restart", ms=ms))

    def set_network(self, rules: Mapping[str, Any]) -> HostState:
        """Rules of card network and issuers (:mod:`rig.acquirer.rules`) in place of those that are there."""
        return _state(self._rpc.call("network", rules=dict(rules)))

    def issuer_out(self, bank: str) -> HostState:
        """An issuer cannot be reached; who stands in for it decides."""
        return _state(self._rpc.call("issuer", bank=bank, out=True))

    def issuer_back(self, bank: str) -> HostState:
        """It can be reached again."""
        return _state(self._rpc.call("issuer", bank=bank, out=False))

    def change_keys(self, tid: str) -> bool:
        """The terminal's session keys change, and it is not told; whether they did."""
        return bool(self._rpc.call("keys", tid=tid)["changed"])

    def cut_over(self) -> str:
        """The next business date begins (midnight); returns it, YYYY-MM-DD."""
        return str(self._rpc.call("cut_over")["business_date"])

    def end_of_day(self) -> list[tuple[str, str]]:
        """Close every open batch, then cut over; returns terminal and batch of each."""
        return [(tid, batch) for tid, batch in self._rpc.call("end_of_day")["batches"]]

    def front(self, name: str) -> HostState:
        """Show itself by another TLS front (:mod:`rig.acquirer.fronts`) from the next connection on."""
        return _state(self._rpc.call("front", name=name))

    def clear(self) -> HostState:
        """The restore recipe: nothing armed, nothing held, every issuer there, listening."""
        return _state(self._rpc.call("clear"))

    def state(self) -> HostState:
        """The read-back."""
        return _state(self._rpc.call("state"))

    def pending(self) -> list[dict[str, Any]]:
        """The answers that are kept back now."""
        return list(self._rpc.call("pending")["pending"])

    def ledger(self, since_t: int = 0) -> list[dict[str, Any]]:
        """The ledger's rows since a monotonic time (ns)."""
        return list(self._rpc.call("ledger", since_t=since_t)["rows"])

    def wait_for(self, event: str, timeout_s: float, key: str | None = None) -> dict[str, Any]:
        """The next pushed event of a name (and key); what was pushed before it is passed over.

        Raises:
            DeviceMute: it did not come in time.
            DeviceGone: the host ended.
        """
        deadline = time.monotonic() + timeout_s
        while (left := deadline - time.monotonic()) > 0:
            try:
                pushed = self.notifications.get(timeout=left)
            except queue.Empty:
                break
            if pushed is None:
                raise DeviceGone("acquirer", f"it ended before {event!r}", "look at its journal")
            if pushed["event"] == event and key in (None, pushed.get("key")):
                return pushed
        raise DeviceMute("acquirer", f"no {event!r} in {timeout_s} s", "did the terminal's request reach the host?")


def _state(raw: Mapping[str, Any]) -> HostState:
    listener = raw["listener"]
    return HostState(
        listener["up"],
        listener["port"],
        raw["rules"],
        raw["held"],
        raw["connections"],
        plain_port=listener["plain_port"],
        hangs=listener["hangs"],
        front=raw["front"],
        network=raw["network"],
    )
