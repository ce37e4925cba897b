"""Faults happen at their moment, once, with proof; a held answer goes whatever happens."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from rig.cards.faults import CardFault
from rig.errors import BenchTrouble, CallerMistake, DeviceGone
from rig.faults import (
    Action,
    Facts,
    Fault,
    Injector,
    LateProof,
    Moment,
    Proof,
    cut,
    cut_ecr,
    cut_power,
    fail,
    host_down,
    host_late,
    host_silent,
    impair,
    pull_card,
    switch_off,
)


@dataclass
class FakeStage:
    """A bench that writes down what is done to it; ``trouble`` is what an act raises."""

    done: list[tuple[Any, ...]] = field(default_factory=list)
    trouble: dict[str, Exception] = field(default_factory=dict)
    rules: dict[int, bool] = field(default_factory=dict)

    def _act(self, act: str, *arguments: Any) -> Proof:
        self.done.append((act, *arguments))
        if act in self.trouble:
            raise self.trouble[act]
        return Proof(True, {"read_back": act})

    def cut_bearer(self, name: str) -> Proof:
        return self._act("cut_bearer", name)

    def switch_bearer_off(self, name: str) -> Proof:
        return self._act("switch_bearer_off", name)

    def impair_bearer(self, name: str, profile: str) -> Proof:
        return self._act("impair_bearer", name, profile)

    def fail_bearer(self, name: str, failure: str, options: Facts) -> LateProof:
        self._act("fail_bearer", name, failure, dict(options))
        return lambda: Proof(self.rules.get(0, False), {"hits": len(self.done)})

    def act_on_air(self, name: str, act: str, options: Facts) -> Proof:
        return self._act("act_on_air", name, act, dict(options))

    def arm_wire(self, bearer: str, *_: object) -> LateProof:
        return lambda: self._act("arm_wire", bearer)

    def play_timeline(self, bearer: str, timeline: object) -> LateProof:
        return lambda: self._act("play_timeline", bearer, timeline)

    def cut_ecr(self) -> Proof:
        return self._act("cut_ecr")

    def restore_ecr_after(self, seconds: float) -> None:
        self._act("restore_ecr_after", seconds)

    def pull_card(self) -> Proof:
        return self._act("pull_card")

    def present(self, card: str, interface: str) -> Proof:
        return self._act("present", card, interface)

    def put_second_card(self, card: str) -> Proof:
        return self._act("put_second_card", card)

    def arm_card(self, fault: CardFault) -> LateProof:
        return lambda: self._act("arm_card", fault.name)

    def cut_power(self) -> Proof:
        return self._act("cut_power")

    def arm_host(self, behaviour: str, options: Facts) -> int:
        self._act("arm_host", behaviour, dict(options))
        return len([act for act in self.done if act[0] == "arm_host"])

    def host_proof(self, rule: int) -> Proof:
        self._act("host_proof", rule)
        return Proof(self.rules.get(rule, False), {"rule": rule})

    def host_down(self) -> Proof:
        return self._act("host_down")

    def show_front(self, name: str) -> LateProof:
        return lambda: self._act("show_front", name)

    def do_at_host(self, act: str, options: Facts) -> Proof:
        return self._act("do_at_host", act, dict(options))


class FakeHost:
    """A host that holds an answer when it was told to."""

    def __init__(self, history: list[tuple[str, dict[str, Any]]]) -> None:
        self.holds = 0
        self._history = history

    def arm_hold(self) -> None:
        self.holds += 1

    def release(self, key: str) -> None:
        self._history.append(("released", {"key": key}))


class Sale:
    """An injector with all that is around it."""

    def __init__(self) -> None:
        self.history: list[tuple[str, dict[str, Any]]] = []
        self.stage = FakeStage()
        self.host = FakeHost(self.history)
        self.injector = Injector(self.stage, self.host, lambda kind, data: self.history.append((kind, data)))

    def reach(self, moment: Moment) -> None:
        """A moment comes, in the way in which the bench learns of it."""
        if moment is Moment.REQUEST_RECEIVED:
            self.injector.held_at_host("52000001/000001")
        elif moment is Moment.ANSWER_SENT:
            self.injector.answered_by_host("52000001/000001")
        elif moment is not Moment.BETWEEN_SALES:
            self.injector.reached(moment)

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [data for each, data in self.history if each == kind]

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.history]


@pytest.fixture
def sale() -> Sale:
    return Sale()


@pytest.mark.parametrize("moment", Moment)
def test_a_fault_happens_at_its_moment_and_once(sale: Sale, moment: Moment) -> None:
    sale.injector.arm(cut("wifi").at(moment))
    for each in Moment:
        if each is not Moment.BETWEEN_SALES:
            assert bool(sale.stage.done) == (list(Moment).index(moment) < list(Moment).index(each))
        sale.reach(each)
    for each in Moment:
        sale.reach(each)
    sale.injector.finish()
    assert sale.stage.done == [("cut_bearer", "wifi")]
    assert sale.of("fault_asked") == [
        {"fault": f"cut wifi ({moment})", "action": "cut", "target": "wifi", "moment": str(moment)}
    ]
    assert sale.of("fault_proof") == [
        {"fault": f"cut wifi ({moment})", "proven": True, "evidence": {"read_back": "cut_bearer"}}
    ]


@pytest.mark.parametrize("moment", Moment)
def test_what_was_asked_is_told_before_the_moment_and_its_proof_after_it(sale: Sale, moment: Moment) -> None:
    sale.injector.arm(pull_card().at(moment))
    sale.reach(moment)
    told = [(kind, data.get("name")) for kind, data in sale.history if kind != "released"]
    assert told == [("fault_asked", None), ("moment", str(moment)), ("fault_proof", None)]


@pytest.mark.parametrize("moment", [moment for moment in Moment if moment is not Moment.BETWEEN_SALES])
def test_a_moment_that_never_came_leaves_the_fault_unproven(sale: Sale, moment: Moment) -> None:
    sale.injector.arm(cut("wifi").at(moment))
    sale.injector.finish()
    sale.injector.finish()
    sale.reach(moment)
    assert sale.stage.done == []
    assert sale.of("fault_proof") == [
        {"fault": f"cut wifi ({moment})", "proven": False, "evidence": {"why": "its moment never came"}}
    ]


def test_the_answer_is_held_while_the_fault_runs(sale: Sale) -> None:
    sale.injector.arm(cut("wifi").at(Moment.REQUEST_RECEIVED))
    assert sale.host.holds == 1
    sale.injector.held_at_host("T/1")
    assert sale.kinds == ["fault_asked", "moment", "fault_proof", "released"]
    assert sale.of("moment") == [{"name": "request received", "key": "T/1"}]


def test_the_host_holds_only_for_what_happens_at_it(sale: Sale) -> None:
    sale.injector.arm(cut("wifi").at(Moment.PRINT_LINE), host_silent())
    assert sale.host.holds == 0
    sale.injector.arm(cut("wifi").at(Moment.ANSWER_SENT))
    assert sale.host.holds == 1


class Interrupted(BaseException):
    """Such as Ctrl-C."""


@pytest.mark.parametrize("trouble", [DeviceGone("relay", "no answer", "plug it in"), ZeroDivisionError("zero")])
def test_a_held_answer_goes_even_if_the_fault_raises(sale: Sale, trouble: Exception) -> None:
    sale.stage.trouble["cut_power"] = trouble
    sale.injector.arm(cut_power().at(Moment.REQUEST_RECEIVED))
    sale.injector.held_at_host("T/1")
    assert sale.of("released") == [{"key": "T/1"}]


def test_a_held_answer_goes_even_if_the_process_is_interrupted(sale: Sale) -> None:
    def interrupt(_: object) -> Proof:
        raise Interrupted

    sale.injector.arm(Action("cut", "wifi", interrupt).at(Moment.REQUEST_RECEIVED))
    with pytest.raises(Interrupted):
        sale.injector.held_at_host("T/1")
    assert sale.of("released") == [{"key": "T/1"}]


def test_without_a_host_the_moments_are_seen_all_the_same() -> None:
    history: list[str] = []
    injector = Injector(FakeStage(), None, lambda kind, _: history.append(kind))
    injector.arm(cut("wifi").at(Moment.REQUEST_RECEIVED))
    injector.held_at_host("T/1")
    assert history == ["fault_asked", "moment", "fault_proof"]


@pytest.mark.parametrize("felt", [True, False])
def test_a_failure_is_proven_at_the_end_by_what_it_met(sale: Sale, felt: bool) -> None:
    sale.stage.rules[0] = felt
    sale.injector.arm(fail("wifi", "mtu-black-hole", max_bytes=300).at(Moment.REQUEST_RECEIVED))
    sale.injector.held_at_host("52000001/000001")
    assert sale.stage.done == [("fail_bearer", "wifi", "mtu-black-hole", {"max_bytes": 300})]
    sale.injector.end_sale()
    assert sale.of("fault_proof") == []  # it may still be felt in the next sale of the case
    sale.injector.finish()
    (proof,) = sale.of("fault_proof")
    assert proof["fault"] == "mtu-black-hole on wifi (request received)"
    assert proof["proven"] is felt
    sale.injector.finish()
    assert len(sale.of("fault_proof")) == 1


def test_trouble_of_the_bench_is_a_bench_fault_and_no_proof(sale: Sale) -> None:
    sale.stage.trouble["cut_power"] = BenchTrouble("relay", "no answer", "plug it in")
    sale.injector.arm(cut_power().at(Moment.PRINT_LINE))
    sale.reach(Moment.PRINT_LINE)
    assert sale.of("bench_fault") == [{"device": "relay", "what": "no answer", "cure": "plug it in"}]
    assert [proof["proven"] for proof in sale.of("fault_proof")] == [False]


def test_an_unexpected_exception_is_a_bench_fault_too(sale: Sale) -> None:
    sale.stage.trouble["cut_bearer"] = KeyError("carrier")
    sale.injector.arm(cut("wifi").at(Moment.CARD_SELECTED))
    sale.reach(Moment.CARD_SELECTED)
    (fault,) = sale.of("bench_fault")
    assert fault["device"] == "cut wifi (card selected)"
    assert fault["what"] == "KeyError: 'carrier'"
    assert [proof["proven"] for proof in sale.of("fault_proof")] == [False]


def test_one_fault_that_fails_does_not_keep_the_next_one(sale: Sale) -> None:
    sale.stage.trouble["cut_bearer"] = CallerMistake("wifi", "no such bearer")
    sale.injector.arm(cut("wifi").at(Moment.PRINT_LINE), cut_power().at(Moment.PRINT_LINE))
    sale.reach(Moment.PRINT_LINE)
    assert [proof["proven"] for proof in sale.of("fault_proof")] == [False, True]


def test_an_action_that_did_not_take_is_unproven(sale: Sale) -> None:
    still_there = Action("cut", "wifi", lambda _: Proof(False, {"read_back": {"cut": False}}))
    sale.injector.arm(still_there.at(Moment.BETWEEN_SALES))
    assert sale.of("fault_proof") == [
        {"fault": "cut wifi (between sales)", "proven": False, "evidence": {"read_back": {"cut": False}}}
    ]


@pytest.mark.parametrize("applied", [True, False])
def test_a_behaviour_of_the_host_is_armed_before_the_sale_and_proven_after_it(sale: Sale, applied: bool) -> None:
    sale.injector.arm(host_late(1.5), host_silent())
    assert sale.stage.done == [("arm_host", "late", {"ms": 1500}), ("arm_host", "silent", {})]
    assert sale.of("fault_proof") == []
    sale.stage.rules = {1: True, 2: applied}
    sale.injector.finish()
    assert [(proof["proven"], proof["evidence"]) for proof in sale.of("fault_proof")] == [
        (True, {"rule": 1}),
        (applied, {"rule": 2}),
    ]
    sale.injector.finish()
    assert len(sale.of("fault_proof")) == 2


def test_a_host_that_cannot_be_asked_for_its_proof_is_a_bench_fault(sale: Sale) -> None:
    sale.injector.arm(host_silent())
    sale.stage.trouble["host_proof"] = DeviceGone("acquirer", "its process ended")
    sale.injector.finish()
    assert [fault["device"] for fault in sale.of("bench_fault")] == ["acquirer"]
    assert [proof["proven"] for proof in sale.of("fault_proof")] == [False]


def test_a_moment_that_comes_on_many_threads_at_once_runs_its_fault_once(sale: Sale) -> None:
    barrier = threading.Barrier(8)
    sale.injector.arm(cut("wifi").at(Moment.PRINT_LINE))

    def come() -> None:
        barrier.wait(5)
        sale.reach(Moment.PRINT_LINE)

    with ThreadPoolExecutor(8) as pool:
        for each in [pool.submit(come) for _ in range(8)]:
            each.result(5)
    assert sale.stage.done == [("cut_bearer", "wifi")]


def test_a_moment_is_told_even_if_nothing_waits_for_it(sale: Sale) -> None:
    sale.injector.reached(Moment.CARD_SELECTED, uid="04")
    sale.injector.arm()
    assert sale.history == [("moment", {"name": "card selected", "uid": "04"})]


@pytest.mark.parametrize(
    ("fault", "name", "acts"),
    [
        (cut("wifi").at(Moment.PRINT_LINE), "cut wifi (print line)", [("cut_bearer", "wifi")]),
        (switch_off("lte").at(Moment.PRINT_LINE), "switch off lte (print line)", [("switch_bearer_off", "lte")]),
        (impair("lte", "3g").at(Moment.PRINT_LINE), "impair as 3g lte (print line)", [("impair_bearer", "lte", "3g")]),
        (pull_card().at(Moment.PRINT_LINE), "pull card (print line)", [("pull_card",)]),
        (cut_power().at(Moment.PRINT_LINE), "cut power of terminal (print line)", [("cut_power",)]),
        (cut_ecr().at(Moment.PRINT_LINE), "cut cash-register line (print line)", [("cut_ecr",)]),
        (
            cut_ecr(2).at(Moment.PRINT_LINE),
            "cut cash-register line (print line)",
            [("cut_ecr",), ("restore_ecr_after", 2)],
        ),
        (host_down().at(Moment.PRINT_LINE), "take down host (print line)", [("host_down",)]),
    ],
)
def test_each_fault_does_what_it_is_named_after(sale: Sale, fault: Fault, name: str, acts: list[Any]) -> None:
    sale.injector.arm(fault)
    sale.reach(Moment.PRINT_LINE)
    assert fault.name == name
    assert sale.stage.done == acts


def test_which_moments_are_held() -> None:
    assert [moment for moment in Moment if not moment.held] == [Moment.CARD_ANSWERED, Moment.ANSWER_SENT]


@pytest.mark.parametrize(
    ("failure", "options"), [("rts", {}), ("rst", {"speed": 1}), ("mtu-black-hole", {"max_bytes": -1})]
)
def test_a_failure_that_there_is_not_is_told_when_it_is_written_down(failure: str, options: dict[str, Any]) -> None:
    with pytest.raises(CallerMistake):
        fail("wifi", failure, **options)
