"""Faults of the host: what it holds, loses, delays and refuses, and what the history and the ledger then say."""

from __future__ import annotations

import time

import pytest

from rig.acquirer.faults import FaultRules, Rule
from rig.errors import CallerMistake, DeviceMute
from rig.rpc import RpcError
from tests.acquirer.till import HostProcess, key, reversal, sale


def test_a_held_answer_waits_booked_until_released(host: HostProcess) -> None:
    request = sale(host.cards["credit"], 1000)
    host.control.hold()
    with host.till() as till:
        till.send(request)
        held = host.control.wait_for("held", 5, key(request))
        assert held["mti"] == "0200"
        assert host.row(key(request))["state"] == "approved"
        assert [each["key"] for each in host.control.pending()] == [key(request)]
        with pytest.raises(TimeoutError):
            till.receive(0.05)
        assert host.control.release(key(request)) == [key(request)]
        answer = till.receive()
    assert answer is not None
    assert answer.text(39) == "00"
    assert host.control.wait_for("answered", 5)["late"] is True
    kinds = [event.kind for event in host.events() if event.data.get("key") == key(request)]
    assert kinds == ["fault_applied", "request_received", "answer_held", "answer_released", "answer_sent"]
    assert host.about("answer_held", key(request))[0]["moment"] == "request_received"
    assert host.about("answer_sent", key(request))[0]["late"] is True


def test_a_held_answer_keeps_nobody_else_waiting(host: HostProcess) -> None:
    first, second = sale(host.cards["credit"], 100), sale(host.cards["credit"], 200)
    host.control.hold()
    with host.till() as till:
        till.send(first)
        host.control.wait_for("held", 5)
        assert till.ask(second).text(11) == second.text(11)
        with host.till() as other:
            assert other.ask(reversal(first)).text(39) == "00"
        host.control.release()
        answer = till.receive()
    assert answer is not None
    assert answer.text(11) == first.text(11)
    assert host.row(key(first))["state"] == "reversed"


def test_a_held_answer_whose_connection_ends_is_lost(host: HostProcess) -> None:
    request = sale(host.cards["credit"], 1000)
    host.control.hold()
    with host.till() as till:
        till.send(request)
        host.control.wait_for("held", 5)
    host.control.wait_for("lost", 5, key(request))
    assert host.control.pending() == []
    assert "connection ended" in host.about("answer_lost", key(request))[0]["why"]
    assert not host.about("answer_sent", key(request))
    assert host.row(key(request))["state"] == "approved"


def test_a_hold_ends_at_its_deadline(host: HostProcess) -> None:
    request = sale(host.cards["credit"], 1000)
    host.control.hold(deadline_ms=60)
    with host.till() as till:
        began = time.monotonic()
        assert till.ask(request).text(39) == "00"
    assert time.monotonic() - began >= 0.06
    assert host.about("answer_released", key(request))[0]["why"] == "deadline"


def test_a_silent_host_books_and_says_nothing(host: HostProcess) -> None:
    request = sale(host.cards["credit"], 1000)
    host.control.silent(count=1)
    with host.till() as till:
        till.send(request)
        host.control.wait_for("withheld", 5, key(request))
        with pytest.raises(TimeoutError):
            till.receive(0.05)
        assert till.ask(reversal(request)).text(39) == "00"
    assert host.row(key(request))["state"] == "reversed"
    assert host.about("answer_withheld", key(request))


def test_a_late_answer_comes_late(host: HostProcess) -> None:
    request = sale(host.cards["credit"], 1000)
    host.control.late(80)
    with host.till() as till:
        began = time.monotonic()
        assert till.ask(request).text(39) == "00"
        assert time.monotonic() - began >= 0.08
    assert host.about("answer_sent", key(request))[0]["late"] is True
    assert not host.about("answer_held", key(request))


def test_a_late_answer_whose_connection_ends_is_lost(host: HostProcess) -> None:
    request = sale(host.cards["credit"], 1000)
    host.control.late(20_000)
    with host.till() as till:
        till.send(request)
        host.control.wait_for("received", 5, key(request))
    host.control.wait_for("lost", 5, key(request))


