"""The restore recipes: each device of a bench brought to its safe state, and read back to know that it is.

This is what the guard does whenever a test process lets go, however it ends. It opens the devices anew, for whoever
used them may be dead. A device that fails is tried again, and then named; the others are restored all the same.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from rig.bearers.dialup import process_name
from rig.bearers.failures.base import BaseKeys, let_pair
from rig.bearers.impairment import CLEAN
from rig.bearers.link import Backend
from rig.bench.description import BenchFile
from rig.bench.devices import DeviceOpener
from rig.bench.parts.network import Base
from rig.bench.plan import ACCESS_POINTS, Places
from rig.cards.profile import Interface
from rig.errors import BenchTrouble, RigError
from rig.instruments.switch import restored_port
from rig.units import Decibel

_ATTEMPTS = 3

Note = Callable[[str, dict[str, Any]], object]
Recipe = Callable[[], dict[str, Any]]


@dataclass(frozen=True)
class Restored:
    """What became of one device.

    Attributes:
        device: its name.
        clean: whether it reads back its safe state.
        detail: what it read, or why it could not be restored.
    """

    device: str
    clean: bool
    detail: dict[str, Any]


def restore_bench(
    bench: BenchFile, places: Places, backend: Backend, living: Collection[str], note: Note
) -> list[Restored]:
    """Bring every device to its safe state and read it back.

    Args:
        bench: the bench.
        places: its folders.
        backend: who degrades the links.
        living: processes of the bench that run now. A device that is a process and not among them, whether it ended or
            was never started, has no state.
        note: gets an event a device, ``restored``.
    """
    restored = []
    for device, recipe in _recipes(bench, DeviceOpener(bench, places, backend)):
        process = process_of(device, bench, backend)
        if process is not None and process not in living:
            result = Restored(device, True, {"read_back": "its process does not run"})
        else:
            result = _restore(device, recipe)
        note("restored", {"device": result.device, "clean": result.clean, **result.detail})
        restored.append(result)
    return restored


def process_of(device: str, bench: BenchFile, backend: Backend) -> str | None:
    """The process of the bench that a recipe's device is, if it is one and no hardware."""
    kind = device.split()[0]
    if kind in ("acquirer", "services"):
        return kind
    if kind == "access":
        return ACCESS_POINTS
    if kind == "link":
        bearer = bench.bearers.get(device.split()[1])
        if bearer is not None and not bearer.has_packets:
            return process_name(device.split()[1])
        return "link" if backend == "user-space link" else None
    if kind == "presenter" and bench.presenters[device.split()[1]].interface is not Interface.CONTACTLESS:
        kind = "power"  # the slot and the head reader are the terminal's own
    kinds = {"attenuator": "attenuator", "presenter": "field", "power": "relay-board", "relay": "relay-board"}
    kinds |= {"port": "switch", "base": "relay-board"}
    simulated = bench.simulation.devices if bench.simulation is not None else {}
    if kind == "attenuator" and device.split()[1] in simulated:
        return device.split()[1]  # several boxes on one bench are told apart by their names
    return next((name for name, each in simulated.items() if each.device == kinds.get(kind)), None)


def _restore(device: str, recipe: Recipe) -> Restored:
    why = ""
    for _ in range(_ATTEMPTS):
        try:
            return Restored(device, True, {"read_back": recipe()})
        except RigError as error:
            why = str(error)
        except Exception as error:  # noqa: BLE001 - whatever befalls one device, the others are restored all the same
            why = f"{type(error).__name__}: {error}"
    return Restored(device, False, {"why": why})


def _recipes(bench: BenchFile, opener: DeviceOpener) -> Iterator[tuple[str, Recipe]]:
    """Impairments away, attenuators safe, card away, power on; each recipe returns what it read back."""
    yield "acquirer", partial(_acquirer, opener)
    if bench.services:
        yield "services", partial(_services, bench, opener)
    for name in bench.access_points:
        yield f"access point {name}", partial(_access_point, opener, name)
    for name, link in [*bench.bearers.items(), *([("ecr", bench.ecr_link)] if bench.ecr_link else [])]:
        yield f"link {name}", partial(_link, opener, name, link.interface)
    for name in bench.attenuators:
        yield f"attenuator {name}", partial(_attenuator, bench, opener, name)
    for name in bench.presenters:
        yield f"presenter {name}", partial(_presenter, opener, name)
    if bench.power is not None:
        yield "power", partial(_power, opener)
    for name, bearer in bench.bearers.items():  # before its relays, for one that has to boot is not ready for its key
        if bearer.base is not None and bearer.base.pairing is not None:
            yield f"base of {name}", partial(_base, opener, bearer.base)
    for name in bench.relays:
        yield f"relay {name}", partial(_relay, opener, name)
    for name, bearer in bench.bearers.items():
        if bearer.plugged is not None:
            yield f"port of {name}", partial(_plug, opener, name)


