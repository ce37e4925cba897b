"""A simulated card that speaks ISO/IEC 14443-4 by itself and leaves the commands to somebody else.

The firmware of a PN532 as a card (UM0701-02, 7.2.9 SetParameters, fISO14443-4_PICC) and a plastic card behave alike:
they answer RATS, chain both ways, and keep a reader waiting with S(WTX) while the command is thought about.
"""

from __future__ import annotations

from collections.abc import Callable

from rig.wire.isodep import Ats, CardSide, Deselected, Granted, Reply, Request

_CHAINING, _I_BLOCK = 0x10, 0xC0


class SelfDrivenCard:
    """One card's protocol, driven by frames and a clock.

    Args:
        ats: what it answers to RATS.
        send: takes a block for the reader.
        request: takes a whole command; `answer` is owed from then on.
        deselected: called when the reader lets go of the card.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        ats: Ats,
        send: Callable[[bytes], None],
        request: Callable[[bytes], None],
        deselected: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        self._ats, self._send, self._request, self._deselected, self._clock = ats, send, request, deselected, clock
        self.reset()

    def reset(self) -> None:
        """The field is gone: the card has forgotten everything."""
        self._side = CardSide(self._ats)
        self.deadline: float | None = None
        self.sending = False
        self._asked_for_time = False
        self._held: bytes | None = None

    def heard(self, block: bytes) -> None:
        """A block from the reader."""
        match self._side.receive(block):
            case Reply(reply):
                self._send_part(reply)
            case Request(command):
                self._think()
                self._request(command)
            case Granted():
                self._asked_for_time = False
                if self._held is None:
                    self._think()
                else:
                    self._begin(self._held)
            case Deselected(reply):
                self._send_part(reply)
                self.reset()
                self._deselected()

    def answer(self, response: bytes) -> None:
        """Begin to send the response to the last command; `sending` says whether parts of it are left.

        Where the card has asked for more time it waits for the grant: until then the reader hears nothing else.

        Raises:
            WireError: no command waits for one.
        """
        if self._asked_for_time:
            self._held, self.sending = response, True
        else:
            self._begin(response)

    def _begin(self, response: bytes) -> None:
        block = self._side.answer(response)
        self.deadline = self._held = None
        self._send_part(block)

    def tick(self) -> None:
        """Ask the reader for more time when it is due."""
        if self.deadline is not None and self.deadline <= self._clock():
            self.deadline = None
            self._asked_for_time = True
            self._send(self._side.extend(1))

    def _think(self) -> None:
        self.deadline = self._clock() + self._ats.frame_waiting_s / 2

    def _send_part(self, block: bytes) -> None:
        self.sending = block[0] & _I_BLOCK == 0 and bool(block[0] & _CHAINING)
        self._send(block)
