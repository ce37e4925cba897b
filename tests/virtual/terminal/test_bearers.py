"""Which bearer the terminal takes."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from rig.virtual.terminal.bearers import attempts, has_carrier
from rig.virtual.terminal.settings import BearerSetting
from tests.virtual.terminal.terminal_process import Bench


def test_loopback_has_a_carrier_and_a_missing_interface_has_none() -> None:
    assert has_carrier("lo")
    assert not has_carrier("wlan9999")


def test_a_bearer_without_carrier_is_skipped_by_name() -> None:
    notes: list[dict[str, object]] = []
    bearers = (BearerSetting("wifi", "wlan9999"), BearerSetting("cellular", "lo"), BearerSetting("any", None))
    tried = [each.bearer for each in attempts(bearers, 1.0, lambda kind, **data: notes.append(data))]
    assert tried == ["cellular", "any"]
    assert notes == [{"bearer": "wifi", "why": "no carrier"}]


def test_the_sale_goes_over_the_bearer_that_has_a_carrier(bench: Bench) -> None:
    bench.settings["bearers"] = [{"name": "wifi", "interface": "wlan9999"}, {"name": "cellular", "interface": "lo"}]
    assert bench.registered().sale(100).approved
    assert bench.log("terminal_bearer_skipped")[0]["bearer"] == "wifi"
    assert bench.log("terminal_bearer_up")[0]["bearer"] == "cellular"


_SPEAKS = """
import sys, time
from rig.virtual.terminal.bearers import Attempt, end
connection = Attempt("any", None, time.monotonic() + 5).connect(("127.0.0.1", int(sys.argv[1])))
connection.sendall(b"request")
sys.stdin.readline()
end(connection)
"""


@pytest.mark.parametrize("killed", [True, False], ids=["without power", "in order"])
def test_what_a_terminal_without_power_had_on_its_way_is_gone(killed: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as host:
        host.settimeout(10)
        terminal = subprocess.Popen(
            [sys.executable, "-c", _SPEAKS, str(host.getsockname()[1])], stdin=subprocess.PIPE, text=True
        )
        connection, _ = host.accept()
        with connection, terminal:
            connection.settimeout(10)
            assert connection.recv(100) == b"request"
            if killed:
                terminal.kill()
                with pytest.raises(ConnectionResetError):
                    connection.recv(100)
            else:
                terminal.communicate("\n")
                assert connection.recv(100) == b""
