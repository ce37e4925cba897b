"""The plain netlink socket, on whatever kernel: acknowledgements, refusals in the kernel's words, no rights."""

from __future__ import annotations

import errno
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest

from rig.bearers import interface
from rig.bearers.impairment import CLEAN, CUT
from rig.bearers.kernel import one_at_a_time
from rig.bearers.netem import NetemLink, netem_available, reconcile, rtnetlink
from rig.bearers.netem import link_messages as links
from rig.bearers.netem import tc_messages as tc
from rig.bearers.netem.mirror import Mirror, interface_index, notes
from rig.bearers.netem.qdisc import queue_at
from rig.bearers.netem.rtnetlink import Port, Refused
from rig.bearers.netspace import in_namespace, new_namespace
from rig.errors import BenchTrouble, DeviceGone, DeviceMute

T = TypeVar("T")
Inside = Callable[[Callable[[], T]], T]


@pytest.fixture
def inside(root: None) -> Iterator[Inside[object]]:
    """Run in a namespace with a loopback alone."""
    namespace = new_namespace()
    yield lambda function: in_namespace(namespace, function)
    os.close(namespace)


def test_messages_go_together_and_are_answered_apart(inside: Inside[None]) -> None:
    def act() -> None:
        port = Port()
        port.ask(links.make_ifb("rig-ifb7"), links.start("rig-ifb7", "what for"))
        with pytest.raises(Refused) as refused:
            port.ask(links.make_ifb("other"), links.make_ifb("rig-ifb7"), links.make_ifb("third"))
        assert (refused.value.number, refused.value.position) == (errno.EEXIST, 1)
        told = [links.decode(message) for message in port.dump(links.dump_interfaces())]
        assert {each.name for each in told} == {"lo", "rig-ifb7", "other", "third"}
        assert links.decode(port.ask(links.ask_interface("rig-ifb7"))[0]).alias == "what for"
        port.close()

    inside(act)


def test_an_interrupted_question_does_not_answer_the_next(inside: Inside[None]) -> None:
    def act() -> None:
        port = Port()
        port._send([links.ask_interface("lo"), links.ask_interface("nowhere0")])  # and nobody waits for the answer
        assert [links.decode(message).name for message in port.ask(links.ask_interface("lo"))] == ["lo"]
        port._send([links.ask_interface("nowhere0")])
        assert len(port.dump(links.dump_interfaces())) == 1
        port.close()

    inside(act)


def test_the_kernels_own_words_are_told(inside: Inside[None]) -> None:
    def act() -> None:
        port = Port()
        with pytest.raises(Refused, match="Invalid handle"):
            port.ask(tc.remove_queue(1, tc.ROOT, 0x7C10_0000))
        with pytest.raises(Refused) as refused:
            port.ask(tc.ingress(4711))
        assert isinstance(refused.value.trouble("interface x"), DeviceGone)
        port.close()

    inside(act)


def test_a_kernel_that_does_not_answer_is_mute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rtnetlink, "_PATIENCE_S", 0)
    ours, _kernel = socket.socketpair()
    ours.setblocking(False)
    port = Port()
    port._socket.close()
    port._socket = ours
    with pytest.raises(DeviceMute):
        port.ask(links.ask_interface("lo"))


def test_a_default_queue_is_none_of_anybodys(inside: Inside[None]) -> None:
    def act() -> None:
        port = Port()
        port.ask(links.make_ifb("x"), links.start("x", "a stranger's"))
        index = interface_index(port, "x")
        assert queue_at(port, "x", index, tc.ROOT) is None
        assert queue_at(port, "x", index, tc.INGRESS) is None
        port.ask(tc.htb(index, 0x10000))
        found = queue_at(port, "x", index, tc.ROOT)
        assert found is not None
        assert found.get_attr("TCA_KIND") == "htb"
        assert notes(port) == []
        with pytest.raises(DeviceGone, match="nowhere0: there is none"):
            interface_index(port, "nowhere0")
        port.close()

    inside(act)


def test_without_the_right_nothing_is_touched(inside: Inside[None]) -> None:
    """An ordinary user, who may look and not touch."""

    def as_nobody() -> None:
        child = os.fork()
        if child == 0:
            try:
                os.setresuid(65534, 65534, 65534)
                for station in (None, "02:00:00:00:01:00"):
                    with pytest.raises(BenchTrouble, match=r"interface lo: the kernel refused: .*needs CAP_NET_ADMIN"):
                        NetemLink("wifi", "lo", station).apply(CLEAN, CUT)
            except BaseException as error:  # noqa: BLE001 - the parent fails
                os.write(2, f"{error}\n".encode())
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        assert status == 0
        port = Port()
        assert [links.decode(message).name for message in port.dump(links.dump_interfaces())] == ["lo"]
        assert queue_at(port, "lo", 1, tc.INGRESS) is None
        port.close()

    inside(as_nobody)


def test_a_kernel_that_lacks_a_part_is_left_as_it_was(inside: Inside[None]) -> None:
    """Where this kernel has all, nothing is lacking: the lab's has, and then there is nothing to see here."""
    if netem_available():
        pytest.skip("kernel has sch_netem: nothing is lacking")

    def act() -> None:
        interface.set_up("lo", True)
        offloads = interface.joining_offloads("lo")
        for station in (None, "02:00:00:00:01:00"):
            with pytest.raises(BenchTrouble, match=r"the kernel refused: .*modprobe"):
                NetemLink("wifi", "lo", station).apply(CLEAN, CUT)
            port = Port()
            assert [links.decode(message).name for message in port.dump(links.dump_interfaces())] == ["lo"]
            assert queue_at(port, "lo", 1, tc.INGRESS) is None
            assert queue_at(port, "lo", 1, tc.ROOT) is None
            assert interface.joining_offloads("lo") == offloads
            port.close()
        assert reconcile() == []

    inside(act)


def test_a_strangers_interface_of_our_name_is_not_ours(inside: Inside[None]) -> None:
    def act() -> None:
        port = Port()
        mirror = Mirror(port, "lo", 1, None)
        port.ask(links.make_ifb(mirror.name), links.start(mirror.name, "somebody else's"))
        assert mirror.find() is None
        assert not mirror.remove()
        assert len(port.dump(links.dump_interfaces())) == 2
        port.close()

    inside(act)


def test_one_at_a_time_in_one_namespace(inside: Inside[None]) -> None:
    order: list[str] = []

    def second() -> None:
        with one_at_a_time():
            order.append("second")

    def act() -> None:
        with one_at_a_time():
            waiting = threading.Thread(target=second)
            waiting.start()
            waiting.join(0.05)
            order.append("first")
        waiting.join(5)

    inside(act)
    assert order == ["first", "second"]


def test_offloads_are_switched_one_by_one(inside: Inside[None]) -> None:
    def act() -> None:
        everything = interface.joining_offloads("lo")
        one = everything & -everything
        assert one
        interface.switch_offloads("lo", one, False)
        assert interface.joining_offloads("lo") == everything & ~one
        interface.switch_offloads("lo", one, True)
        assert interface.joining_offloads("lo") == everything
        with pytest.raises(DeviceGone, match="nowhere0"):
            interface.joining_offloads("nowhere0")

    inside(act)


def test_what_is_ready_is_fast(inside: Inside[None]) -> None:
    """Not a benchmark: a guard against a wait that slipped in."""

    def act() -> None:
        port = Port()
        question = tc.ask_queue(1, tc.ROOT)
        begin = time.perf_counter()
        for _ in range(200):
            port.ask(question)
        assert time.perf_counter() - begin < 1
        port.close()

    inside(act)
