"""What can be done to a bench, each with its proof. A fault is an action at a moment.

cut("wifi").at(Moment.REQUEST_RECEIVED)
cut_power().at(Moment.PRINT_LINE)
host_silent()
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from rig.bearers.failures import make_failure
from rig.bearers.wire_cut import Cut
from rig.cards.faults import CardFault
from rig.cards.profile import Interface
from rig.faults.moments import Moment

Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Proof:
    """Whether a fault really happened, by read-back or by a count; never by having asked for it."""

    proven: bool
    evidence: dict[str, Any] = field(default_factory=dict)


LateProof = Callable[[], Proof]
"""Asked when the case is over: for what is proven by what it met until then, such as packets dropped."""


class Stage(Protocol):
    """What an action may use of a bench. Each method acts, reads back, and returns what it read."""

    def cut_bearer(self, name: str) -> Proof:
        """Nothing passes on a bearer any more, in either direction."""
        ...

    def switch_bearer_off(self, name: str) -> Proof:
        """The bearer's network is gone, and the terminal can see that it is."""
        ...

    def impair_bearer(self, name: str, profile: str) -> Proof:
        """A bearer gets the named impairment."""
        ...

    def play_timeline(self, bearer: str, timeline: str) -> LateProof:
        """A timeline plays on a bearer; its proof is what packets met of it by the end of the case."""
        ...

    def fail_bearer(self, name: str, failure: str, options: Facts) -> LateProof:
        """A bearer gets a named failure; its proof is what the failure has met by the end of the case."""
        ...

    def act_on_air(self, name: str, act: str, options: Facts) -> Proof | LateProof:
        """Something happens to a bearer's access point (:mod:`rig.faults.wifi`)."""
        ...

    def cut_ecr(self) -> Proof:
        """Nothing passes on the cash-register line any more."""
        ...

    def restore_ecr_after(self, seconds: float) -> None:
        """The cash-register line comes back by itself."""
        ...

    def pull_card(self) -> Proof:
        """The card leaves the field."""
        ...

    def present(self, card: str, interface: Interface) -> Proof:
        """A card is presented by another interface."""
        ...

    def put_second_card(self, card: str) -> Proof:
        """A second card lies in the field."""
        ...

    def arm_card(self, fault: CardFault) -> LateProof:
        """The next card that is presented misbehaves at its command; the proof is that the command came."""
        ...

    def cut_power(self) -> Proof:
        """The terminal loses its supply."""
        ...

    def arm_host(self, behaviour: str, options: Facts) -> int:
        """The host will behave so for the next sale request; returns the rule's number."""
        ...

    def host_proof(self, rule: int) -> Proof:
        """Whether the host's rule was applied."""
        ...

    def host_down(self) -> Proof:
        """The host refuses connections."""
        ...

    def do_at_host(self, act: str, options: Facts) -> Proof:
        """Something happens to the host as a whole (:mod:`rig.faults.host`)."""
        ...

    def show_front(self, name: str) -> LateProof:
        """The host shows another TLS front; the proof is what terminals gave it until the case ends."""
        ...

    def arm_wire(self, bearer: str, cut: Cut) -> LateProof:
        """A packet of the terminal will meet its fate on the wire; the proof is what was counted there."""
        ...


@dataclass(frozen=True)
class Fault:
    """An action at a moment.

    Attributes:
        action: its name, for people.
        target: what it acts on.
        moment: when.
        run: does it, and proves it.
        host_rule: for a behaviour of the host itself: armed before the sale, proven after it.
        arm: for what acts by itself when its moment comes: armed before the sale, proven after it by what it returns.
    """

    action: str
    target: str
    moment: Moment
    run: Callable[[Stage], Proof | LateProof] | None = None
    host_rule: tuple[str, dict[str, Any]] | None = None
    arm: Callable[[Stage], LateProof] | None = None

    @property
    def name(self) -> str:
        """The fault in words."""
        return f"{self.action} {self.target}".strip() + f" ({self.moment})"


@dataclass(frozen=True)
class Action:
    """A fault that still lacks its moment."""

    action: str
    target: str
    run: Callable[[Stage], Proof | LateProof]

    def at(self, moment: Moment) -> Fault:
        """This action at that moment."""
        return Fault(self.action, self.target, moment, self.run)


def cut(bearer: str) -> Action:
    """Nothing passes on the bearer; the terminal sees silence."""
    return Action("cut", bearer, lambda stage: stage.cut_bearer(bearer))


def switch_off(bearer: str) -> Action:
    """The bearer's network vanishes; the terminal sees that it is gone."""
    return Action("switch off", bearer, lambda stage: stage.switch_bearer_off(bearer))


def impair(bearer: str, profile: str) -> Action:
    """The bearer gets an impairment of ``fixtures/impairments``."""
    return Action(f"impair as {profile}", bearer, lambda stage: stage.impair_bearer(bearer, profile))


def play(bearer: str, timeline: str) -> Action:
    """A timeline of ``fixtures/timelines`` plays on the bearer, until it ends or the case does."""
    return Action(f"play {timeline} on", bearer, lambda stage: stage.play_timeline(bearer, timeline))


def fail(bearer: str, failure: str, **options: Any) -> Action:
    """The bearer gets a named failure of :mod:`rig.bearers.failures`, until the case ends.

    Args:
        bearer: its name.
        failure: such as ``rst``; ``rig failures`` lists them with what the terminal sees.
        options: the failure's own, such as ``max_bytes`` of ``mtu-black-hole``.

    Raises:
        CallerMistake: no such failure, or an option that it has not or that is out of range.
    """
    make_failure(failure, options)
    return Action(f"{failure} on", bearer, lambda stage: stage.fail_bearer(bearer, failure, options))


def pull_card() -> Action:
    """The card leaves the field."""
    return Action("pull", "card", lambda stage: stage.pull_card())


def cut_power() -> Action:
    """The terminal loses its supply; it comes back when the bench settles."""
    return Action("cut power of", "terminal", lambda stage: stage.cut_power())


def cut_ecr(back_after_s: float | None = None) -> Action:
    """The cash-register line is cut, and comes back by itself or when the bench settles."""

    def run(stage: Stage) -> Proof:
        proof = stage.cut_ecr()
        if back_after_s is not None:
            stage.restore_ecr_after(back_after_s)
        return proof

    return Action("cut", "cash-register line", run)


def host_down() -> Action:
    """The host refuses connections."""
    return Action("take down", "host", lambda stage: stage.host_down())


def host_silent() -> Fault:
    """The host books the request and never answers."""
    return Fault("silence", "host", Moment.REQUEST_RECEIVED, host_rule=("silent", {}))


def host_late(seconds: float) -> Fault:
    """The host answers, but only after ``seconds``."""
    return Fault("late answer of", "host", Moment.REQUEST_RECEIVED, host_rule=("late", {"ms": round(seconds * 1000)}))
