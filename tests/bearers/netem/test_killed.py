"""A process that impairs is killed with kill -9 at any moment: what it left is found and removed, and nothing else."""

from __future__ import annotations

import itertools
import os
import random
import select
import signal
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rig.bearers.impairment import CLEAN, CUT, Impairment
from rig.bearers.interface import joining_offloads
from rig.bearers.netem import NetemLink, reconcile
from rig.bearers.netspace import in_namespace
from tests.bearers.netem.bench import Bench, cable, require_netem

pytestmark = pytest.mark.netem
KILLS = 12
Work = Callable[[NetemLink], None]


def set_for_ever(link: NetemLink) -> None:
    for number in itertools.count(1):
        down = CUT if number % 3 == 0 else Impairment(loss_percent=number % 7)
        link.apply(Impairment(delay_ms=number % 50), down)


def lay_and_remove_for_ever(link: NetemLink) -> None:
    while True:
        link.apply(Impairment(delay_ms=1), Impairment(delay_ms=1))
        link.clear()


STATIONS = [None, "02:00:00:00:01:00"]


@pytest.fixture(scope="module", autouse=True)
def kernel_with_netem() -> None:
    require_netem()


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    yield from cable()


def kill_after(bench: Bench, work: Work, station: str | None, wait_s: float) -> None:
    """Let a process impair without end, and kill it so long after it began."""
    told, tell = os.pipe()
    child = bench.inside(lambda: fork(work, station, tell))
    os.close(tell)
    assert os.read(told, 1) == b"!"
    ended, _, _ = select.select([told], [], [], wait_s)  # the pipe's end: it died by itself
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    said = os.read(told, 4096).decode() if ended else ""
    os.close(told)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL, said


def fork(work: Work, station: str | None, tell: int) -> int:
    child = os.fork()
    if child == 0:
        try:
            link = NetemLink("wifi", "wifi", station)
            os.write(tell, b"!")
            work(link)
        except BaseException as error:  # noqa: BLE001 - the parent shows it
            os.write(tell, str(error).encode())
        finally:
            os._exit(1)
    return child


def kernel_state(bench: Bench) -> list[object]:
    """All that impairing could change."""

    def look(kernel: Any) -> list[object]:
        links = {link["index"]: link.get("ifname") for link in kernel.get_links()}
        queues = [(links[q["index"]], q.get_attr("TCA_KIND"), q["handle"], q["parent"]) for q in kernel.get_qdiscs()]
        filters = [
            (name, each.get_attr("TCA_KIND"), each["info"], each["handle"])
            for index, name in links.items()
            for parent in (0, 0xFFFF_0000)
            for each in kernel.get_filters(index, parent=parent)
        ]
        return [sorted(links.values()), sorted(queues), sorted(filters), joining_offloads("wifi")]

    return bench.kernel(look)


@pytest.fixture(scope="module")
def neighbours(bench: Bench) -> None:
    """Somebody else's queueing disciplines on the same machine."""

    def make() -> None:
        for words in (
            "ip link add guest0 type veth peer name guest1",
            "ip link set guest0 up",
            "tc qdisc add dev guest0 root handle 1: htb default 10",
            "tc class add dev guest0 parent 1: classid 1:10 htb rate 10mbit",
            "tc qdisc add dev guest0 parent 1:10 handle 20: netem delay 5ms",
            "tc qdisc add dev guest0 ingress",
            "tc filter add dev guest0 ingress pref 7 matchall action mirred egress mirror dev guest1",
        ):
            subprocess.run(words.split(), check=True)

    bench.inside(make)


@pytest.mark.parametrize(
    "work", [set_for_ever, lay_and_remove_for_ever], ids=["while it sets", "while it lays and removes the way"]
)
@pytest.mark.parametrize("station", STATIONS, ids=["whole", "station"])
def test_killed_at_any_moment(bench: Bench, neighbours: None, work: Work, station: str | None) -> None:
    before = kernel_state(bench)
    dice = random.Random(f"{work.__qualname__} {station}")
    left = 0
    for number in range(KILLS):
        kill_after(bench, work, station, dice.uniform(0, 0.2))
        if number % 2:
            left += bool(bench.inside(reconcile))
        else:  # the link's own clear, in another process, does the same
            left += kernel_state(bench) != before
            in_namespace(bench.namespace, lambda: clear(station))
        assert kernel_state(bench) == before, f"after kill {number}"
    assert left, "no kill left anything: they prove nothing"
    assert bench.probe.passes(True)
    assert bench.probe.passes(False)


def clear(station: str | None) -> None:
    link = NetemLink("wifi", "wifi", station)
    link.clear()
    link.close()


def test_what_a_crash_left_is_simply_gone_on_from(bench: Bench, neighbours: None) -> None:
    kill_after(bench, lay_and_remove_for_ever, None, 0.02)
    bench.apply(CLEAN, CUT)
    bench.inside(bench.link.clear)
    assert bench.inside(reconcile) == []
