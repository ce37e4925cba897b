"""What this machine and this bench have and lack, each with its cure. Looks only; changes nothing."""

from __future__ import annotations

import datetime
import os
import platform
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from rig.bearers.netem import netem_available
from rig.bearers.netspace import can_isolate, unshare_network
from rig.bearers.nft import leftover_tables, nft_available
from rig.bearers.wifi.child import SYSTEM_PATH
from rig.bench.calibration import calibrated_paths, doubts, load_calibrations
from rig.bench.description import BenchFile, load_bench
from rig.bench.inventory import capabilities
from rig.bench.lease import holder
from rig.bench.parts.wifi import AccessPoint
from rig.bench.places import StateDirectory
from rig.bench.sessions import SessionJournal
from rig.bench.spawn import marked_processes
from rig.errors import BenchTrouble


class Health(StrEnum):
    """How a finding is meant."""

    GOOD = "good"
    LACKING = "lacking"
    """Something is not there; the rig works without it, in a way that the finding names."""
    BAD = "bad"
    """The rig cannot work until this is cured."""


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    subject: str
    health: Health
    what: str
    cure: str = ""


def examine_machine(node: Path | None, allure: Path | None) -> Iterator[Finding]:
    """What the machine has.

    Args:
        node: a Node that can render reports, if one was found.
        allure: the Allure command, if it was found.
    """
    yield Finding("python", Health.GOOD, f"{platform.python_version()} at {sys.executable}")
    yield Finding("kernel", Health.GOOD, platform.release())
    isolation = can_isolate()
    if isolation:
        yield Finding("private network", Health.GOOD, f"possible as {isolation.way}")
    else:
        yield Finding("private network", Health.BAD, f"impossible: {isolation.reason}", isolation.cure)
    yield _netem()
    yield _nftables()
    if shutil.which("tshark"):
        yield Finding("tshark", Health.GOOD, "installed")
    else:
        yield Finding("tshark", Health.LACKING, "absent; our tests check protocols with it", "apt install tshark")
    if node is None:
        yield Finding("node", Health.LACKING, "no Node 22 or newer; reports stay unrendered", "make setup")
    else:
        yield Finding("node", Health.GOOD, str(node))
    if allure is None:
        yield Finding("allure", Health.LACKING, "absent; reports stay unrendered", "make setup")
    else:
        yield Finding("allure", Health.GOOD, str(allure))


def _netem() -> Finding:
    probe = _in_private_network(lambda: netem_available().reason)
    if probe is None:
        return Finding("netem", Health.LACKING, "not probed: no private network to probe it in")
    if not probe:
        return Finding("netem", Health.GOOD, "sch_netem in this kernel")
    return Finding("netem", Health.LACKING, "not in this kernel; the user-space link is used instead", probe)


def _nftables() -> Finding:
    probe = _in_private_network(lambda: nft_available().reason)
    if probe is None:
        return Finding("nftables", Health.LACKING, "not probed: no private network to probe it in")
    if not probe:
        return Finding("nftables", Health.GOOD, "exact moments on the wire are possible")
    return Finding("nftables", Health.LACKING, "no exact moments on the wire, nor failures that drop packets", probe)


def _in_private_network(look: Callable[[], str]) -> str | None:
    """What ``look`` says in a child process with a private network of its own; None where there can be none."""
    isolation = can_isolate()
    if not isolation:
        return None
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            unshare_network(user_namespace=isolation.way == "user namespace")
            found = look()
        except Exception as error:  # noqa: BLE001 - a child that died without a word would look like success
            found = f"the probe failed: {error}"
        os.write(tell, found.encode())
        os._exit(0)
    os.close(tell)
    with os.fdopen(told) as answer:
        said = answer.read()
    os.waitpid(child, 0)
    return said


def examine_bench(path: Path) -> Iterator[Finding]:
    """What the bench has: its file, its lease, what a crash left, its ports.

    Raises:
        CallerMistake: the bench file is wrong.
    """
    bench = load_bench(path)
    yield Finding("bench file", Health.GOOD, f"{bench.name}: {bench.about or path}")
    state = StateDirectory.of(bench.name)
    yield Finding("state", Health.GOOD, str(state.root))
    who = holder(state.lock)
    if who is not None:
        yield Finding("lease", Health.BAD, f"held by {who}", "wait for it, or end that run")
    else:
        yield Finding("lease", Health.GOOD, "free")
    yield from _leftovers(state, held=who is not None)
    yield _capabilities(bench)
    yield from _calibrations(path, bench, state)
    if bench.simulation is None:
        yield from _ports(bench)
        yield from _network(bench)


def _capabilities(bench: BenchFile) -> Finding:
    def look() -> str:
        return ", ".join(capabilities(bench))

    inside = _in_private_network(look) if bench.network.isolation == "private" else None
    return Finding("capabilities", Health.GOOD, look() if inside is None else inside)


