"""Faults at an exact moment on the wire, for hosts that are not ours: in the kernel, with the very packet.

    with WireCut("wlan0") as wire:
        wire.arm(Cut(Effect.ANSWER_LOST, TlsRecord(1), port=5000, heals_after_s=5))
        ...                                     # the sale
        wire.counts().hits                      # 0: it never happened

The rules lie at the bench's interface itself (netdev hooks ingress and egress), so that they meet what is routed,
bridged or local alike. A packet of the terminal that matches the trigger puts the terminal into a set, before the host
can have seen it; from that packet on the effect holds, until its time is over or :meth:`WireCut.disarm`. A
retransmission counts no second time: the sequence number tells it. IPv4 and TCP alone. Nothing on the way acknowledges
in the host's place, as a proxy would.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from rig.bearers.kernel import kernel_session
from rig.bearers.nft import Chain, Counter, NftSession, Part, Rule, Set
from rig.bearers.wire_trigger import Trigger
from rig.errors import BenchTrouble, CallerMistake, DeviceGone

_LONGEST_CUT_S = 3600
_CONNECTION = "ip saddr . tcp sport"
_PACKET = f"{_CONNECTION} . tcp sequence"
_HAS_PAYLOAD = "@ih,0,8 >= 0"
"""Holds where there is a first byte of payload."""
_MARK = "0x7c12fe57"
_RESET = f"meta mark set {_MARK} accept"
"""What is to be answered with RST is marked at the interface and answered one hook later: distributions build their
kernels without ``NFT_REJECT_NETDEV`` (Debian's 6.1 and 6.12), and the families inet and bridge can do it everywhere."""


class Effect(StrEnum):
    """What becomes of the transaction."""

    ANSWER_LOST = "answer lost"
    """The request arrives. Nothing from the host reaches the terminal any more: it sees silence, sends again, and
    gives up."""
    REQUEST_LOST = "request lost"
    """The request does not arrive, nor anything after it. The terminal sees the same silence. It never arrives later:
    when the wire is whole again, the connection is reset, unless it healed by itself; then TCP delivers it late."""
    ANSWER_RESET = "reset in place of the answer"
    """The request arrives. The terminal's connection hears nothing more from the host, and its next packet (the
    request again, after some 200 ms) is answered with RST. Other connections are not touched."""


@dataclass(frozen=True)
class Cut:
    """What shall happen on the wire.

    Attributes:
        effect: what becomes of the transaction.
        trigger: the packet of the terminal with which it begins; None: for the bench to say.
        port: the host's TCP port; None: for the bench to say.
        heals_after_s: seconds after which the wire is whole again by itself, 0.001 to 3600; None: at
            :meth:`WireCut.disarm`. Not for :attr:`Effect.ANSWER_RESET`, which ends with its connection.
        standing_line: the terminal keeps its connection to the host open between transactions. Else only connections
            count that are opened after arming: what an older one sends again is no request.
    """

    effect: Effect
    trigger: Trigger | None = None
    port: int | None = None
    heals_after_s: float | None = None
    standing_line: bool = False

    def __post_init__(self) -> None:
        if self.port is not None and not 1 <= self.port <= 65535:
            raise CallerMistake("wire cut", f"{self.port} is no TCP port", "1 to 65535")
        if self.heals_after_s is not None and not 0.001 <= self.heals_after_s <= _LONGEST_CUT_S:
            raise CallerMistake("wire cut", f"cannot heal after {self.heals_after_s} s", f"0.001 to {_LONGEST_CUT_S} s")
        if self.heals_after_s is not None and self.effect is Effect.ANSWER_RESET:
            raise CallerMistake("wire cut", "a reset does not heal", "leave heals_after_s out")

    def describe(self) -> dict[str, Any]:
        """For the history."""
        return asdict(self) | {
            "effect": str(self.effect),
            "trigger": self.trigger.describe() if self.trigger is not None else None,
        }


@dataclass(frozen=True)
class CutCounts:
    """What happened on the wire, in packets.

    Attributes:
        hits: the trigger was met and the effect began; 0 or 1 a terminal.
        answers_lost: packets with payload from the host that were dropped.
        others_lost: packets without payload from the host that were dropped.
        requests_lost: packets of the terminal that were dropped.
        resets: packets of the terminal that were answered with RST.
    """

    hits: int = 0
    answers_lost: int = 0
    others_lost: int = 0
    requests_lost: int = 0
    resets: int = 0

    def to_dict(self) -> dict[str, int]:
        """For the history."""
        return asdict(self)


class WireCut:
    """The exact moments of one interface on the bench's side. It vanishes with this process. A context manager.

    Raises:
        DeviceGone: no such interface in this thread's network namespace.
        BenchTrouble: nftables cannot be used here; tells why.
    """

    def __init__(self, interface: str) -> None:
        try:
            socket.if_nametoindex(interface)
        except OSError:
            raise _gone(interface) from None
        self.interface = interface
        self._armed: list[Part] = []
        self._has_graves = False
        self._bury = False
        self._nft = NftSession.open("wire-cut", "netdev")
        try:
            self._nft.beside("bridge" if _is_bridge_port(interface) else "inet").add(
                Chain("resets", "type filter hook prerouting priority -300; policy accept;"),
                Rule("resets", f"meta mark {_MARK} reject with tcp reset"),
            )
        except BaseException:
            self._nft.close()
            raise

    def arm(self, cut: Cut) -> None:
        """From now on, and once a terminal: the effect begins with the packet that the trigger names.

        What was armed before is gone, its counts too.

        Raises:
            CallerMistake: a trigger or a port lacks.
            DeviceGone: the interface is gone.
            BenchTrouble: the kernel refused.
        """
        parts = list(_parts(self.interface, cut))
        self.disarm()
        if not self._nft.sees(self.interface):  # Linux 6.16 and newer would wait for one to come
            raise _gone(self.interface)
        self._nft.add(*parts, *([] if self._has_graves else _graves(self.interface)))
        self._has_graves = True
        self._armed = parts
        self._bury = cut.effect is Effect.REQUEST_LOST and cut.heals_after_s is None

    def counts(self) -> CutCounts:
        """What happened since it was armed."""
        counted = self._nft.counters()
        return CutCounts(**{name: counted[name].packets for name in CutCounts().to_dict() if name in counted})

    def disarm(self) -> None:
        """The wire is whole again, at once."""
        if not self._armed:
            return
        commands = [f"flush chain {self._nft.table} {part.name}" for part in self._armed if isinstance(part, Chain)]
        commands += [_delete(part, self._nft.table) for part in reversed(self._armed) if not isinstance(part, Rule)]
        if self._bury and (lost := self._nft.elements("losing")):
            commands.append(f"add element {self._nft.table} lost {{ {', '.join(lost)} }}")
        self._armed = []
        try:
            self._nft.run("; ".join(commands))
        except DeviceGone:
            raise
        except BenchTrouble:  # a chain goes with its interface
            self._nft.clear()
            self._has_graves = False

    def close(self) -> None:
        """The wire is whole again, and nothing of ours is left."""
        self._nft.close()

    def __enter__(self) -> WireCut:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _gone(interface: str) -> DeviceGone:
    return DeviceGone(f"interface {interface}", "there is none of this name", "ip link")


def _is_bridge_port(interface: str) -> bool:
    """Whether what arrives there is bridged on, and does not pass the hooks of the Internet protocol."""
    with kernel_session(f"interface {interface}") as kernel:
        index = kernel.link_lookup(ifname=interface)
        master = kernel.get_links(index[0])[0].get_attr("IFLA_MASTER") if index else None
        return bool(master and kernel.get_links(master)[0].get_nested("IFLA_LINKINFO", "IFLA_INFO_KIND") == "bridge")


def _delete(part: Part, table: str) -> str:
    return f"delete {type(part).__name__.lower()} {table} {part.name}" if not isinstance(part, Rule) else ""


def _chain(name: str, hook: str, interface: str, priority: int) -> Chain:
    return Chain(name, f'type filter hook {hook} device "{interface}" priority {priority}; policy accept;')


def _graves(interface: str) -> Iterator[Part]:
    """Connections whose request was lost. A terminal that gave one up sends again for minutes (``tcp_orphan_retries``),
    and would deliver the request in the middle of a later sale; each is reset with its next packet.
    """
    yield Set("lost", "type ipv4_addr . inet_service; flags dynamic,timeout; timeout 5m; size 4096;")
    yield _chain("graves", "ingress", interface, -1)
    yield Rule("graves", f"tcp flags & (syn | ack) == syn delete @lost {{ {_CONNECTION} }}")  # its port is used anew
    yield Rule("graves", f"{_CONNECTION} @lost {_RESET}")


def _parts(interface: str, cut: Cut) -> Iterator[Part]:
    if cut.trigger is None or cut.port is None:
        raise CallerMistake("wire cut", "has no trigger or no port", "say which packet, to which port of the host")
    one_connection = cut.effect is Effect.ANSWER_RESET
    timeout = "" if cut.heals_after_s is None else f" timeout {round(cut.heals_after_s * 1000)}ms"
    for name in CutCounts().to_dict():
        yield Counter(name)
    key = "ipv4_addr . inet_service" if one_connection else "ipv4_addr"
    yield Set("cut", f"type {key}; flags dynamic{',timeout' if timeout else ''}; size 4096;")
    yield Set("begun", "type ipv4_addr . inet_service; flags dynamic; size 65535;")
    yield Set("losing", "type ipv4_addr . inet_service; flags dynamic; size 4096;")
    yield Set("seen", f"typeof {_PACKET}; flags dynamic; size 65535;")
    for number in range(1, cut.trigger.number + 1):
        yield Set(f"met{number}", "type ipv4_addr; flags dynamic; size 4096;")
    yield _chain("up", "ingress", interface, 0)
    yield _chain("down", "egress", interface, 0)
    up, down = (_CONNECTION, "ip daddr . tcp dport") if one_connection else ("ip saddr", "ip daddr")
    yield Rule("up", f"meta mark {_MARK} accept")  # from a grave
    if one_connection:  # before the trigger: the packet that meets it is let through
        yield Rule("up", f"{up} @cut counter name resets {_RESET}")
    condition = f"tcp dport {cut.port} {cut.trigger.match}"
    if not cut.standing_line:
        yield Rule("up", f"tcp dport {cut.port} tcp flags & (syn | ack) == syn add @begun {{ {_CONNECTION} }}")
        condition += f" {_CONNECTION} @begun"
    yield from _trigger(condition, cut.trigger.number, f"add @cut {{ {up}{timeout} }}")
    if cut.effect is Effect.REQUEST_LOST:
        yield Rule("up", f"ip saddr @cut {_HAS_PAYLOAD} tcp dport {cut.port} add @losing {{ {_CONNECTION} }}")
        yield Rule("up", "ip saddr @cut counter name requests_lost drop")
    else:
        but_ours = "tcp flags & rst == 0 " if one_connection else ""
        yield Rule("down", f"{down} @cut {but_ours}{_HAS_PAYLOAD} counter name answers_lost drop")
        yield Rule("down", f"{down} @cut {but_ours}counter name others_lost drop")


def _trigger(condition: str, count: int, act: str) -> Iterator[Rule]:
    """One rule a packet that counts, the last first, so that a packet which has met one of them meets no other."""
    for number in range(count, 0, -1):
        before = f"ip saddr @met{number - 1} " if number > 1 else ""
        last = f"{act} counter name hits" if number == count else ""
        yield Rule(
            "up",
            f"{condition} {_PACKET} != @seen {before}ip saddr != @met{number} "
            f"add @seen {{ {_PACKET} }} add @met{number} {{ ip saddr }} {last}".rstrip(),
        )
