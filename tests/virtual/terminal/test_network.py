"""The terminal's resolver, clock and DHCP client, against servers that are right, wrong, rude and silent."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rig.bearers.interface import set_up
from rig.bearers.netspace import can_isolate, in_namespace, new_namespace
from rig.bearers.services.addresses import AddressService, Pool
from rig.bearers.services.rules import Rule
from rig.bearers.topology import Segment, build_virtual_network
from rig.virtual.terminal import addresses, clock, resolver
from rig.virtual.terminal.addresses import AddressClient, Lease
from rig.virtual.terminal.bearers import Attempt
from rig.virtual.terminal.clock import Clock, NotValidNow
from rig.virtual.terminal.interface import forget_unresolved
from rig.virtual.terminal.resolver import Resolver, Unresolved
from rig.wire.dhcp import CLIENT_PORT, SERVER_PORT, decode_dhcp, encode_dhcp
from rig.wire.dns import Answer, Question, Rcode, decode_question, encode_answer
from rig.wire.sntp import TimeAnswer, decode_time_question, encode_time_answer

SERVER = "127.0.0.1"
CERTIFICATE = {"notBefore": "Jan  1 00:00:00 2026 GMT", "notAfter": "Jan  1 00:00:00 2027 GMT"}


class Log:
    def __init__(self) -> None:
        self.notes: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, kind: str, **data: Any) -> None:
        self.notes.append((kind, data))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [data for each, data in self.notes if each == kind]


@contextlib.contextmanager
def serving(reply: Callable[[bytes], list[bytes]]) -> Iterator[tuple[int, list[bytes]]]:
    """A UDP server on loopback: its port, and what it was asked."""
    asked: list[bytes] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((SERVER, 0))
        server.settimeout(5)

        def run() -> None:
            with contextlib.suppress(OSError):
                while True:
                    data, peer = server.recvfrom(4096)
                    if data == b"end":
                        return
                    asked.append(data)
                    for answer in reply(data):
                        server.sendto(answer, peer)

        thread = threading.Thread(target=run)
        thread.start()
        yield server.getsockname()[1], asked
        server.sendto(b"end", server.getsockname())
        thread.join()


def attempt(bearer: str = "wifi") -> Attempt:
    return Attempt(bearer, None, time.monotonic() + 2, SERVER, SERVER)


def answered(data: bytes, ttl: int = 60, rcode: int = 0, addresses: tuple[str, ...] = ("10.64.0.10",)) -> bytes:
    return encode_answer(Answer(decode_question(data), rcode, addresses, ttl))


def resolve(monkeypatch: pytest.MonkeyPatch, reply: Callable[[bytes], list[bytes]], times: int = 1) -> int:
    """Resolve a few times; returns how often the server was asked."""
    monkeypatch.setattr(resolver, "_TRIES_S", (0.1, 0.1))
    stub = Resolver(Log())
    with serving(reply) as (port, asked):
        monkeypatch.setattr(resolver, "PORT", port)
        for _ in range(times):
            assert stub.address_of("acquirer.bench", attempt()) == "10.64.0.10"
    return len(asked)


def test_an_address_needs_no_server() -> None:
    assert Resolver(Log()).address_of("10.1.2.3", Attempt("wifi", None, 0.0)) == "10.1.2.3"


def test_an_answer_is_kept_as_long_as_it_says_and_not_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    assert resolve(monkeypatch, lambda data: [answered(data)], times=3) == 1
    assert resolve(monkeypatch, lambda data: [answered(data, ttl=0)], times=3) == 3


def test_each_bearer_has_a_truth_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    stub = Resolver(Log())
    with serving(lambda data: [answered(data)]) as (port, asked):
        monkeypatch.setattr(resolver, "PORT", port)
        for bearer in ("wifi", "cellular", "wifi"):
            stub.address_of("acquirer.bench", attempt(bearer))
    assert len(asked) == 2


def test_a_lost_question_is_repeated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    lost = iter([True, False])
    assert resolve(monkeypatch, lambda data: [] if next(lost) else [answered(data)]) == 2


def test_what_is_no_answer_to_the_question_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def rude(data: bytes) -> list[bytes]:
        question = decode_question(data)
        other = Question(question.number ^ 1, question.name)
        return [b"nonsense", encode_answer(Answer(other, 0, ("6.6.6.6",), 60)), answered(data)]

    assert resolve(monkeypatch, rude) == 1


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (lambda data: [], "does not answer"),
        (lambda data: [answered(data, rcode=Rcode.SERVFAIL, addresses=())], "SERVFAIL"),
        (lambda data: [answered(data, rcode=Rcode.NXDOMAIN, addresses=())], "NXDOMAIN"),
        (lambda data: [answered(data, addresses=())], "NOERROR, with 0 addresses"),
    ],
)
def test_a_name_that_is_not_resolved(
    monkeypatch: pytest.MonkeyPatch, reply: Callable[[bytes], list[bytes]], why: str
) -> None:
    with pytest.raises(Unresolved, match=why):
        resolve(monkeypatch, reply)


def test_without_a_server_nothing_is_asked() -> None:
    with pytest.raises(Unresolved, match="no name server"):
        Resolver(Log()).address_of("acquirer.bench", Attempt("wifi", None, 0.0))


def told(offsets: list[float]) -> Callable[[bytes], list[bytes]]:
    """A time server that is off by these seconds, one an answer; the last one stays."""

    def reply(data: bytes) -> list[bytes]:
        now = time.time() + (offsets.pop(0) if len(offsets) > 1 else offsets[0])
        return [encode_time_answer(TimeAnswer(decode_time_question(data)[1], now), now)]

    return reply


def seconds_to(year: int) -> float:
    return float((year - 1970) * 31_556_952) - time.time()


def test_a_clock_believes_the_server_and_doubts_it_when_the_certificate_is_not_valid(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = Log()
    with serving(told([seconds_to(2040), seconds_to(2026) + 8e6])) as (port, asked):
        monkeypatch.setattr(clock, "PORT", port)
        ours = Clock(lambda: [attempt()], log)
        assert ours.ask()
        assert ours.now() == pytest.approx(time.time() + seconds_to(2040), abs=5)
        ours.require_valid(CERTIFICATE, attempt())
        assert len(asked) == 2
        ours.require_valid(CERTIFICATE, attempt())
        assert len(asked) == 2
    assert len(log.of("terminal_clock_set")) == 2


@pytest.mark.parametrize("year", [2001, 2035])
def test_a_certificate_that_is_not_valid_by_the_clock(monkeypatch: pytest.MonkeyPatch, year: int) -> None:
    with serving(told([seconds_to(year)])) as (port, _):
        monkeypatch.setattr(clock, "PORT", port)
        ours = Clock(lambda: [attempt()], Log())
        assert ours.ask()
        with pytest.raises(NotValidNow):
            ours.require_valid(CERTIFICATE, attempt())


def test_a_silent_time_server_leaves_the_clock_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "_TRY_S", 0.05)
    with serving(lambda data: [b"?"]) as (port, asked):
        monkeypatch.setattr(clock, "PORT", port)
        ours = Clock(lambda: [attempt()], Log())
        assert not ours.ask()
    assert len(asked) == 2
    assert ours.now() == pytest.approx(time.time(), abs=1)


class Network:
    """A terminal's interface with a DHCP server at its other end."""

    def __init__(self) -> None:
        self.bench = new_namespace()
        segment = Segment("wifi", "wlan0", "10.64.1.2/24", "10.64.1.1/24")
        self.terminal = in_namespace(self.bench, lambda: build_virtual_network([segment], "netem", [])).terminal
        self.service = AddressService(Pool.read("10.64.1.1/24", "10.64.1.20", "10.64.1.29"))
        self.log = Log()
        self.client = AddressClient("wlan0", self.log)
        self._socket = in_namespace(self.bench, self._open)
        threading.Thread(target=self._serve, daemon=True).start()

    @staticmethod
    def _open() -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"wifi")
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        made.bind(("", SERVER_PORT))
        return made

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                answer = self.service.reply(decode_dhcp(self._socket.recv(4096)))
                if answer is not None:
                    self._socket.sendto(encode_dhcp(answer), ("255.255.255.255", CLIENT_PORT))

    def start(self) -> None:
        in_namespace(self.terminal, self.client.start)

    def lease(self, wait_s: float) -> Lease:
        return in_namespace(self.terminal, lambda: self.client.lease(wait_s))

    def carrier(self, up: bool) -> None:
        in_namespace(self.bench, lambda: set_up("wifi", up))

    def reaches_gateway(self) -> bool:
        def ask() -> bool:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                try:
                    probe.connect(("192.0.2.1", 9))  # by the default route
                except OSError:
                    return False
                return str(probe.getsockname()[0]).startswith("10.64.1.2")

        return in_namespace(self.terminal, ask)

    def gone(self) -> bool:
        deadline = time.monotonic() + 4
        while not self.log.of("terminal_address_gone") and time.monotonic() < deadline:
            time.sleep(0.01)
        return bool(self.log.of("terminal_address_gone"))


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    if can_isolate().way != "root":
        pytest.skip("namespaces in the test process need root")
    monkeypatch.setattr(addresses, "_TRIES_S", (0.1, 0.2))
    return Network()


