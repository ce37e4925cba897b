"""One card in the slot of a vpcd server: the connection is the card's contacts, and its end is the card pulled out."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rig.cards.emv.card import EmvCard, Exchange
from rig.cards.faults import CardFault, Misbehaviour, Tear
from rig.cards.turn import Answer
from rig.errors import BenchBusy, CallerMistake, DeviceGone, RigError
from rig.wire.vpcd import Control, Decoder, control, encode

CONNECT_S = 3.0
GREETING_S = 3.0
"""A server asks for the card's ATR as soon as it has accepted it; pcscd looks every 0.4 s."""
STOP_S = 2.0
_LISTEN = "start pcscd with vsmartcard-vpcd, or the terminal whose slot it is"
_OTHER = "remove the card that another program has put there; lsof names it"


@dataclass(frozen=True)
class SlotAddress:
    """Where a vpcd server listens: `place` is a host and its port, or the path of a Unix socket."""

    place: tuple[str, int] | Path

    @classmethod
    def parse(cls, written: str | Path) -> SlotAddress:
        """``HOST:PORT`` (``[::1]:PORT`` too), or a path, which never holds a colon.

        Raises:
            CallerMistake: the port is none.
        """
        if written and (isinstance(written, Path) or ":" not in written):
            return cls(Path(written))
        written = str(written)
        host, _, port = written.rpartition(":")
        if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 0x10000:
            raise CallerMistake(written, "this is no address of a slot", "write HOST:PORT, 127.0.0.1:35963 for example")
        return cls((host.strip("[]"), int(port)))

    def __str__(self) -> str:
        return str(self.place) if isinstance(self.place, Path) else f"{self.place[0]}:{self.place[1]}"

    def connect(self) -> socket.socket:
        """A connection, blocking.

        Raises:
            DeviceGone: nobody listens there.
            BenchBusy: somebody does, and takes no more cards.
        """
        try:
            line = self._connected()
        except OSError as error:
            if error.errno == errno.EAGAIN:
                raise BenchBusy(str(self), "the slot takes no card now", _OTHER) from error
            raise DeviceGone(str(self), f"nobody listens at this slot: {error.strerror or error}", _LISTEN) from error
        line.settimeout(None)
        return line

    def _connected(self) -> socket.socket:
        if not isinstance(self.place, Path):
            line = socket.create_connection(self.place, CONNECT_S)
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return line
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            line.settimeout(CONNECT_S)
            line.connect(str(self.place))
        except BaseException:
            line.close()
            raise
        return line


@dataclass(frozen=True)
class Told:
    """What a session tells, all in its own thread."""

    seen: Callable[[], object]
    """The slot has looked at the card; no command came yet."""
    before_answer: Callable[[Exchange], object]
    """The answer is ready and held."""
    after_answer: Callable[[Exchange, bool], object]
    """It has left the card, or (False) it never will."""
    fault: Callable[[Mapping[str, Any]], object]
    """A fault has happened: its `fault`, `command` and `what`."""
    torn: Callable[[SlotSession, str], object] = lambda _session, _why: None
    """The card has left for good, because of this: it is to be removed, unless another is there by now."""
    returned: Callable[[str], object] = lambda _: None
    """The card that had left because of this is there again."""