def _acquirer(opener: DeviceOpener) -> dict[str, Any]:
    with contextlib.closing(opener.acquirer()) as acquirer:
        acquirer.clear()
        state = acquirer.state()
    if not state.restored:
        raise BenchTrouble("acquirer", f"still misbehaves: {state}", "end its process")
    front = state.front["name"] if state.front else None
    return {"listening": state.up, "rules": len(state.rules), "held": len(state.held), "front": front}


def _services(bench: BenchFile, opener: DeviceOpener) -> dict[str, Any]:
    with contextlib.closing(opener.services()) as services:
        services.clear()
        states = {name: services.state(name) for name in bench.services}
    for name, state in states.items():
        wrong = [each for each in ("dns", "ntp", "dhcp") if state.get(each) and state[each]["rule"] is not None]
        if wrong or state["impostor"] is not None:
            raise BenchTrouble(f"services {name}", f"still misbehave: {state}", "end their process")
    return dict.fromkeys(states, "no rule, no impostor")


def _access_point(opener: DeviceOpener, name: str) -> dict[str, Any]:
    with contextlib.closing(opener.access_point(name)) as point:
        return point.restore()


def _link(opener: DeviceOpener, name: str, interface: str) -> dict[str, Any]:
    link = opener.link(name, interface)
    try:
        link.clear()
        read_back = link.read()
    finally:
        link.close()
    read_back.require(name, CLEAN, CLEAN)
    if not read_back.carrier:
        raise BenchTrouble(f"link {name}", "has no carrier though it was cleared", "is the interface held down?")
    return read_back.to_dict()


def _attenuator(bench: BenchFile, opener: DeviceOpener, name: str) -> dict[str, Any]:
    channels = {each for path in bench.paths.values() if path.attenuator == name for each in path.all_channels}
    with contextlib.closing(opener.attenuator(name)) as box:
        for channel in channels:
            box.set(channel, Decibel(bench.attenuators[name].safe_db))
        return {str(channel): float(box.get(channel)) for channel in sorted(channels)}


def _presenter(opener: DeviceOpener, name: str) -> dict[str, Any]:
    with contextlib.closing(opener.presenter(name)) as presenter:
        return dict(presenter.remove())


def _power(opener: DeviceOpener) -> dict[str, Any]:
    with contextlib.closing(opener.power()) as power:
        power.on()
        on = power.read()
    if not on:
        raise BenchTrouble("power", "the relay reads off after it was switched on", "look at the relay's supply")
    return {"on": on}


def _relay(opener: DeviceOpener, name: str) -> dict[str, Any]:
    """Closed, as every relay is while the bench is at rest."""
    with contextlib.closing(opener.relay(name)) as relay:
        relay.on()
        closed = relay.read()
    if not closed:
        raise BenchTrouble(f"relay {name}", "reads open after it was closed", "look at the board's supply")
    return {"closed": closed}


def _plug(opener: DeviceOpener, bearer: str) -> dict[str, Any]:
    """Up, and with power where it gives some. The link follows when both sides have agreed."""
    with contextlib.closing(opener.plug(bearer)) as port:
        return restored_port(port).as_dict()


def _base(opener: DeviceOpener, base: Base) -> dict[str, Any]:
    """A base that has forgotten its terminal lets it pair again; one that has not, does not mind."""
    with contextlib.ExitStack() as opened:
        power, pairing = (
            opened.enter_context(contextlib.closing(opener.relay(name))) if name is not None else None
            for name in (base.power, base.pairing)
        )
        let_pair(BaseKeys(power, pairing, base.forget_s, base.pair_s, base.boot_s))
        return {"pressed_s": base.pair_s, "closed": pairing is None or pairing.read()}