def test_an_address_is_got_and_used(network: Network) -> None:
    network.start()
    lease = network.lease(2)
    assert (lease.address, lease.mask, lease.name_server) == ("10.64.1.20", "255.255.255.0", "10.64.1.1")
    assert network.reaches_gateway()


def test_it_waits_for_a_server_that_comes_late(network: Network) -> None:
    network.service.rule = Rule.read("dhcp", {"answer": "timeout"})
    network.start()
    with pytest.raises(OSError, match="no address"):
        network.lease(0.25)
    assert not network.reaches_gateway()
    network.service.rule = None
    assert network.lease(2).address == "10.64.1.20"


def test_the_address_comes_back_with_the_carrier(network: Network) -> None:
    network.start()
    network.lease(2)
    network.carrier(False)
    assert network.gone()
    assert not network.reaches_gateway()
    network.carrier(True)
    assert network.lease(2).address == "10.64.1.20"
    assert network.reaches_gateway()


def test_a_refused_address_is_given_up(network: Network) -> None:
    network.start()
    network.lease(2)
    network.service.rule = Rule.read("dhcp", {"answer": "nak"})
    network.carrier(False)
    network.carrier(True)
    with pytest.raises(OSError, match="no address"):  # at once, whenever the kernel tells of the carrier
        network.lease(0.5)
    assert network.gone()
    assert not network.reaches_gateway()