class SlotSession:
    """A card from the moment it is put into the slot until it is out.

    Args:
        address: the slot.
        atr: what the card answers to a reset.
        card: it.
        faults: what it does wrong.
        told: hears of it.
        loses_power: the slot is dead while the terminal is off, so its end is no trouble.

    Attributes:
        trouble: what ended the session before its time, if anything did.
    """

    def __init__(
        self, address: SlotAddress, atr: bytes, card: EmvCard, faults: Sequence[CardFault], told: Told,
        loses_power: bool = False,
    ) -> None:  # fmt: skip
        self.card = card
        self.trouble: BaseException | None = None
        self._address, self._atr, self._told, self._loses_power = address, atr, told, loses_power
        self._misbehaviour = Misbehaviour(tuple(faults))
        self._lock = threading.Lock()
        self._out, self._busy, self._back = False, False, ""
        self._begun, self._ended, self._stop = threading.Event(), threading.Event(), threading.Event()
        self._greeted = False
        self._line = address.connect()
        self._thread = threading.Thread(target=self._run, name=f"slot-{card.profile.name}", daemon=True)

    def start(self) -> None:
        """Begin; returns when the slot has seen the card. Raises BenchBusy when it does not look at it."""
        self._thread.start()
        self._begun.wait(GREETING_S)
        if not self._greeted:
            self.end()
            if isinstance(self.trouble, RigError) and not isinstance(self.trouble, DeviceGone):
                raise self.trouble
            raise BenchBusy(str(self._address), "the slot does not look at the card: another one is in it", _OTHER)

    def end(self) -> None:
        """Pull the card; when it returns no byte of it can reach the slot any more. May be called from a moment."""
        with self._lock:
            self._stop.set()
            self._pull()
            busy = self._busy
        if not busy:  # a moment may be what called this, or wait for who did: its answer has nowhere to go anyhow
            self._thread.join(STOP_S)

    def wait(self) -> None:
        """Until the card is out, whoever ended it."""
        self._ended.wait()

    # --- the card's thread -------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while True:
                for message in self._messages():
                    self._meet(message)
                if not self._comes_back():
                    return
        except BaseException as error:  # noqa: BLE001 - told by whoever removes the card
            self.trouble = error
        finally:
            self._line.close()
            self._begun.set()
            self._ended.set()

    def _messages(self) -> Iterator[bytes]:
        """What the reader sends until the connection ends, which is trouble unless the card was pulled."""
        decoder = Decoder()
        self.card.reset()
        while data := self._receive():
            yield from decoder.feed(data)
        if not self._out and not (self._loses_power and self._greeted):
            raise DeviceGone(
                str(self._address), "the slot ended the connection while the card was in it", f"is it up? {_LISTEN}"
            )

    def _receive(self) -> bytes:
        try:
            return self._line.recv(4096)
        except OSError:
            return b""

    def _send(self, message: bytes, whole: bool = True) -> bool:
        """Whether the slot can still have it."""
        frame = encode(message)
        try:
            self._line.sendall(frame if whole else frame[: len(frame) // 2])
        except OSError:
            return False
        return True

    def _meet(self, message: bytes) -> None:
        if self._out:
            return
        match control(message):
            case Control.ATR:
                self._send(self._atr)
            case None:
                self._answer(message)
                return
            case _:
                self.card.reset()
        self._greet()

    def _greet(self) -> None:
        if not self._greeted:
            self._greeted = True
            self._told.seen()
            self._begun.set()

    def _answer(self, command: bytes) -> None:
        self._stop.wait(self.card.profile.behaviour.command_ms / 1000)
        exchange = self.card.process(command)
        answer = Answer.spoiled(exchange, self._misbehaviour.due(exchange.name))
        exchange = answer.exchange
        self._aside(lambda: self._told.before_answer(exchange))
        tear = None if self._out else next((each for each in answer.faults if isinstance(each, Tear)), None)
        if tear and tear.place == "before":
            sent = False
        else:
            sent = self._send(exchange.response, whole=tear is None or tear.place == "after")
        if tear:
            self._tear(tear)
        self._aside(lambda: self._conclude(answer, sent and not (tear and tear.place == "inside"), tear))

    def _conclude(self, answer: Answer, sent: bool, tear: Tear | None) -> None:
        exchange = answer.exchange
        self._told.after_answer(exchange, sent)
        happened: dict[CardFault, str] = answer.spoilt(sent)
        if tear:
            happened[tear] = "out of the slot, and in again" if tear.comes_back else "gone"
        for fault, what in happened.items():
            self._told.fault({"fault": fault.name, "command": exchange.name, "what": what})
        if tear and not tear.comes_back:
            self._told.torn(self, tear.name)

    def _aside(self, tell: Callable[[], object]) -> None:
        """Call out. Nobody may wait for this thread meanwhile: what is called may itself wait for that one."""
        with self._lock:
            self._busy = True
        try:
            tell()
        finally:
            with self._lock:
                self._busy = False

    def _tear(self, tear: Tear) -> None:
        with self._lock:
            self._back = tear.name if tear.comes_back and not self._stop.is_set() else ""
            self._pull()

    def _comes_back(self) -> bool:
        """Put the card in again if it is to be: the old connection is over, so that the slot has let go of it."""
        with self._lock:
            why, self._back = self._back, ""
            if not why or self._stop.is_set():
                return False
        self._line.close()
        line = self._address.connect()
        with self._lock:
            self._line, self._out = line, False
            if self._stop.is_set():
                self._pull()
        self._aside(lambda: self._told.returned(why))
        return True

    def _pull(self) -> None:
        self._out = True
        with suppress(OSError):
            self._line.shutdown(socket.SHUT_RDWR)
