"""What a bench consists of and what it can do: part of every result."""

from __future__ import annotations

import datetime
import functools
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rig import __version__
from rig.bearers.nft import nft_available
from rig.bench.calibration import told
from rig.bench.description import BenchFile
from rig.cards.profile import Interface
from rig.wire.iso8583.registry import find_dialect

if TYPE_CHECKING:
    from rig.bench.devices import Devices

EXACT_MOMENTS = "exact moments on the wire"
"""The capability of :mod:`rig.faults.wire`."""

MESSAGE_CODES = "message codes"
"""The capability of a dialect whose messages have an authentication code."""

NETWORK_FAILURES = "network failures"
"""The capability of :mod:`rig.bearers.failures` that drop or reject packets."""


CARD_WORDS = {Interface.CONTACTLESS: "card", Interface.CONTACT: "contact card", Interface.STRIPE: "striped card"}
"""Interface → how a capability names a card that is presented there."""


def capabilities(bench: BenchFile) -> list[str]:
    """What the bench can do and see, by the names that cases and the judge use; each bearer is one by its own name.

    To be asked in the bench's own network: nftables may be had there and nowhere else.
    """
    found = ["ecr"] if bench.acquirer.gateway else ["ecr", "host ledger"]
    found += [MESSAGE_CODES] if find_dialect(bench.acquirer.dialect).mac is not None else []
    found += _presentable(bench)
    found += ["power control"] if bench.power is not None else []
    found += ["readable signal"] if bench.modems else []
    found += [f"readable signal on {name}" for name in bench.watched]
    found += ["attenuation"] if bench.paths else []
    found += [f"switch port on {name}" for name, each in bench.bearers.items() if each.plugged is not None]
    found += [f"base on {name}" for name, each in bench.bearers.items() if each.base is not None]
    found += [f"calls on {name}" for name, each in bench.bearers.items() if each.answering is not None]
    for name, each in bench.bearers.items():
        if each.answering is not None and each.answering.loop is not None:
            found.append(f"relay in the line of {name}")
    found += ["impairable link"] if bench.bearers else []
    found += ["cash-register link"] if bench.ecr_link is not None else []
    found += [EXACT_MOMENTS, NETWORK_FAILURES] if bench.bearers and _nftables() else []
    for name, services in bench.services.items():
        kinds = ["names", "time", "interception", *(["addresses"] if services.dhcp is not None else [])]
        found += [f"{kind} on {name}" for kind in kinds if kind != "interception" or _nftables()]
    for name, bearer in bench.bearers.items():
        if bearer.access_point is not None:
            found.append(f"access point on {name}")
            found += [f"roaming on {name}"] if bench.access_points[bearer.access_point].second is not None else []
    return found + list(bench.bearers)


def _presentable(bench: BenchFile) -> Iterator[str]:
    """``card``, ``contact card``, ``striped card``: what can be presented, and ``card: tear`` and so on: what the first
    presenter of that interface can do; ``second card`` where two lie in the field."""
    for interface, card in CARD_WORDS.items():
        able = [each for each in bench.presenters.values() if each.interface is interface]
        if able:
            yield card
            yield from (f"{card}: {each.value}" for each in sorted(able[0].capabilities, key=lambda each: each.value))
        if interface is Interface.CONTACTLESS and len(able) > 1:
            yield "second card"


@functools.cache
def _nftables() -> bool:
    """Whether the kernel can meet a packet here; asked once, for it costs 50 ms and does not change."""
    return bool(nft_available())


def inventory(bench: BenchFile, devices: Devices, guard: dict[str, Any], calibration: Path) -> dict[str, Any]:
    """Who took part: bench, terminal, instruments, software."""
    terminal = bench.terminal
    losses = told(bench, calibration, datetime.datetime.now(datetime.UTC))
    address = f"{terminal.tcp.host}:{terminal.tcp.port}" if terminal.tcp else terminal.serial and terminal.serial.port
    return {
        "bench": bench.name,
        "about": bench.about,
        "rig": __version__,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "network_backend": guard["backend"],
        "bearers": list(bench.bearers),
        "links": {name: _link(bench, name) for name in bench.bearers},
        "simulated": _simulated(bench),
        "devices": {
            "terminal": f"{terminal.protocol} at {address}, terminal id {terminal.terminal_id}",
            **{f"attenuator {name}": box.identity for name, box in devices.attenuators.items()},
            **{f"path {name}": loss for name, loss in losses.items()},
            **{f"modem {name}": modem.identity for name, modem in devices.modems.items()},
            **({"power": f"{bench.power.driver} relay {bench.power.channel}"} if bench.power else {}),
            **{f"cable of {name}": port.identity for name, port in devices.plugs.items()},
            **{f"presenter {name}": f"{each.driver} at {each.place}" for name, each in bench.presenters.items()},
        },
    }


def _simulated(bench: BenchFile) -> list[str]:
    """What is no hardware: the kinds of simulated devices, and the terminal; nothing on a real bench."""
    if bench.simulation is None:
        return []
    return ["terminal", *dict.fromkeys(each.device for each in bench.simulation.devices.values())]


def _link(bench: BenchFile, name: str) -> dict[str, Any]:
    """Where a bearer is met: what a reader of the history needs to tell its packets, its path and its modem."""
    bearer = bench.bearers[name]
    return {
        "kind": bearer.kind,
        "interface": bearer.interface,
        "terminal_address": bench.terminal_address(name),
        "path": bearer.path,
        "modem": bench.watched.get(name),
        "plain": bearer.plain,
    }
