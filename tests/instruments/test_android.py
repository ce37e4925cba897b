"""The exact dialogue with an adb server, and what it and its devices do wrong."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from rig.errors import BenchTrouble, DeviceGone, DeviceMute, DeviceNonsense
from rig.instruments.android import Android
from rig.instruments.signal import Signal, SignalReader
from rig.units import Dbm
from rig.virtual.telephony_dump import dump

STATE = {"registered": True, "carries": True, "technology": "LTE", "cell": "00C3D4E5", "level_dbm": -80}
SIGNAL = (
    b"shell:getprop gsm.sim.state; dumpsys telephony.registry",
    b"OKAYLOADED\r\n" + dump(1, {0: STATE}, 12).encode(),
)
Answers = list[tuple[bytes, bytes]]
HELLO: Answers = [
    (b"shell:getprop ro.product.manufacturer", b"OKAYSUNMI\r\n"),
    (b"shell:getprop ro.product.model", b"OKAYP2\r\n"),
    (b"shell:getprop ro.build.version.release", b"OKAY12\r\n"),
]


def framed(text: bytes) -> bytes:
    return f"{len(text):04x}".encode() + text


class Server:
    """Answers one shell command a connection, and remembers what was not as expected."""

    def __init__(self, answers: Answers, transport: bytes = b"host:transport-any", granted: bytes = b"OKAY") -> None:
        self.wrong: list[tuple[bytes, bytes]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._answers, self._transport, self._granted = answers, framed(transport), granted
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        for expected, answer in self._answers:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                self._expect(connection, self._transport)
                connection.sendall(self._granted)
                if self._granted == b"OKAY":
                    self._expect(connection, framed(expected))
                    connection.sendall(answer)

    def _expect(self, connection: socket.socket, wanted: bytes) -> None:
        got = b""
        while len(got) < len(wanted) and (more := connection.recv(len(wanted) - len(got))):
            got += more
        if got != wanted:
            self.wrong.append((wanted, got))

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(*answers: tuple[bytes, bytes], **options: bytes) -> Server:
        servers.append(Server([*HELLO, *answers], **options))
        return servers[-1]

    yield start
    for server in servers:
        server.close()
        assert server.wrong == []


def test_the_signal(serve: Callable[..., Server]) -> None:
    server = serve(SIGNAL, transport=b"host:transport:R58M")
    lines: list[str] = []
    android = Android.open(server.address, "R58M", name="phone", observe=lambda _, data: lines.append(data["line"]))
    assert android.identity == "SUNMI P2 Android 12"
    assert isinstance(android, SignalReader)
    assert android.signal() == Signal(
        technology="LTE", level=Dbm(-80), registered=True, cell="00C3D4E5", area="1A2B", channel=1300,
        operator="Bench LTE", sim="ready", slot=0,
    )  # fmt: skip
    assert lines[-1] == "shell:getprop gsm.sim.state; dumpsys telephony.registry"
    android.close()


@pytest.mark.parametrize(
    ("prop", "sim"),
    [(b"ABSENT", "missing"), (b"PIN_REQUIRED,LOADED", "SIM PIN"), (b"PERM_DISABLED", "perm_disabled"), (b"", None)],
)
def test_the_sim(serve: Callable[..., Server], prop: bytes, sim: str | None) -> None:
    server = serve((SIGNAL[0], b"OKAY" + prop + b"\n" + dump(1, {}, 14).encode()))
    android = Android.open(server.address, name="phone")
    with pytest.raises(BenchTrouble, match="phone: the signal did not become") as caught:
        android.wait_until(lambda signal: signal.sim != sim, 0)
    assert ("SIM" in caught.value.cure) is (sim != "ready")


@pytest.mark.parametrize(
    ("why", "cure"),
    [
        (b"device unauthorized.\nThis adb server's $ADB_VENDOR_KEYS is not set", "allow USB debugging"),
        (b"device 'R58M' not found", "plug it in"),
        (b"no devices/emulators found", "plug it in"),
        (b"more than one device/emulator", "write its serial in the bench file"),
        (b"device offline", "pull its USB cable"),
        (b"closed", "adb devices"),
    ],
)
def test_a_device_that_the_server_refuses(serve: Callable[..., Server], why: bytes, cure: str) -> None:
    server = serve(granted=b"FAIL" + framed(why))
    said = why.decode().partition("\n")[0].replace(".", r"\.")
    with pytest.raises(DeviceGone, match=f"phone: .* refuses host:transport-any: {said}") as caught:
        Android.open(server.address, name="phone")
    assert cure in caught.value.cure


def test_a_device_without_telephone(serve: Callable[..., Server]) -> None:
    server = serve((SIGNAL[0], b"OKAY\nCan't find service: telephony.registry\n"))
    android = Android.open(server.address, name="phone")
    with pytest.raises(DeviceNonsense, match=r"phone: its dumpsys telephony\.registry tells no signal"):
        android.signal()


def test_what_is_no_adb_server(serve: Callable[..., Server]) -> None:
    server = serve(granted=b"HTTP/1.1 400 Bad Request\r\n")
    with pytest.raises(DeviceNonsense, match="is no adb server: b'HTTP'"):
        Android.open(server.address, name="phone")


def test_a_server_that_ends_the_connection(serve: Callable[..., Server]) -> None:
    server = serve(granted=b"")
    with pytest.raises(DeviceGone, match="ended the connection"):
        Android.open(server.address, name="phone")


def test_no_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(DeviceGone, match=f"phone: no adb server at {address}: Connection refused") as caught:
        Android.open(address, name="phone")
    assert caught.value.cure == "adb start-server"


def test_a_server_that_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(DeviceMute, match=r"no answer in 0\.1 s"):
        Android.open(f"127.0.0.1:{listener.getsockname()[1]}", name="phone", timeout_s=0.1)


@pytest.mark.parametrize("address", ["host:", "host:99999", "host:adb"])
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(BenchTrouble, match="is no HOST:PORT"):
        Android.open(address, name="phone")
