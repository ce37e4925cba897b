"""The simulated switch, a real process: told by SNMP and by HTTP, felt by the cable; and what it does when broken."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rig.errors import DeviceMute, DeviceNonsense
from rig.instruments.switch import PortState, open_switch_port
from rig.rpc import RpcClient
from rig.wire.snmp import ERRORS, Kind, Missing, Packet, oid
from tests.virtual.links import Links

StartDevice = Callable[..., Any]
CABLE = "air-ethernet"
REST: dict[str, Any] = {
    "down": {"method": "PUT", "path": "/ports/{port}", "body": {"admin": False}},
    "up": {"method": "PUT", "path": "/ports/{port}", "body": {"admin": True}},
    "read": {"path": "/ports/{port}", "pointer": "/admin"},
    "link": {"path": "/ports/{port}", "pointer": "/link"},
    "power_off": {"method": "PUT", "path": "/ports/{port}", "body": {"poe": False}},
    "power_on": {"method": "PUT", "path": "/ports/{port}", "body": {"poe": True}},
    "power": {"path": "/ports/{port}", "pointer": "/poe"},
    "headers": {"X-Api-Key": "open sesame"},
}


@pytest.fixture
def links(runtime: Path) -> Iterator[Links]:
    made = Links()
    with made.served(runtime / "link.sock"):
        yield made


@pytest.fixture
def switch(start_device: StartDevice, links: Links) -> Any:
    device = start_device(
        "switch", port=0, http_port=0, community="rig", key="open sesame", ports={"1": CABLE, "2": None}, poe=[1],
        link_ms=20, boot_ms=40,
    )  # fmt: skip
    links.wait_for_carrier(CABLE, True)
    return device


def by_snmp(switch: Any, port: int = 1, **settings: Any) -> Any:
    place = f"127.0.0.1:{switch.ready['port']}"
    return open_switch_port("snmp", place, port, {"community": "rig", **settings}, name="port")


def by_http(switch: Any) -> Any:
    return open_switch_port("http", f"http://127.0.0.1:{switch.ready['http_port']}", 1, REST, name="port")


@pytest.mark.parametrize("way", [by_snmp, by_http])
def test_the_cable_follows_its_port(switch: Any, links: Links, way: Callable[[Any], Any]) -> None:
    port = way(switch)
    assert port.read() == PortState(enabled=True, link=True, powered=True)
    assert port.down() == PortState(enabled=False, link=False, powered=True)
    assert links.carriers[CABLE] is False
    assert port.up().enabled
    links.wait_for_carrier(CABLE, True)
    assert port.power_off() == PortState(enabled=True, link=False, powered=False)
    assert links.carriers[CABLE] is False
    assert port.up() == PortState(enabled=True, link=False, powered=False), "a dead far end has no link"
    assert port.power_on().powered
    links.wait_for_carrier(CABLE, True)
    port.close()


def test_a_port_without_a_cable_and_one_that_is_not_there(switch: Any) -> None:
    port = by_snmp(switch, 2)
    assert port.read() == PortState(enabled=True, link=False, powered=None)
    port.close()
    with pytest.raises(DeviceNonsense, match=r"has no ifAdminStatus\.3"):
        by_snmp(switch, 3)


def test_a_link_relay_that_comes_back_is_told_again(switch: Any, runtime: Path, links: Links) -> None:
    port = by_snmp(switch)
    port.down()
    port.close()
    links.carriers.clear()
    again = Links()
    (runtime / "link.sock").unlink()
    with again.served(runtime / "link.sock"):
        # The connection to the first one stands; its end makes the switch look for the second.
        by_snmp(switch).up()


def test_stuck_mute_and_read_only(switch: Any, runtime: Path) -> None:
    side_door = RpcClient(runtime / "switch.sock")
    port = by_snmp(switch, timeout_s=0.05)
    side_door.call("fault", kind="stuck")
    with pytest.raises(DeviceNonsense, match=r"took ifAdminStatus\.1 = 2 and reads back 1"):
        port.down()
    side_door.call("fault", kind="read-only")
    with pytest.raises(DeviceNonsense, match="noAccess"):
        port.down()
    side_door.call("fault", kind="mute")
    with pytest.raises(DeviceMute):
        port.down()
    side_door.call("clear_faults")
    assert not port.down().enabled
    assert side_door.call("state")["ports"]["1"] == {"enabled": False, "powered": True, "link": False}
    side_door.close()
    port.close()


def test_a_wrong_community_is_not_answered_and_a_wrong_key_is_refused(switch: Any) -> None:
    with pytest.raises(DeviceMute):
        by_snmp(switch, community="public", timeout_s=0.05)
    with pytest.raises(DeviceNonsense, match="HTTP 401"):
        open_switch_port(
            "http", f"http://127.0.0.1:{switch.ready['http_port']}", 1, {**REST, "headers": {}}, name="port"
        )


@pytest.mark.skipif(shutil.which("snmpwalk") is None, reason="Net-SNMP is not installed (apt-get install snmp)")
def test_net_snmp_switches_and_walks(switch: Any, links: Links) -> None:
    place = f"127.0.0.1:{switch.ready['port']}"
    admin = "1.3.6.1.2.1.2.2.1.7.1"
    put = subprocess.run(
        ["snmpset", "-v2c", "-c", "rig", "-On", place, admin, "i", "2"], capture_output=True, text=True, check=True
    )
    assert put.stdout.strip() == f".{admin} = INTEGER: 2"
    links.wait_for_carrier(CABLE, False)
    walked = subprocess.run(
        ["snmpwalk", "-v2c", "-c", "rig", "-On", place, "1.3.6.1.2.1"], capture_output=True, text=True, check=True
    )
    assert f".{admin} = INTEGER: 2" in walked.stdout
    assert ".1.3.6.1.2.1.105.1.1.1.3.1.1 = INTEGER: 1" in walked.stdout
    assert "No Such" not in walked.stdout


def test_the_agents_words_of_refusal(tmp_path: Path) -> None:
    from rig.history.journal import Journal
    from rig.history.redaction import Redactor
    from rig.virtual.switch_agent import Agent
    from rig.virtual.switch_ports import Panel, Times

    journal = Journal.open(tmp_path, "switch", Redactor.with_new_key([]))
    agent = Agent(Panel({1: None}, frozenset(), Times(), journal), b"rig")

    def ask(kind: Kind, *bindings: Any) -> Packet:
        answer = agent.answer(Packet(kind, b"rig", 5, bindings).encode())
        assert answer is not None
        return Packet.decode(answer)

    admin, description = oid("1.3.6.1.2.1.2.2.1.7.1"), oid("1.3.6.1.2.1.1.1.0")
    for name, binding in [
        ("notWritable", (description, b"x")), ("wrongType", (admin, b"up")), ("wrongValue", (admin, 3)),
        ("notWritable", (oid("1.3.6.1.2.1.105.1.1.1.3.1.1"), 2)),
    ]:  # fmt: skip
        answer = ask(Kind.SET, (admin, 2), binding)
        assert (ERRORS[answer.error], answer.index) == (name, 2)
        assert ask(Kind.GET, (admin, None)).bindings[0][1] == 1, "all of it or nothing"
    missing = ask(Kind.GET, ((*admin[:-1], 9), None), (oid("1.3.6.1.4.1.9.9"), None))
    assert [value for _, value in missing.bindings] == [Missing.NO_SUCH_INSTANCE, Missing.NO_SUCH_OBJECT]
    assert ask(Kind.GET_NEXT, ((*admin[:-1], 9), None)).bindings[0][0] == oid("1.3.6.1.2.1.2.2.1.8.1")
    assert agent.answer(b"rubbish") is None
