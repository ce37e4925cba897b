"""What every named failure is, and what it may use of a bench."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from rig.errors import BenchTrouble, CallerMistake
from rig.instruments.switch import SwitchPort

if TYPE_CHECKING:
    from rig.bearers.failures.base import BaseKeys
    from rig.bearers.failures.out_of_range import RadioPath
    from rig.bearers.failures.wrong_apn import ApnModem


class Services(Protocol):
    """The bench's own name, address and time servers on a bearer: :class:`rig.bearers.services.client.ServicesClient`.

    Every method raises BenchTrouble where the process is gone or serves no such bearer.
    """

    def set_rule(self, bearer: str, service: str, rule: Mapping[str, Any] | None) -> None:
        """Make one service (``dns``, ``dhcp``, ``ntp``) misbehave; ``None``: behave again."""
        ...

    def impersonate(self, bearer: str, settings: Mapping[str, Any]) -> int:
        """Let an impostor listen on the bearer; returns its TCP port."""
        ...

    def clear(self, bearer: str) -> None:
        """Everything on a bearer behaves; no impostor listens."""
        ...

    def state(self, bearer: str) -> dict[str, Any]:
        """What each service of a bearer was asked and did since its last rule was set."""
        ...


class UsualServer(Protocol):
    """The server that normally gives out names and addresses on a bearer, such as an access point's dnsmasq."""

    def stop(self) -> None:
        """Let go of its ports."""
        ...

    def start(self) -> None:
        """Serve again."""
        ...


class AccessPoint(Protocol):
    """An access point whose security the bench can change."""

    def open_network(self) -> Mapping[str, Any]:
        """Take encryption away, and have the terminal back on it; returns what reads back."""
        ...

    def secure_network(self) -> None:
        """As the bench file says."""
        ...


class TelephoneLine(Protocol):
    """The bench's end of a telephone line: :class:`rig.bearers.dialup.client.LineClient`.

    Every method returns the state that reads back, and raises BenchTrouble where the process is gone or refuses.
    """

    def state(self) -> dict[str, Any]:
        """What is in force, and ``met``: counts of what happened since the process started."""
        ...

    def behave(self, answering: str = "calls", modulation: int | None = None) -> dict[str, Any]:
        """Answer ``calls``, by one modulation alone if one is named; or ``nobody`` answers, the line is ``busy``,
        or a ``voice`` answers.
        """
        ...

    def drop(self, after_octets: int | None = None) -> dict[str, Any]:
        """Hang up once: now, or when so many octets more have gone to the caller."""
        ...

    def set_noise(self, percent: float) -> dict[str, Any]:
        """In this share of the octets one bit is turned, both ways."""
        ...

    def keep(self) -> dict[str, Any]:
        """Do not hang up after all."""
        ...


class Loop(Protocol):
    """A relay in the terminal's own line: open, the line is dead."""

    def on(self) -> None:
        """Close it, read back."""
        ...

    def off(self) -> None:
        """Open it, read back."""
        ...

    def read(self) -> bool:
        """Whether it is closed."""
        ...