def _calibrations(file: Path, bench: BenchFile, state: StateDirectory) -> Iterator[Finding]:
    """Paths whose loss was measured, and those where that is long ago, or was never done."""
    if not calibrated_paths(bench):
        return
    cure = f"rig bench calibrate --bench {file}"
    try:
        known = load_calibrations(state.calibration)
    except BenchTrouble as trouble:
        yield Finding("calibration", Health.LACKING, trouble.what, cure)
        return
    wrong = doubts(bench, known, datetime.datetime.now(datetime.UTC))
    for path in calibrated_paths(bench):
        if path in wrong:
            yield Finding(f"path {path}", Health.LACKING, f"its loss {wrong[path]}", cure)
        else:
            yield Finding(f"path {path}", Health.GOOD, known[path].summary)


def _leftovers(state: StateDirectory, held: bool) -> Iterator[Finding]:
    if held:
        return
    session = SessionJournal(state.guard_journal).last()
    processes = marked_processes(state.root)
    if session is not None and not session.released:
        yield Finding("last session", Health.BAD, f"its guard was killed ({session.run})", "the next start reconciles")
    else:
        yield Finding("last session", Health.GOOD, "ended clean")
    if processes:
        names = ", ".join(f"{pid} {name}" for pid, name in processes.items())
        yield Finding("processes", Health.BAD, f"left over: {names}", "the next start ends them")
    else:
        yield Finding("processes", Health.GOOD, "none left, nor any network namespace or lock of theirs")
    yield _tables()


def _tables() -> Finding:
    """Packet filter tables of the rig in this network. The kernel removes each with its owner."""
    try:
        left = leftover_tables()
    except BenchTrouble as trouble:
        return Finding("nft tables", Health.GOOD, f"none of ours can be here: {trouble.what}")
    if not left:
        return Finding("nft tables", Health.GOOD, "none of ours without a living owner")
    return Finding("nft tables", Health.BAD, f"left over: {', '.join(left)}", f"nft delete table {left[0]}")


def _ports(bench: BenchFile) -> Iterator[Finding]:
    """Serial ports of a real bench; those of a virtual one come with it."""
    parts = {"power": bench.power, "terminal": bench.terminal.serial}
    ports = {name: part.port for name, part in parts.items() if part is not None}
    ports |= {f"modem {name}": each.port for name, each in bench.modems.items() if each.port is not None}
    ports |= {f"relay {name}": each.port for name, each in bench.relays.items()}
    ports |= {f"bearer {name}": each.interface for name, each in bench.bearers.items() if not each.has_packets}
    ports |= {f"presenter {name}": each.place for name, each in bench.presenters.items() if each.place.startswith("/")}
    for name, port in ports.items():
        if Path(port).exists():
            yield Finding(name, Health.GOOD, port)
        else:
            yield Finding(name, Health.BAD, f"no {port}", "plug it in; ls -l /dev/serial/by-id")


def _access_point(name: str, point: AccessPoint, present: set[str]) -> Finding:
    """What an access point of the bench's own needs: its radios, and the programs that drive them."""
    subject = f"access point {name}"
    radios = [cells[0].interface for cells in point.network.radios]
    if absent := [radio for radio in radios if radio not in present]:
        return Finding(subject, Health.BAD, f"no radio {', '.join(absent)}", "iw dev; is it plugged in?")
    wanted = (["hostapd"] if point.control is None else []) + (["dnsmasq"] if point.dnsmasq else [])
    if missing := [each for each in wanted if shutil.which(each, path=SYSTEM_PATH) is None]:
        return Finding(subject, Health.BAD, f"{', '.join(missing)} not installed", f"apt install {' '.join(missing)}")
    return Finding(subject, Health.GOOD, f"{', '.join(radios)}: {point.ssid!r}, {point.security}")


def _network(bench: BenchFile) -> Iterator[Finding]:
    """Interfaces, addresses and netem: without them a real bench does not come up."""
    present = {name for _, name in socket.if_nameindex()}
    on_network = {name: each for name, each in bench.bearers.items() if each.has_packets}
    links = {**on_network, **({"ecr": bench.ecr_link} if bench.ecr_link is not None else {})}
    bridges = {point.bridge for point in bench.access_points.values()}  # made when the bench comes up
    for name, link in links.items():
        if link.interface in present | bridges:
            yield Finding(f"link {name}", Health.GOOD, link.interface)
        else:
            yield Finding(
                f"link {name}", Health.BAD, f"no interface {link.interface}", "ip link; is the cable's adapter in?"
            )
    for name, point in bench.access_points.items():
        yield _access_point(name, point, present)
    for address in bench.acquirer.listen:
        try:
            with socket.create_server((address, 0)):
                yield Finding("acquirer", Health.GOOD, f"can listen on {address}")
        except OSError as error:
            yield Finding("acquirer", Health.BAD, f"cannot listen on {address}: {error.strerror}", "ip address add")
    missing = _in_private_network(lambda: netem_available().reason)
    if missing:
        yield Finding("netem of this bench", Health.BAD, "its interfaces need it", missing)
