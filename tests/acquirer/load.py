"""A load of terminals on a plain host process, from one thread, that remembers what it was answered."""

from __future__ import annotations

import random
import selectors
import socket
import time
from dataclasses import dataclass, field

from rig.wire.iso8583 import ASCII87, FrameReader, Message, frame
from tests.acquirer.till import ADDRESS, TPDU, Card, changed, key, reversal, sale


@dataclass
class Answered:
    """What the terminals believe: by key, the answer to a sale, and the sales whose reversal was answered 00."""

    sales: dict[str, Message] = field(default_factory=dict)
    reversed: set[str] = field(default_factory=set)
    asked: dict[str, Message] = field(default_factory=dict)

    @property
    def approved(self) -> dict[str, Message]:
        """The approvals."""
        return {name: answer for name, answer in self.sales.items() if answer.text(39) == "00"}


class Load:
    """Some connections that ask for sales, repeat them, and reverse some, one after the other each."""

    def __init__(self, card: Card, answered: Answered, seed: int, connections: int = 4) -> None:
        self._card = card
        self._answered = answered
        self._chance = random.Random(seed)
        self._count = connections
        self._waiting: dict[socket.socket, tuple[Message, FrameReader]] = {}

    def run(self, port: int, seconds: float) -> None:
        """Ask until the time is over or the host is gone."""
        poll = selectors.DefaultSelector()
        for _ in range(self._count):
            connection = socket.create_connection((ADDRESS, port))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            poll.register(connection, selectors.EVENT_READ)
        ends = time.monotonic() + seconds
        try:
            for registered in list(poll.get_map().values()):
                self._ask(registered.fileobj)  # type: ignore[arg-type]
            while (left := ends - time.monotonic()) > 0:
                for ready, _ in poll.select(left):
                    self._take(ready.fileobj)  # type: ignore[arg-type]
        except OSError:
            pass
        finally:
            self._last_words()
            for registered in list(poll.get_map().values()):
                registered.fileobj.close()  # type: ignore[union-attr]
            poll.close()

    def _ask(self, connection: socket.socket) -> None:
        request = self._next()
        self._waiting[connection] = (request, FrameReader())
        connection.sendall(frame(TPDU, ASCII87.encode(request)))

    def _next(self) -> Message:
        known = self._answered.asked
        if known and self._chance.random() < 0.3:
            old = known[self._chance.choice(list(known)[-50:])]
            return old if self._chance.random() < 0.5 else reversal(old)
        request = changed(sale(self._card, self._chance.randint(1, 5000)), de55=None, de22="012")
        known[key(request)] = request
        return request

    def _take(self, connection: socket.socket, again: bool = True) -> None:
        data = connection.recv(4096)
        if not data:
            raise ConnectionResetError
        request, reader = self._waiting[connection]
        for _, payload in reader.feed(data):
            answer = ASCII87.decode(payload)
            assert answer.text(11) == request.text(11)
            self._note(request, answer)
            if again:
                self._ask(connection)

    def _note(self, request: Message, answer: Message) -> None:
        name = key(request)
        if request.mti == "0400":
            if answer.text(39) == "00":
                self._answered.reversed.add(name)
        elif answer.text(39) == "00":
            before = self._answered.sales.setdefault(name, answer)
            assert before.text(37) == answer.text(37)

    def _last_words(self) -> None:
        """What the host had sent before it was gone still counts."""
        for connection in list(self._waiting):
            connection.setblocking(False)
            try:
                while True:
                    self._take(connection, again=False)
            except OSError:
                continue
