"""Packet filtering that vanishes with us: one nftables table a session, owned by a process that dies when we die.

    with NftSession.open("portal", "inet") as nft:
        nft.add(
            Counter("dropped"),
            Chain("forward", "type filter hook forward priority -150; policy accept;"),
            Rule("forward", 'iifname "wlan0" udp dport 53 counter name dropped drop'),
        )
        nft.counters()["dropped"].packets

The table has ``flags owner`` (Linux 5.12, ``NFT_TABLE_F_OWNER``): nobody else can change it, and the kernel removes it
when the process that made it ends, by whatever signal. Its name is ``pos-rig-<pid>-<purpose>-<number>``. Tables of
others are never touched. Syntax and semantics: ``nft(8)``.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rig.bearers.netspace import in_namespace, new_namespace
from rig.bearers.nft.process import NftProcess
from rig.errors import BenchTrouble, CallerMistake, DeviceGone, RigError

Family = Literal["inet", "ip", "ip6", "arp", "bridge", "netdev"]
PREFIX = "pos-rig"
_PURPOSE = re.compile(r"[a-z][a-z0-9-]{0,40}")
_COUNTER = re.compile(r"counter (\S+) \{\s*packets (\d+) bytes (\d+)")
_ELEMENTS = re.compile(r"elements = \{(.*?)\}", re.DOTALL)
_TABLE = re.compile(rf"^table (\S+) ({PREFIX}-(\d+)-\S+)", re.MULTILINE)
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Counter:
    """A named counter: a rule counts with ``counter name NAME``."""

    name: str

    def command(self, table: str) -> str:
        """The nft command that adds it."""
        return f"add counter {table} {self.name}"


@dataclass(frozen=True)
class Set:
    """A named set, such as ``Set("cut", "type ipv4_addr; flags dynamic,timeout; timeout 5s; size 64;")``."""

    name: str
    definition: str

    def command(self, table: str) -> str:
        """The nft command that adds it."""
        return f"add set {table} {self.name} {{ {self.definition} }}"


@dataclass(frozen=True)
class Chain:
    """A chain; ``hook`` is what stands in its braces, empty for one that is jumped to."""

    name: str
    hook: str = ""

    def command(self, table: str) -> str:
        """The nft command that adds it."""
        return f"add chain {table} {self.name}" + (f" {{ {self.hook} }}" if self.hook else "")


@dataclass(frozen=True)
class Rule:
    """A rule at the end of a chain of the same table."""

    chain: str
    expression: str

    def command(self, table: str) -> str:
        """The nft command that adds it."""
        return f"add rule {table} {self.chain} {self.expression}"


Part = Counter | Set | Chain | Rule
"""What a table is made of."""


@dataclass(frozen=True)
class Count:
    """What a counter has counted."""

    packets: int
    bytes: int


class NftSession:
    """One table and the process that owns it. Threads may share it. A context manager; :meth:`close` removes all.

    Attributes:
        name: the table's name.
        family: its family.
        pid: of the ``nft`` process.
    """

    def __init__(self, process: NftProcess, family: Family, name: str) -> None:
        self._process = process
        self.family = family
        self.name = name
        self.pid = process.pid

    @classmethod
    def open(cls, purpose: str, family: Family = "inet", timeout_s: float = 5.0) -> NftSession:
        """Make a table in the network namespace of the calling thread.

        Args:
            purpose: a word for the table's name: lower-case letters, digits, ``-``.
            family: inet for what is routed or local; netdev for one interface, bridged or not.
            timeout_s: how long a command may take.

        Raises:
            CallerMistake: a purpose that is no such word.
            BenchTrouble: nft is not installed, permission lacks, or the kernel has no nf_tables, no such family, or no
                tables with an owner (before 5.12); the cure says which.
        """
        if not _PURPOSE.fullmatch(purpose):
            raise CallerMistake("nft table", f"{purpose!r} is no word for a name", "lower-case letters, digits, -")
        process = NftProcess(timeout_s)
        session = cls(process, family, f"{PREFIX}-{os.getpid()}-{purpose}-{next(_numbers)}")
        try:
            process.run(session._birth())
            if "flags owner" not in session.ruleset():
                raise BenchTrouble(
                    "nft", "its table has no owner though one was asked for", "needs Linux 5.12 or newer"
                )
        except BaseException:
            process.close()
            raise
        return session

    def beside(self, family: Family) -> NftSession:
        """Another table of the same process and name, for what this family cannot do. :meth:`close` ends both.

        Raises:
            BenchTrouble: the kernel has no such family.
        """
        session = NftSession(self._process, family, self.name)
        session.run(session._birth())
        return session

    @property
    def table(self) -> str:
        """Family and name, as commands want them."""
        return f"{self.family} {self.name}"

    def add(self, *parts: Part) -> None:
        """Add all of the parts at once, or none.

        Raises:
            BenchTrouble: nft or the kernel refused one of them; tells why.
            DeviceMute, DeviceGone: the process did not answer, or has ended.
        """
        if parts:
            self.run("; ".join(part.command(self.table) for part in parts))

    def run(self, line: str) -> str:
        """Run nft commands, separated by ``;``, as one transaction; returns what they list. Errors as :meth:`add`."""
        return self._process.run(line)

    def counters(self) -> dict[str, Count]:
        """Every named counter of the table."""
        listed = self.run(f"list counters table {self.table}")
        return {name: Count(int(packets), int(size)) for name, packets, size in _COUNTER.findall(listed)}

    def elements(self, name: str) -> list[str]:
        """What is in a set now, as nft writes it (``10.0.0.2 timeout 5s expires 4s996ms``)."""
        found = _ELEMENTS.search(self.run(f"list set {self.table} {name}"))
        return [" ".join(element.split()) for element in found[1].split(",")] if found else []

    def add_elements(self, name: str, *elements: str) -> None:
        """Put elements into a set."""
        self.run(f"add element {self.table} {name} {{ {', '.join(elements)} }}")

    def reset_counters(self) -> dict[str, Count]:
        """Set every named counter to zero; returns what they had counted."""
        listed = self.run(f"reset counters table {self.table}")
        return {name: Count(int(packets), int(size)) for name, packets, size in _COUNTER.findall(listed)}

    def flush(self, *sets: str) -> None:
        """Empty sets, at once."""
        self.run("; ".join(f"flush set {self.table} {name}" for name in sets))

    def clear(self) -> None:
        """Take everything out of the table, at once; the session goes on."""
        self.run(f"delete table {self.table}; {self._birth()}")

    def ruleset(self) -> str:
        """The table as nft lists it: the read-back of all that was added."""
        return self.run(f"list table {self.table}")

    def sees(self, interface: str) -> bool:
        """Whether there is such an interface where the table is, whatever namespace the caller is in.

        Raises:
            DeviceGone: the process has ended.
        """
        try:
            lines = Path(f"/proc/{self.pid}/net/dev").read_text().splitlines()
        except OSError:
            raise DeviceGone("nft", "its process has ended", "its tables are gone with it; start again") from None
        return interface in {line.partition(":")[0].strip() for line in lines[2:]}

    def close(self) -> None:
        """Remove the table, and end the process."""
        self._process.close()

    def __enter__(self) -> NftSession:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _birth(self) -> str:
        return f"add table {self.table} {{ flags owner; }}"


@dataclass(frozen=True)
class NftProbe:
    """Whether nftables can be used here; true or false as such.

    Attributes:
        reason: why it cannot; empty where it can.
    """

    reason: str = ""

    def __bool__(self) -> bool:
        return not self.reason


def nft_available() -> NftProbe:
    """Try what the rig uses of nftables in a namespace of its own: nothing that exists is touched."""

    def trial() -> None:
        with NftSession.open("probe", "inet") as nft:
            nft.add(
                Chain("c", "type filter hook prerouting priority -300;"),
                Rule("c", "@ih,0,8 0x17 drop"),
                Rule("c", "meta mark 1 reject with tcp reset"),
            )
        with NftSession.open("probe", "netdev") as nft:
            nft.add(
                Set("s", "type ipv4_addr . inet_service; flags dynamic,timeout; timeout 1m; size 16;"),
                Chain("c", 'type filter hook ingress device "lo" priority 0;'),
                Rule("c", "tcp flags syn add @s { ip saddr . tcp sport }"),
                Rule("c", "ip saddr . tcp sport @s meta mark set 1 accept"),
                Chain("d", 'type filter hook egress device "lo" priority 0;'),
            )

    try:
        with _private_namespace() as namespace:
            in_namespace(namespace, trial)
    except RigError as error:
        return NftProbe(f"{error.what} ({error.cure})" if error.cure else error.what)
    return NftProbe()


def leftover_tables() -> list[str]:
    """Tables of the rig in this thread's network namespace whose process is gone, as ``family name``.

    The kernel removes them with their owner; one that is here all the same was not made by us, or not as ours are.

    Raises:
        BenchTrouble: nft is not installed or may not look.
    """
    process = NftProcess()
    try:
        listed = process.run("list tables")
    finally:
        process.close()
    return [f"{family} {name}" for family, name, pid in _TABLE.findall(listed) if not Path(f"/proc/{pid}").exists()]


@contextmanager
def _private_namespace() -> Iterator[int]:
    namespace = new_namespace()
    try:
        yield namespace
    finally:
        os.close(namespace)
