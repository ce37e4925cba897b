"""Meets a terminal with a hostile front, and judges there: not one application byte may come.

TLS 1.3 encrypts alerts, and a terminal may leave without a word; so it is not asked what it thought of the front, but
counted what it gave it. Of what comes, nothing is kept, booked or answered.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rig.acquirer.authority import Identity
from rig.acquirer.fronts import BY_HAND, FRONTS, SOUND
from rig.acquirer.fronts.certified import OLD, CertifiedFronts
from rig.acquirer.fronts.handwritten import first_flight
from rig.acquirer.line import Line, reason
from rig.errors import CallerMistake
from rig.history import Journal
from rig.wire import tls_hello as tls
from rig.wire.errors import WireError
from rig.wire.tls_hello import ClientHello, Record, RecordReader

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
        self._meetings: dict[Line, asyncio.Event] = {}
        self.name = "good"
        self.seen = Seen()

    def put_up(self, name: str) -> None:
        """Show this front from the next connection on; who is behind another one is sent away.

        Raises CallerMistake for an unknown name.
        """
        if name not in FRONTS:
            raise CallerMistake("front", f"there is no {name!r}", f"there are {', '.join(FRONTS)}")
        self._certified.prepare(name)  # its keys take a while, which no terminal should wait for
        if name != self.name:
            self._journal.write("front_up", front=name)
        for line in self._meetings:
            line.abort("another front is put up")
        if name != "good":
            self.seen = Seen(name)
        self.name = name

    async def all_left(self) -> None:
        """Wait until those who were sent away are gone, and the history has what they gave."""
        for over in list(self._meetings.values()):
            await over.wait()

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

    async def meet(self, line: Line, handshake_s: float) -> None:
        """Meet one connection with the hostile front that is up now, until it ends. Raises nothing.

        Who has finished the handshake is listened to for as long as anybody: a terminal may connect before it has the
        card, and send minutes after.
        """
        line.met_front = True
        meeting = _Meeting(self.name, line, self.seen, self._certified)
        self._meetings[line] = asyncio.Event()
        try:
            await meeting.hold(handshake_s)
        except (OSError, TimeoutError, WireError) as error:
            meeting.told.setdefault("why", reason(error))
        finally:
            self._journal.write("front_met", **meeting.told)
            line.close(meeting.told.get("why", ""))
            self._meetings.pop(line).set()


class _Meeting:
    """One client before one hostile front; ``told`` is what the history gets."""

    def __init__(self, name: str, line: Line, seen: Seen, certified: CertifiedFronts) -> None:
        self._name = name
        self._line = line
        self._seen = seen
        self._certified = certified
        self.told: dict[str, Any] = {
            "front": name, "peer": line.peer, "completed": False, "went_on": False, "application_bytes": 0,
        }  # fmt: skip

    async def hold(self, handshake_s: float) -> None:
        """Until it ends. Raises OSError, TimeoutError and WireError."""
        async with asyncio.timeout(handshake_s):
            hello, records = await _peek(self._line)
            self._seen.met += 1
            self.told |= _facts(hello)
            if self._name == "reset":
                await self._reset(hello)
            elif self._name in BY_HAND or not _library_can(self._name, hello):
                await self._by_hand(hello, records)
            else:
                await self._line.open(self._certified.context(self._name))
        if self._line.alive:
            self._seen.completed += 1
            self.told["completed"] = True
            await self._line.receive(self._count)

    async def _reset(self, hello: ClientHello) -> None:
        await self._line.open(None)
        self._line.send(tls.record(tls.HANDSHAKE, tls.server_hello(hello, tls.TLS12, hello.suites[0]))[:20])
        self._line.reset("the front resets in mid-handshake")
        self.told["why"] = "reset in mid-handshake"

    async def _by_hand(self, hello: ClientHello, records: int) -> None:
        """``records``: how many the hello lies in, which are still to be taken."""
        reader = RecordReader()

        def feed(data: bytes) -> bool:
            nonlocal records
            for record in reader.feed(data):
                records -= 1
                if records == 0:
                    self._line.send(first_flight(self._name, hello, self._certified.sound_chain()))
                elif records < 0:
                    self._read(record)
            return False

        await self._line.open(None)
        await self._line.receive(feed)
        self._line.close("it left")

    def _read(self, record: Record) -> None:
        """What a client says to a first flight that was written by hand."""
        if record.type == tls.ALERT:
            self.told["alert"] = tls.alert_name(record.content)
        elif record.type == tls.APPLICATION_DATA:
            self._count(record.content)
        elif record.type == tls.HANDSHAKE and not self.told["went_on"]:
            self.told["went_on"] = True
            self._seen.went_on += 1

    def _count(self, data: bytes) -> bool:
        self.told["application_bytes"] += len(data)
        self._seen.application_bytes += len(data)
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


async def _peek(line: Line) -> tuple[ClientHello, int]:
    """The ClientHello and how many records it lies in, left in the socket for whoever does the handshake.

    Raises WireError, OSError.
    """
    data = await line.peek()
    while (found := tls.first_message(data)) is None:
        data = await line.peek(beyond=len(data))
    message, records = found
    return tls.read_client_hello(message), records
