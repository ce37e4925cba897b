"""A bench as a file: what surrounds one terminal, in YAML, checked as a whole before anything is touched.

A bench file is data: no code, no shell, no environment. Relative ``port`` names lie in the bench's runtime folder,
relative ``cards``, ``impairments`` and ``timelines`` beside the bench file. The keys are the fields of the class below
and of :mod:`rig.bench.parts`; ``fixtures/benches/`` holds virtual ones and a real example. A mistake is reported with
the line and the field.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, model_validator

from rig.bench.parts.base import Name, Part, WrongField, listed
from rig.bench.parts.instruments import Attenuator, Modem, Power, Presenter, RfPath, Switch
from rig.bench.parts.network import Answering, Base, Bearer, Link, Network, Services
from rig.bench.parts.simulation import Simulation
from rig.bench.parts.terminal import Acquirer, Terminal, TestPans
from rig.bench.parts.wifi import AccessPoint
from rig.bench.reading import problems, read_mapping
from rig.bench.rf import check_paths
from rig.errors import CallerMistake


class BenchFile(Part):
    """One bench."""

    name: Name
    about: str = ""
    cards: str = "../cards"
    impairments: str = "../impairments"
    timelines: str = "../timelines"
    test_pans: tuple[TestPans, ...] = Field(min_length=1)
    terminal: Terminal
    network: Network = Network()
    bearers: dict[Name, Bearer] = Field(min_length=1)
    ecr_link: Link | None = None
    attenuators: dict[Name, Attenuator] = {}
    paths: dict[Name, RfPath] = {}
    modems: dict[Name, Modem] = {}
    """Who reads which bearer's signal."""
    power: Power | None = None
    """The relay of the terminal's supply."""
    relays: dict[Name, Power] = {}
    """Other relays, which bearers name; they are closed while the bench is at rest."""
    switches: dict[Name, Switch] = {}
    presenters: dict[Name, Presenter] = {}
    """What presents cards, by name; of two for one interface the second is for a second card in the field."""
    acquirer: Acquirer
    services: dict[Name, Services] = {}
    access_points: dict[Name, AccessPoint] = {}
    simulation: Simulation | None = None

    @property
    def watched(self) -> dict[str, str]:
        """The bearers whose signal the bench can read, each with the modem that reads it."""
        attenuated = [name for name, b in self.bearers.items() if b.kind == "cellular" and b.path is not None]
        found: dict[str, str] = {}
        for name, modem in self.modems.items():
            bearer = modem.watches or next(iter(attenuated), None)
            if bearer is not None:
                found.setdefault(bearer, name)
        return found

    def terminal_address(self, link: str) -> str | None:
        """The terminal's IPv4 address on a bearer, or on ``ecr``; None where nobody knows it."""
        place = self.ecr_link if link == "ecr" else self.bearers[link]
        if place is not None and place.terminal_address is not None:
            return place.terminal_address
        if self.simulation is not None and link in self.simulation.segments:
            return self.simulation.segments[link].terminal_address.split("/")[0]
        return None

    @model_validator(mode="before")
    @classmethod
    def _says_presenters_and_modems(cls, raw: Any) -> Any:
        if isinstance(raw, dict) and "presenter" in raw:
            raise WrongField("there may be several: write presenters: {contactless: {driver: …, port: …}}", "presenter")
        if isinstance(raw, dict) and "modem" in raw:
            raise WrongField("there may be several: write modems: {terminal: {port: …}}", "modem")
        return raw

    @model_validator(mode="after")
    def _names_are_known(self) -> BenchFile:
        for name, path in self.paths.items():
            if path.attenuator not in self.attenuators:
                raise WrongField(
                    f"{path.attenuator!r} is not among attenuators ({listed(self.attenuators)})",
                    "paths", name, "attenuator",
                )  # fmt: skip
        check_paths(self.attenuators, self.paths)
        for name, bearer in self.bearers.items():
            if bearer.path is not None and bearer.path not in self.paths:
                raise WrongField(f"{bearer.path!r} is not among paths ({listed(self.paths)})", "bearers", name, "path")
        for name in self.services:
            if name not in self.bearers:
                raise WrongField(f"is not among bearers ({listed(self.bearers)})", "services", name)
            if not self.bearers[name].has_packets:
                raise WrongField("is a telephone line, on which nobody asks for names or addresses", "services", name)
        self._check_access_points()
        self._check_what_bearers_name()
        for name, modem in self.modems.items():
            if modem.watches not in (None, *self.bearers):
                raise WrongField(
                    f"{modem.watches!r} is not among bearers ({listed(self.bearers)})", "modems", name, "watches"
                )
        if self.simulation is not None and self.network.isolation != "private":
            raise WrongField("simulated devices need isolation: private", "network", "isolation")
        return self

    def _check_what_bearers_name(self) -> None:
        for name, bearer in self.bearers.items():
            if bearer.plugged is not None and bearer.plugged.switch not in self.switches:
                raise WrongField(
                    f"{bearer.plugged.switch!r} is not among switches ({listed(self.switches)})",
                    "bearers", name, "plugged", "switch",
                )  # fmt: skip
            base, answering = bearer.base or Base(), bearer.answering or Answering()
            relays = {"base.power": base.power, "base.pairing": base.pairing, "answering.loop": answering.loop}
            for field, relay in relays.items():
                if relay is not None and relay not in self.relays:
                    what = f"{relay!r} is not among relays ({listed(self.relays)})"
                    raise WrongField(what, "bearers", name, *field.split("."))
            if (bearer.plain or bearer.kind == "dial-up") and self.acquirer.tls and self.acquirer.plain_port is None:
                raise WrongField(f"bearer {name} speaks without TLS: say where", "acquirer", "plain_port")

    def _check_access_points(self) -> None:
        known = f"is not among access_points ({listed(self.access_points)})"
        for name, bearer in self.bearers.items():
            if bearer.access_point is None:
                continue
            if bearer.access_point not in self.access_points:
                raise WrongField(f"{bearer.access_point!r} {known}", "bearers", name, "access_point")
            carrier = self.access_points[bearer.access_point].carrier
            if bearer.interface != carrier or bearer.kind != "wifi":
                raise WrongField(f"is kind wifi on {carrier}, as its access point", "bearers", name, "interface")
            if name in self.services and not self.services[name].standby:
                raise WrongField("is needed beside an access point's dnsmasq", "services", name, "standby")
        for name, segment in self.simulation.segments.items() if self.simulation is not None else ():
            if segment.access_point is not None and segment.access_point not in self.access_points:
                raise WrongField(f"{segment.access_point!r} {known}", "simulation", "segments", name, "access_point")


def load_bench(path: Path) -> BenchFile:
    """Read a bench file.

    Raises:
        CallerMistake: no such file, no YAML, or a field that is wrong; names the line and the field.
    """
    known = ", ".join(sorted(str(each) for each in Path("fixtures/benches").glob("*.yaml")))
    raw, node = read_mapping(path, "bench file", known, "name: my-bench")
    try:
        return BenchFile.model_validate(raw)
    except ValidationError as error:
        raise CallerMistake(str(path), problems(error, node), "the fields are told in docs/bench-file.md") from error