@dataclass(frozen=True)
class Site:
    """Where a failure happens: one bearer, seen from the bench.

    Attributes:
        bearer: its name.
        interface: the bench's interface, through which everything of the terminal passes and is routed.
        hosts: the addresses of the terminal's host.
        port: the host's TCP port.
        gateway: the bench's own address on the bearer; ``None`` where the bench file does not say it.
        host_name: the name in the host's certificate.
        services: the bench's servers on this bearer; ``None``: there are none.
        usual: the server in whose place they stand while a failure lasts.
        access_point: the access point of this bearer.
        line: the bench's end of this bearer's telephone line.
        loop: the relay in that line.
        plug: the port of a managed switch that this bearer's cable is in.
        base: what can be done to its Bluetooth base.
        path: the attenuators between the terminal and its cell or base.
        modem: the terminal's own modem, where it takes AT commands.
    """

    bearer: str
    interface: str
    hosts: tuple[str, ...]
    port: int
    gateway: str | None = None
    host_name: str = ""
    services: Services | None = None
    usual: UsualServer | None = None
    access_point: AccessPoint | None = None
    line: TelephoneLine | None = None
    loop: Loop | None = None
    plug: SwitchPort | None = None
    base: BaseKeys | None = None
    path: RadioPath | None = None
    modem: ApnModem | None = None

    def served(self) -> Services:
        """The services of this bearer.

        Raises:
            BenchTrouble: there are none.
        """
        if self.services is None:
            raise BenchTrouble(f"bearer {self.bearer}", "the bench serves no names or addresses here", "see services")
        return self.services

    def telephone(self) -> TelephoneLine:
        """The bench's end of this bearer's telephone line.

        Raises:
            BenchTrouble: it has none.
        """
        if self.line is None:
            raise BenchTrouble(f"bearer {self.bearer}", "is no telephone line", "ask for this of a dial-up bearer")
        return self.line

    def cable(self) -> SwitchPort:
        """The port that this bearer's cable is in.

        Raises:
            BenchTrouble: no port of a managed switch.
        """
        if self.plug is None:
            raise BenchTrouble(f"bearer {self.bearer}", "its cable is in no managed switch", "see bearers.*.plugged")
        return self.plug

    def bluetooth(self) -> BaseKeys:
        """What can be done to this bearer's base.

        Raises:
            BenchTrouble: it has none.
        """
        if self.base is None:
            raise BenchTrouble(f"bearer {self.bearer}", "has no Bluetooth base", "see bearers.*.base")
        return self.base

    def radio(self) -> RadioPath:
        """The attenuators of this bearer.

        Raises:
            BenchTrouble: it has none.
        """
        if self.path is None:
            raise BenchTrouble(f"bearer {self.bearer}", "nothing attenuates it", "see bearers.*.path")
        return self.path

    def own_modem(self) -> ApnModem:
        """The terminal's own modem.

        Raises:
            BenchTrouble: it takes no AT commands, or it is the bench's, beside the terminal's.
        """
        if self.modem is None:
            what = "no modem of the terminal's own takes AT commands there"
            raise BenchTrouble(f"bearer {self.bearer}", what, "see modems.*.watches; a sentinel is not the terminal's")
        return self.modem

    def network(self) -> str:
        """The interface through which the terminal's packets pass.

        Raises:
            CallerMistake: a telephone call has none.
        """
        if self.line is not None:
            raise CallerMistake(
                f"bearer {self.bearer}", "a telephone call has no packets", "use a failure of the line: rig failures"
            )
        return self.interface

    def gate(self) -> str:
        """The bench's own address on this bearer.

        Raises:
            BenchTrouble: the bench file does not say it.
        """
        if self.gateway is None:
            raise BenchTrouble(f"bearer {self.bearer}", "its gateway's address is not known", "see services.*.address")
        return self.gateway


@dataclass(frozen=True)
class Hits:
    """What a failure has met since it began.

    Attributes:
        count: packets dropped, questions misled, connections taken: whatever proves that the failure was felt.
        detail: the same apart, JSON values.
    """

    count: int
    detail: dict[str, Any] = field(default_factory=dict)


class Failure(Protocol):
    """A failure of the network path with a name. One object is one occurrence: started once, stopped once."""

    @property
    def sees(self) -> str:
        """What the terminal sees of it, one sentence."""
        ...

    def start(self, site: Site) -> dict[str, Any]:
        """Make it happen; returns the evidence that it is in force, read back.

        Raises:
            CallerMistake: an option out of range.
            BenchTrouble: the bench lacks what it needs; nothing is left behind.
        """
        ...

    def hits(self) -> Hits:
        """What it has met since it began. Without any hit there is no proof that the terminal felt it."""
        ...

    def stop(self) -> None:
        """As if it had never been. May be called twice, and after a start that failed."""
        ...


class Repeating:
    """Something done again and again, on a thread of its own, until it is stopped."""

    def __init__(self, name: str, interval_s: float, act: Callable[[], None]) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(interval_s, act), name=name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it, and wait until it has ended."""
        self._over.set()
        self._thread.join()

    def _run(self, interval_s: float, act: Callable[[], None]) -> None:
        while not self._over.wait(interval_s):
            act()
