"""A terminal whose way to its host is the telephone: the whole line as processes, and a host without TLS behind it."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from rig.wire.iso8583 import ASCII87, FrameReader, Message, frame
from tests.bearers.dialup.line_bench import LineBench, line_bench
from tests.virtual.terminal.scripted_host import approval
from tests.virtual.terminal.terminal_process import Bench


class PlainHost:
    """Approves whatever it is asked, without TLS; what it was asked is in :attr:`seen`."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.seen: list[Message] = []
        self.mute = False
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop serving."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        reader = FrameReader()
        with contextlib.suppress(OSError), connection:
            while data := connection.recv(4096):
                for tpdu, payload in reader.feed(data):
                    request = ASCII87.decode(payload)
                    self.seen.append(request)
                    if not self.mute:
                        connection.sendall(frame(tpdu.swapped(), ASCII87.encode(approval(request))))

    def mtis(self) -> list[str]:
        """The types of all requests so far."""
        return [message.mti for message in self.seen]


@pytest.fixture(scope="module")
def listening() -> Iterator[PlainHost]:
    host = PlainHost()
    yield host
    host.close()


@pytest.fixture
def plain(listening: PlainHost) -> PlainHost:
    listening.seen.clear()
    return listening


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory, listening: PlainHost) -> Iterator[LineBench]:
    with line_bench(tmp_path_factory.mktemp("line"), host_port=listening.port) as line:
        yield line


@pytest.fixture
def line(processes: LineBench) -> LineBench:
    processes.reset()
    return processes


def by_telephone(bench: Bench, line: LineBench, **settings: Any) -> None:
    """The terminal's only way is the telephone."""
    (bench.folder / "line.tty").symlink_to(line.folder / "line.tty")
    way = {"port": "line.tty", "number": "0800", "answer_s": 1, "redial_pause_s": 0.05, **settings}
    bench.settings["bearers"] = [{"name": "dialup", "line": way}]


def test_a_private_line_is_spoken_to_without_tls_at_its_own_address(bench: Bench, plain: PlainHost) -> None:
    bench.settings["host"]["address"] = "host.nobody.knows"
    private = {"name": "private", "interface": "lo", "plain": True, "address": "127.0.0.1", "port": plain.port}
    bench.settings["bearers"] = [private]
    assert bench.registered().sale(100).approved
    assert plain.mtis() == ["0200"]
    assert bench.log("terminal_bearer_up")[0]["bearer"] == "private"


def test_several_sales_go_in_one_call(bench: Bench, line: LineBench, plain: PlainHost) -> None:
    by_telephone(bench, line, hold_s=5)
    till = bench.registered()
    assert till.sale(100).approved
    assert till.sale(200).approved
    assert plain.mtis() == ["0200", "0200"]
    assert len(bench.log("terminal_dials")) == 1
    assert bench.log("terminal_line_up") == [{"rate": 33600}]


def test_a_call_ends_when_nothing_more_is_asked(bench: Bench, line: LineBench, plain: PlainHost) -> None:
    by_telephone(bench, line, hold_s=0.05)
    till = bench.registered()
    assert till.sale(100).approved
    line.wait_until_over()
    assert till.sale(200).approved
    assert len(bench.log("terminal_dials")) == 2


@pytest.mark.parametrize(
    ("answering", "dials", "why"), [("busy", 2, "BUSY"), ("nobody", 1, "NO ANSWER"), ("voice", 2, "NO CARRIER")]
)
def test_dialling_is_given_up_and_nothing_has_left(
    bench: Bench, line: LineBench, plain: PlainHost, answering: str, dials: int, why: str
) -> None:
    by_telephone(bench, line, answer_s=2 if answering == "voice" else 1)
    line.line.behave(answering)
    assert not bench.registered().sale(100).approved
    assert plain.mtis() == []
    assert len(bench.log("terminal_dials")) == dials
    assert bench.log("terminal_bearer_failed")[0]["why"] == f"the modem says {why}"
    bench.cut_power()
    assert bench.store().pending_reversals() == []


def test_a_call_dropped_within_the_answer_is_reversed_in_the_next(
    bench: Bench, line: LineBench, plain: PlainHost
) -> None:
    by_telephone(bench, line)
    line.line.drop(20)
    assert not bench.registered().sale(100).approved
    line.wait_for("call_begin", 2)
    line.wait_for("call_end")
    deadline = time.monotonic() + 3
    while len(plain.seen) < 2:
        assert time.monotonic() < deadline, "no reversal"
        time.sleep(0.01)
    assert plain.mtis()[:2] == ["0200", "0400"]


def test_a_damaged_answer_is_none(bench: Bench, line: LineBench, plain: PlainHost) -> None:
    by_telephone(bench, line, hold_s=5)
    till = bench.registered()
    assert till.sale(100).approved
    line.line.set_noise(50)
    assert not till.sale(200).approved
    line.line.set_noise(0)
    assert [message.text(4) for message in plain.seen if message.mti == "0200"] == ["000000000100"]


def test_a_slow_call_has_the_time_that_it_needs(bench: Bench, line: LineBench, plain: PlainHost) -> None:
    """A sale at 2400 bit/s takes longer than the terminal waits for a host that is near."""
    by_telephone(bench, line)
    line.line.behave(modulation=2400)
    assert bench.settings["host"]["response_timeout_s"] < 1
    assert bench.registered().sale(100).approved


def test_a_line_without_a_modem_is_passed_over(bench: Bench, plain: PlainHost) -> None:
    way = {"name": "private", "interface": "lo", "plain": True, "address": "127.0.0.1", "port": plain.port}
    bench.settings["bearers"] = [{"name": "dialup", "line": {"port": "line.tty", "number": "0800"}}, way]
    assert bench.registered().sale(100).approved
    assert bench.log("terminal_bearer_failed")[0]["bearer"] == "dialup"
