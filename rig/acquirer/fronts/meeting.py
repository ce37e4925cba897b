"""Meets a terminal with a hostile front, and judges there: not one application byte may come.

TLS 1.3 encrypts alerts, and a terminal may leave without a word; so it is not asked what it thought of the front, but
counted what it gave it. Of what comes, nothing is kept, booked or answered.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rig.acquirer.authority import Identity
from rig.acquirer.fronts import FRONTS, SOUND
from rig.acquirer.fronts.certified import OLD, CertifiedFronts
from rig.acquirer.fronts.handwritten import first_flight
from rig.acquirer.line import Line, reason
from rig.errors import CallerMistake
from rig.history import Journal
from rig.wire import tls_hello as tls
from rig.wire.errors import WireError
from rig.wire.tls_hello import ClientHello, RecordReader

_BY_HAND = ("rc4", "3des", "downgrade")
_WEAK_OF = {"null": "NULL", "anonymous": "anonymous"}
_VERSION_OF = {"tls10": tls.TLS10, "tls11": tls.TLS11}


@dataclass
class Seen:
    """What came of a front since it was put up.

    Attributes:
        met: connections that began a handshake.
        completed: handshakes that a terminal finished.
        went_on: terminals that answered a front that is wrong already in its first message.
        application_bytes: what was given behind it: the proof of harm.
    """

    front: str = "good"
    met: int = 0
    completed: int = 0
    went_on: int = 0
    application_bytes: int = 0


class Fronts:
    """The front that is up. The journal gets ``front_up`` and, for each connection, ``front_met``."""

    def __init__(self, state: Path, identity: Identity, addresses: Sequence[str], journal: Journal) -> None:
        self._certified = CertifiedFronts(state, identity, addresses)
        self._journal = journal
        self.name = "good"
        self.seen = Seen()

    def put_up(self, name: str) -> None:
        """Show this front from the next connection on. Raises CallerMistake for an unknown name."""
        if name not in FRONTS:
            raise CallerMistake("front", f"there is no {name!r}", f"there are {', '.join(FRONTS)}")
        if name != self.name:
            self._journal.write("front_up", front=name)
        if name != "good":
            self.seen = Seen(name)
        self.name = name

    @property
    def is_sound(self) -> bool:
        """Whether requests are served behind it."""
        return self.name in SOUND

    def context(self) -> ssl.SSLContext:
        """The TLS settings of a sound front."""
        return self._certified.context(self.name)

    def note_served(self) -> None:
        """A handshake with a sound front is over."""
        if self.name == self.seen.front:
            self.seen.met += 1
            self.seen.completed += 1

    async def meet(self, line: Line, limit_s: float) -> None:
        """Meet one connection with the hostile front that is up now, until it ends. Raises nothing."""
        name, seen = self.name, self.seen
        line.met_front = True
        told: dict[str, Any] = {"front": name, "peer": line.peer}
        before = asdict(seen)
        try:
            async with asyncio.timeout(limit_s):
                hello = await _peek(line)
                seen.met += 1
                told |= _facts(hello)
                await self._show(name, hello, line, told, seen)
        except (OSError, TimeoutError, WireError) as error:
            told.setdefault("why", reason(error))
        gave = seen.application_bytes - before["application_bytes"]
        completed = seen.completed > before["completed"]
        self._journal.write("front_met", **told, completed=completed, application_bytes=gave)
        line.close(told.get("why", ""))

    async def _show(self, name: str, hello: ClientHello, line: Line, told: dict[str, Any], seen: Seen) -> None:
        if name == "reset":
            await line.open(None)
            line.send(tls.record(tls.HANDSHAKE, tls.server_hello(hello, tls.TLS12, hello.suites[0]))[:20])
            line.reset("the front resets in mid-handshake")
            told["why"] = "reset in mid-handshake"
        elif name in _BY_HAND or not _library_can(name, hello):
            await line.open(None)
            await self._by_hand(name, hello, line, told, seen)
        else:
            await line.open(self._certified.context(name))
            seen.completed += 1
            await line.receive(lambda data: _count(seen, data))

    async def _by_hand(self, name: str, hello: ClientHello, line: Line, told: dict[str, Any], seen: Seen) -> None:
        reader, answered = RecordReader(), False

        def feed(data: bytes) -> bool:
            nonlocal answered
            for record in reader.feed(data):
                if not answered:  # the ClientHello itself
                    answered = True
                    line.send(first_flight(name, hello, self._certified.sound_chain()))
                elif record.type == tls.ALERT:
                    told["alert"] = tls.alert_name(record.content)
                elif record.type == tls.APPLICATION_DATA:
                    seen.application_bytes += len(record.content)
                elif record.type == tls.HANDSHAKE and not told.get("went_on"):
                    told["went_on"] = True
                    seen.went_on += 1
            return False

        await line.receive(feed)


def _count(seen: Seen, data: bytes) -> bool:
    seen.application_bytes += len(data)
    return False


def _library_can(name: str, hello: ClientHello) -> bool:
    """Whether client and TLS library could agree on what the front wants; else it is written by hand."""
    if name in OLD:
        return _VERSION_OF[name] in hello.versions
    return name not in _WEAK_OF or _WEAK_OF[name] in hello.weak


def _facts(hello: ClientHello) -> dict[str, Any]:
    return {
        "offers": tls.VERSIONS.get(hello.highest, hex(hello.highest)),
        "weak_suites": list(hello.weak),
        "server_name": hello.server_name,
    }


async def _peek(line: Line) -> ClientHello:
    """The ClientHello, left in the socket for whoever does the handshake. Raises WireError, OSError."""
    while True:
        data = await line.peek()
        if not data:
            raise ConnectionResetError("nothing said")
        if records := RecordReader().feed(data):
            return tls.read_client_hello(records[0].content)
        await asyncio.sleep(0.01)  # the rest of it is on its way; the socket is readable already