def test_a_lease_that_is_not_extended_ends(network: Network) -> None:
    network.service.rule = Rule.read("dhcp", {"answer": "short-lease", "seconds": 1})
    network.start()
    began = time.monotonic()
    network.lease(2)
    assert network.gone()
    assert 0.8 < time.monotonic() - began < 2.0
    assert network.service.counts.misled >= 2


def test_who_was_asked_for_in_vain_is_asked_for_anew_and_who_is_known_is_not(network: Network) -> None:
    network.start()
    assert network.lease(2).address
    known, unknown = "10.64.1.1", "10.64.1.99"

    def neighbours() -> set[str]:
        table = Path("/proc/thread-self/net/arp").read_text()
        return {line.split()[0] for line in table.splitlines()[1:]}

    def ask() -> tuple[set[str], set[str]]:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            for each in (known, unknown):
                probe.sendto(b"?", (each, 9))
        deadline = time.monotonic() + 2
        while neighbours() != {known, unknown} and time.monotonic() < deadline:
            time.sleep(0.01)
        before = neighbours()
        time.sleep(0.05)  # until the one who is there has answered
        for each in (known, unknown, "10.64.1.98"):
            forget_unresolved("wlan0", each)
        return before, neighbours()

    before, after = in_namespace(network.terminal, ask)
    assert before == {known, unknown}
    assert after == {known}
