"""The chip slot: a virtual smart card reader on a Unix socket, where a card that connects is inserted.

The protocol is vpcd's (vsmartcard, "Virtual Smart Card", see :mod:`rig.wire.vpcd`): the reader switches the card on,
asks for its answer to reset, and sends commands. A card is gone when its connection has ended.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from pathlib import Path

from rig.virtual.terminal.bearers import Log
from rig.virtual.terminal.emv.card import CardLost
from rig.wire.vpcd import Control, Decoder, encode

_ATR_S = 1.0
"""EMV Book 1, 8.3: an answer to reset is complete within 20,160 etu, about two seconds at most."""
_ANSWER_S = 5.0
_VERIFY = 0x20


class NoAnswerToReset(Exception):
    """The card is there, and its chip does not answer as one: a technical failure."""


class Inserted:
    """One card, from its insertion to its removal."""

    def __init__(self, connection: socket.socket, log: Log, answer_s: float) -> None:
        self._connection = connection
        self._log = log
        self._answer_s = answer_s
        self._decoder = Decoder()
        self._waiting: list[bytes] = []
        self._asked = False

    @property
    def there(self) -> bool:
        """Whether it is still in the slot, whatever it said that nobody has read."""
        waiting = select.poll()
        try:
            waiting.register(self._connection, select.POLLRDHUP)
        except ValueError:
            return False
        return not waiting.poll(0)

    def greet(self) -> None:
        """Switch it on and ask for its answer to reset, without waiting for it. Raises CardLost."""
        self._tell(Control.ON)
        self._tell(Control.ATR)
        self._asked = True

    def power_on(self) -> bytes:
        """Begin anew with it; returns its answer to reset.

        Raises:
            NoAnswerToReset: nothing, or nothing that begins as one (EMV Book 1, 8.3.1).
            CardLost: it was pulled.
        """
        if not self._asked:
            self.power_off()
            self._forget_late_answers()
            self.greet()
        self._asked = False
        try:
            atr = self._hear(_ATR_S)
        except TimeoutError:
            raise NoAnswerToReset("the chip does not answer to reset") from None
        if not atr or atr[0] not in (0x3B, 0x3F):
            raise NoAnswerToReset("the chip's answer to reset is none")
        self._log("terminal_chip_on", atr=atr)
        return atr

    def power_off(self) -> None:
        """Switch it off; fine where it is gone. An answer to reset that nobody has read is none any more."""
        self._asked = False
        with contextlib.suppress(CardLost):
            self._tell(Control.OFF)

    def transceive(self, command: bytes) -> bytes:
        """One APDU. What the card says stays out of the log, and so does a PIN.

        Raises:
            CardLost: it was pulled, or did not answer in time.
        """
        self._send(command)
        try:
            response = self._hear(self._answer_s)
        except TimeoutError:
            raise CardLost("the chip fell silent") from None
        told = command[:5] if command[1:2] == bytes([_VERIFY]) else command
        self._log("terminal_apdu", interface="contact", command=told, status=response[-2:], length=len(response))
        return response

    def eject(self) -> None:
        """End the connection: nobody talks to this card any more."""
        self._connection.close()

    def _tell(self, control: Control) -> None:
        self._send(bytes([control]))

    def _send(self, message: bytes) -> None:
        try:
            self._connection.sendall(encode(message))
        except OSError as error:
            raise CardLost(f"the card was pulled: {error}") from error

    def _hear(self, seconds: float) -> bytes:
        """The card's next message. Raises CardLost, or TimeoutError when it does not come."""
        deadline = time.monotonic() + seconds
        while not self._waiting:
            try:  # the connection is closed meanwhile where the card went out and in again
                self._connection.settimeout(max(deadline - time.monotonic(), 0.001))
                data = self._connection.recv(4096)
            except TimeoutError:
                raise
            except OSError as error:
                raise CardLost(f"the card was pulled: {error}") from error
            finally:
                with contextlib.suppress(OSError):
                    self._connection.settimeout(None)
            if not data:
                raise CardLost("the card was pulled")
            self._waiting += self._decoder.feed(data)
        return self._waiting.pop(0)

    def _forget_late_answers(self) -> None:
        """What a slow card still said before it was switched off answers nothing that comes now."""
        with contextlib.suppress(TimeoutError):
            while True:
                self._hear(0)


class Slot:
    """Where chip cards are inserted, one at a time.

    Args:
        path: the socket, made anew.
        news: set whenever a card comes.
        log: the terminal's development log.
        answer_s: how long a card may think about one command.

    Raises:
        OSError: the socket cannot be made.
    """

    def __init__(self, path: Path, news: threading.Event, log: Log, answer_s: float = _ANSWER_S) -> None:
        self._news = news
        self._log = log
        self._answer_s = answer_s
        self._inserted: Inserted | None = None
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        path.chmod(0o600)
        self._listener.listen(2)
        threading.Thread(target=self._accept, name="slot", daemon=True).start()

    @property
    def card(self) -> Inserted | None:
        """The card that is in the slot now."""
        card = self._inserted
        return card if card is not None and card.there else None

    def close(self) -> None:
        """Take no more cards."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            if self.card is not None:
                self._log("terminal_slot_occupied")
                connection.close()
                continue
            if self._inserted is not None:
                self._inserted.eject()
            self._insert(Inserted(connection, self._log, self._answer_s))

    def _insert(self, card: Inserted) -> None:
        with contextlib.suppress(CardLost):
            card.greet()
            self._inserted = card
            self._log("terminal_card_inserted")
            self._news.set()
