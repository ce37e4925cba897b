"""Faults of the host: what it sends in place of its answer, what it does to the connection, and what befalls it whole.

host_closes("in", after_bytes=9)
host_loses_request()
host_restarts(0.5).at(Moment.REQUEST_RECEIVED)

Those that return a :class:`~rig.faults.actions.Fault` meet the next sale request, once; they are proven by the rule
having been applied. Those that return an :class:`~rig.faults.actions.Action` befall the host at a moment of one's
choice, are proven by its read-back, and last until the case ends. But for :func:`host_loses_request` and what says
``booked=False`` the host has booked the request when they happen.
"""

from __future__ import annotations

from typing import Any, Literal

from rig.faults.actions import Action, Fault, LateProof, Stage
from rig.faults.moments import Moment

Place = Literal["before", "in", "after"]
"""Of the answer."""


def host_twice() -> Fault:
    """The same answer comes two times."""
    return _rule("answers twice", "twice")


def host_other_answer() -> Fault:
    """The answer of another transaction comes."""
    return _rule("gives another's answer", "other")


def host_wrong_code() -> Fault:
    """The answer's message authentication code is wrong. For dialects that have one."""
    return _rule("gives a wrong code", "wrong_mac")


def host_malformed() -> Fault:
    """The answer is a whole frame, and no message."""
    return _rule("answers malformed", "malformed")


def host_truncated(after_bytes: int) -> Fault:
    """So many bytes of the answer come, and then nothing; the connection stays."""
    return _rule(f"truncates after {after_bytes} bytes", "truncated", bytes=after_bytes)


def host_trickles(pause_s: float) -> Fault:
    """The answer comes byte by byte, with a pause before each."""
    return _rule("trickles its answer", "trickle", ms=max(round(pause_s * 1000), 1))


def host_closes(place: Place, after_bytes: int | None = None, booked: bool = True) -> Fault:
    """The connection is closed before, in (after so many bytes) or after the answer."""
    return _break_off("closes", "close", place, after_bytes, booked)


def host_resets(place: Place, after_bytes: int | None = None, booked: bool = True) -> Fault:
    """The connection is reset before, in (after so many bytes) or after the answer."""
    return _break_off("resets", "reset", place, after_bytes, booked)


def host_loses_request() -> Fault:
    """The request is lost before the host has booked it, and nothing is ever said of it."""
    return _rule("loses the request", "silent", booked=False)


def host_approves_and_falls() -> Fault:
    """The host books, and falls over before its answer leaves; every connection ends."""
    return _rule("approves and falls over", "lose")


def host_declines(rc: str, after_s: float = 0.0) -> Fault:
    """The host declines with a response code, after a wait; 91 and 96 are what a host under maintenance says."""
    late = {"ms": round(after_s * 1000)} if after_s else {}
    return _rule(f"declines with {rc}", "decline", rc=rc, **late)


def host_disagrees() -> Fault:
    """The totals of the next settlement do not agree, whatever they are."""
    return _rule("disagrees about the totals", "unequal", match="settlement")


def host_changes_keys(tid: str) -> Action:
    """The session keys change underneath the terminal. For dialects with a message authentication code."""
    return _whole("changes its keys", "change keys", tid=tid)


def host_restarts(down_s: float) -> Action:
    """The host ends every connection, is down for a while, and comes back."""
    return _whole("restarts", "restart", ms=max(round(down_s * 1000), 1))


def host_hangs() -> Action:
    """The host takes connections, and then says nothing, not even TLS."""
    return _whole("hangs", "hang")


def host_front(name: str) -> Action:
    """The host shows itself by another TLS front (:mod:`rig.acquirer.fronts`); proven by a terminal that met it."""

    def run(stage: Stage) -> LateProof:
        return stage.show_front(name)

    return Action(f"shows the front {name} of", "host", run)


def issuer_out(bank: str) -> Action:
    """A bank cannot be reached; who stands in for it decides."""
    return Action("loses its issuer", bank, lambda stage: stage.do_at_host("issuer out", {"bank": bank}))


def _rule(what: str, behaviour: str, **options: Any) -> Fault:
    return Fault(what, "host", Moment.REQUEST_RECEIVED, host_rule=(behaviour, options))


def _break_off(what: str, behaviour: str, place: Place, after_bytes: int | None, booked: bool) -> Fault:
    options: dict[str, Any] = {"at": place} | ({"bytes": after_bytes} if after_bytes is not None else {})
    return _rule(f"{what} {place} the answer", behaviour, **options, **({} if booked else {"booked": False}))


def _whole(what: str, act: str, **options: Any) -> Action:
    def run(stage: Stage) -> Any:
        return stage.do_at_host(act, options)

    return Action(what, "host", run)