def test_a_decline_by_order(host: HostProcess) -> None:
    request = sale(host.cards["credit"], 1000)
    host.control.decline("91")
    with host.till() as till:
        assert till.ask(request).text(39) == "91"
    row = host.row(key(request))
    assert (row["state"], row["rc"]) == ("declined", "91")


def test_a_reversal_declined_by_order_succeeds_when_repeated(host: HostProcess) -> None:
    request = sale(host.cards["credit"], 1000)
    host.control.decline("96", match="reversal", count=2)
    with host.till() as till:
        till.ask(request)
        codes = [till.ask(reversal(request, mti)).text(39) for mti in ("0400", "0401", "0401")]
    assert codes == ["96", "96", "00"]
    assert host.row(key(request))["state"] == "reversed"


def test_a_host_that_is_down_refuses_and_comes_back(host: HostProcess) -> None:
    request = sale(host.cards["credit"], 1000)
    host.control.hold()
    with host.till() as till:
        till.send(request)
        host.control.wait_for("held", 5)
        assert not host.control.down().up
        host.control.wait_for("lost", 5)
        assert till.receive() is None
    with pytest.raises(ConnectionRefusedError):
        host.till()
    assert host.control.up().up
    with host.till() as till:
        assert till.ask(request).text(39) == "00"
    assert [event.data["up"] for event in host.events("listener")][-2:] == [False, True]


def test_clear_restores_and_state_reads_it_back(host: HostProcess) -> None:
    request = sale(host.cards["credit"], 1000)
    host.control.hold()
    host.control.decline("05", match="any", count=None)
    with host.till() as till:
        till.send(request)
        host.control.wait_for("held", 5)
        before = host.control.state()
        assert [rule["action"] for rule in before.rules] == ["decline"]
        assert before.held[0]["key"] == key(request)
        assert before.connections[0]["security"].startswith("TLSv1.")
        assert not before.restored
        assert host.control.clear().restored
        answer = till.receive()
    assert answer is not None
    host.control.down()
    assert host.control.clear().restored
    assert host.control.state().restored


@pytest.mark.parametrize(
    ("rule", "where"),
    [
        ({"action": "explode"}, "action"),
        ({"action": "late"}, "late needs ms"),
        ({"action": "decline"}, "rc"),
        ({"action": "decline", "rc": "5"}, "rc"),
        ({"action": "hold", "rc": "05"}, "rc"),
        ({"action": "hold", "match": "bribe"}, "match"),
        ({"action": "hold", "count": 0}, "count"),
        ({"action": "hold", "ms": -1}, "ms"),
        ({"action": "hold", "colour": "red"}, "colour"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_by_name(host: HostProcess, rule: dict[str, object], where: str) -> None:
    with pytest.raises(CallerMistake, match=where):
        Rule.read(rule)
    with pytest.raises(RpcError, match=where):
        host.control.arm(rule)
    assert host.control.state().restored


def test_the_first_rule_that_matches_counts_and_is_used_up() -> None:
    rules = FaultRules()
    rules.arm(Rule(action="silent", match="reversal", count=2))
    everything = rules.arm(Rule(action="decline", match="any", count=None, rc="91"))
    actions = [taken.rule.action for taken in (rules.take("reversal") for _ in range(3)) if taken]
    assert actions == ["silent", "silent", "decline"]
    assert [rule["number"] for rule in rules.state()] == [everything]
    rules.clear()
    assert rules.take("sale") is None


def test_waiting_in_vain_says_so(host: HostProcess) -> None:
    with pytest.raises(DeviceMute, match="held"):
        host.control.wait_for("held", 0.02)


def test_the_side_door_refuses_nonsense(host: HostProcess) -> None:
    with pytest.raises(RpcError, match="unknown verb"):
        host.control._rpc.call("explode")
    with pytest.raises(RpcError, match="colour"):
        host.control._rpc.call("ping", colour="red")
    assert host.control.ping() == host.process.pid
    assert (host.root / "runtime/acquirer.sock").stat().st_mode & 0o777 == 0o600
