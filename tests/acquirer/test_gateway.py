"""The gateway between a till and a real host process: what passes, what is told, what is kept back."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rig.acquirer.authority import HOST_NAME, export_ca
from rig.acquirer.client import AcquirerClient
from rig.history import Event, read_history
from rig.rpc import RpcError
from tests.acquirer.till import ADDRESS, HostProcess, Till, key, reversal, sale


class GatewayProcess:
    """``python -m rig.acquirer.gateway.serve`` before a host, in a folder of its own."""

    def __init__(self, root: Path, host: HostProcess, mode: str, **settings: Any) -> None:
        self.root, self.mode = root, mode
        self.host = host
        for folder in ("runtime", "journals", "state"):
            (root / folder).mkdir(parents=True, mode=0o700)
        host.redactor.save(root / "redaction.json")
        upstream = {"address": ADDRESS, "port": host.port, "ca": str(host.root / "state/pki/ca.pem")}
        config = {
            "name": "acquirer", "runtime": str(root / "runtime"), "journals": str(root / "journals"),
            "redaction": str(root / "redaction.json"), "listen": [ADDRESS], "port": 0, "state": str(root / "state"),
            "mode": mode, "upstream": {**upstream, "server_name": HOST_NAME}, **settings,
        }  # fmt: skip
        (root / "gateway.json").write_text(json.dumps(config))
        read_end, write_end = os.pipe()
        command = [sys.executable, "-m", "rig.acquirer.gateway.serve", "--config", str(root / "gateway.json")]
        self.process = subprocess.Popen([*command, "--ready-fd", str(write_end)], pass_fds=[write_end])
        os.close(write_end)
        with os.fdopen(read_end) as ready:
            self.port = int(json.loads(ready.readline())["port"])
        self.control = AcquirerClient(root / "runtime/acquirer.sock")

    def till(self) -> Till:
        """A connection through the gateway, verified: the gateway's certificate, or in pass mode the host's own."""
        ca = export_ca((self.root if self.mode == "terminate" else self.host.root) / "state")
        raw = socket.create_connection((ADDRESS, self.port), timeout=5)
        return Till(ssl.create_default_context(cadata=ca).wrap_socket(raw, server_hostname=HOST_NAME))

    def events(self, *kinds: str) -> list[Event]:
        """What the gateway wrote."""
        history = read_history(self.root / "journals")
        return list(history.of(*kinds)) if kinds else list(history.events)

    def end(self) -> int:
        """End it; returns its exit code."""
        self.control.close()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(10)


Start = Callable[..., GatewayProcess]


@pytest.fixture
def start(tmp_path: Path, host: HostProcess) -> Iterator[Start]:
    started: list[GatewayProcess] = []

    def make(mode: str = "terminate", **settings: Any) -> GatewayProcess:
        started.append(GatewayProcess(tmp_path / f"gateway{len(started)}", host, mode, **settings))
        return started[-1]

    yield make
    for each in started:
        assert each.end() == 0


def test_messages_go_through_as_they_are_and_are_told(start: Start, host: HostProcess) -> None:
    gateway, card = start(), host.cards["credit"]
    request = sale(card, 1234)
    with gateway.till() as till:
        answer = till.ask(request)
        assert answer.text(39) == "00"
        assert till.ask(request).fields == answer.fields
        assert till.ask(reversal(request)).text(39) == "00"
    assert host.row(key(request))["state"] == "reversed"
    kinds = [event.kind for event in gateway.events() if event.data.get("key") == key(request)]
    assert kinds == ["request_received", "answer_sent"] * 3
    (told,) = {event.data["rrn"] for event in gateway.events("answer_sent")}
    assert told == answer.text(37)
    received = gateway.events("request_received")[0].data
    assert (received["amount"], received["token"]) == (1234, host.redactor.token(card.pan))
    assert "what the host booked" in received["not_judged"][0]
    for file in (path for path in gateway.root.rglob("*") if path.is_file()):
        assert card.pan.encode() not in file.read_bytes(), file


def test_an_answer_is_held_late_lost_or_broken_off(start: Start, host: HostProcess) -> None:
    gateway, card = start(), host.cards["credit"]
    held, lost, closed, doubled = (sale(card, amount) for amount in (1, 2, 3, 4))
    with gateway.till() as till:
        gateway.control.hold()
        till.send(held)
        gateway.control.wait_for("held", 5, key(held))
        assert host.row(key(held))["state"] == "approved"
        with pytest.raises(TimeoutError):
            till.receive(0.05)
        assert gateway.control.release() == [key(held)]
        answer = till.receive()
        assert answer is not None
        assert answer.text(11) == held.text(11)
        gateway.control.silent()
        till.send(lost)
        gateway.control.wait_for("withheld", 5, key(lost))
        gateway.control.arm({"action": "twice"})
        assert till.ask(doubled) == till.receive()
        gateway.control.arm({"action": "close", "at": "in", "bytes": 20})
        till.send(closed)
        assert till.receive() is None
    assert {host.row(key(each))["state"] for each in (held, lost, closed, doubled)} == {"approved"}
    assert gateway.control.clear().restored


def test_a_request_that_is_lost_never_reaches_the_host(start: Start, host: HostProcess) -> None:
    gateway, request = start(), sale(host.cards["credit"], 100)
    gateway.control.arm({"action": "silent", "booked": False})
    with gateway.till() as till:
        till.send(request)
        gateway.control.wait_for("withheld", 5, key(request))
        assert till.ask(reversal(request)).text(39) == "25"
    assert not host.about("request_received", key(sale(host.cards["credit"], 1)))
    assert all(row["key"] != key(request) for row in host.control.ledger())


def test_a_foreign_card_goes_no_further(start: Start, host: HostProcess) -> None:
    gateway, before = start(), len(host.events("request_received", "request_refused"))
    foreign = "4" + "1" * 15
    with gateway.till() as till:
        till.send(sale(host.cards["credit"], 100).__class__("0200", {2: foreign, **_plain(host)}))
        assert till.receive() is None
    assert len(host.events("request_received", "request_refused")) == before
    assert "test ranges" in gateway.events("request_refused")[0].data["why"]
    assert all(foreign.encode() not in path.read_bytes() for path in gateway.root.rglob("*.jsonl"))


def _plain(host: HostProcess) -> dict[int, str | bytes]:
    return {n: v for n, v in sale(host.cards["credit"], 100).fields.items() if n not in (2, 55)}


def test_tls_passes_and_records_are_met(start: Start, host: HostProcess) -> None:
    gateway, card = start("pass"), host.cards["credit"]
    first, second, third = (sale(card, amount) for amount in (11, 12, 13))
    with gateway.till() as till:
        assert till.ask(first).text(39) == "00"
        assert till.ask(reversal(first)).text(39) == "00"
        gateway.control.hold()
        till.send(second)
        gateway.control.wait_for("held", 5)
        assert host.row(key(second))["state"] == "approved"
        gateway.control.release()
        answer = till.receive()
        assert answer is not None
        assert answer.text(39) == "00"
        gateway.control.silent()
        till.send(third)
        gateway.control.wait_for("lost", 5)
    assert host.row(key(third))["state"] == "approved"
    assert [event.kind for event in gateway.events("answer_passed")] == ["answer_passed"] * 3
    assert not gateway.events("request_received")
    assert gateway.control.clear().restored


def test_the_host_is_away(start: Start, host: HostProcess) -> None:
    gateway = start()
    host.control.down()
    with contextlib.suppress(OSError), gateway.till() as till:
        assert till.receive() is None
    deadline = time.monotonic() + 5
    while not gateway.events("upstream_failed") and time.monotonic() < deadline:
        time.sleep(0.01)
    assert str(host.port) in gateway.events("upstream_failed")[0].data["why"]


def test_what_only_a_host_can_do_is_refused(start: Start) -> None:
    gateway = start()
    for rule in ({"action": "decline", "rc": "05"}, {"action": "wrong_mac"}):
        with pytest.raises(RpcError, match="not for a gateway"):
            gateway.control.arm(rule)
    with pytest.raises(RpcError, match="unknown verb"):
        gateway.control.cut_over()
    assert gateway.control.ledger() == []
