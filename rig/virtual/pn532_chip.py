"""A simulated PN532: the chip's side of its serial line, and its radio in the shared air.

Enough of NXP UM0701-02 for an unmodified host driver as reader (InListPassiveTarget, InCommunicateThru) and as card,
either block by block (TgInitAsTarget, TgGetInitiatorCommand, TgResponseToInitiator) or with the chip's own ISO-DEP
(SetParameters 20, TgInitAsTarget for a PICC only, TgGetData, TgSetData). The chip is driven by events alone: bytes
from the host, frames from the air, and deadlines; it never blocks and knows nothing of ports. What a host sees
of several cards in the field: `rig.virtual.pn532_listing`.
"""

from __future__ import annotations

from collections.abc import Callable

from rig.virtual.air import Air, Identity, UnresolvedCollision
from rig.virtual.pn532_line import HostLine, Log, Pending, command_of
from rig.virtual.pn532_listing import list_targets
from rig.virtual.pn532_target import FirmwareTarget
from rig.wire.isodep_blocks import checksum
from rig.wire.pn532 import Ack, Command, Status

FIRMWARE = bytes([0x32, 1, 6, 7])  # PN532 version 1.6, ISO 14443 A and B and ISO 18092
POLL_S = 0.010  # one unanswered REQA as the host sees it

FIFO_DATA, CIU_ERROR, TX_MODE = 0x6339, 0x6336, 0x6302
TX_CHECKSUM = 0x80  # in TX_MODE: the chip makes the checksum; without it the host does, well or badly
SENS_REQ, COLLISION = 0x26, 0x08
AUTOMATIC_PICC, PICC_ONLY = 0x20, 0x04  # in SetParameters; in the mode of TgInitAsTarget
ISO_DEP_AT_106 = 0x08  # the mode that TgInitAsTarget answers: passive, 106 kbit/s, ISO 14443-4 PICC
AS_TARGET = (Command.TG_GET_INITIATOR_COMMAND, Command.TG_GET_DATA, Command.TG_SET_DATA)
"""Commands of an activated card; they end when the field goes."""


class Chip:
    """One PN532.

    Args:
        name: for its log.
        air: what it shares with other chips.
        send: takes the bytes for the host.
        log: takes a kind of event and its fields.
        clock: monotonic seconds.
    """

    def __init__(
        self, name: str, air: Air, send: Callable[[bytes], None], log: Log, clock: Callable[[], float]
    ) -> None:
        self.name = name
        self._air, self._log, self._clock = air, log, clock
        self._line = HostLine(name, send, log, clock)
        self._antenna = air.join(name, self)
        self._registers: dict[int, int] = {TX_MODE: TX_CHECKSUM}
        self._parameters = 0
        self._target: FirmwareTarget | None = None
        self._most_targets = 1
        self._pending: Pending | None = None
        self._polls = 2
        self._reply_window_s = 0.0512
        self._mailbox: bytes | None = None
        self._may_receive = False

    @property
    def deadline(self) -> float | None:
        """When `tick` must be called at the latest, on the chip's clock; None when nothing is due."""
        dates = [each.deadline for each in (self._pending, self._target) if each]
        return min((date for date in dates if date is not None), default=None)

    def tick(self) -> None:
        """Let a command that waited in vain come to its end, and a firmware card ask for time."""
        if self._target:
            self._target.tick()
        if self._pending and self._pending.deadline is not None and self._pending.deadline <= self._clock():
            self._finish(self._pending.at_deadline)

    def feed(self, data: bytes) -> None:
        """Take bytes from the host. Each command that the chip knows has a method of its name."""
        for item in self._line.feed(data):
            if isinstance(item, Ack):
                self._abort()
            else:
                self._execute(item.data)

    def _execute(self, content: bytes) -> None:
        self._abort()  # a new command ends the one before
        self._line.acknowledge()
        number = command_of(content)
        run = getattr(self, f"_{number.name.lower()}", None) if number is not None else None
        if number is None or run is None:
            self._line.refuse(content)
            return
        self._line.note("device_rx", number, content[2:])
        try:
            answer = run(content[2:])
        except IndexError:  # too few parameters
            self._line.refuse(content)
            return
        if isinstance(answer, Pending):
            self._pending = answer
            self._receive_mail()
        else:
            self._line.answer(number, answer)

    def _finish(self, data: bytes) -> None:
        pending, self._pending = self._pending, None
        if pending:
            self._line.answer(pending.command, data)

    def _abort(self) -> None:
        if self._pending is None:
            return
        self._log("device_rx", chip=self.name, name="abort", command=self._pending.command.title)
        self._pending = None
        self._stop_listening()

    # --- what the air does to the chip -----------------------------------------------------------------------------

    def heard(self, frame: bytes) -> None:
        """A frame from the partner: the card's answer, or the reader's next block."""
        pending = self._pending.command if self._pending else None
        if pending is Command.IN_COMMUNICATE_THRU:
            self._finish(bytes([Status.OK]) + frame if frame else bytes([Status.CRC]))
        elif self._target:
            self._target.heard(frame)
            if pending is Command.TG_INIT_AS_TARGET and self._target.active:
                self._finish(bytes([ISO_DEP_AT_106]) + frame)
            self._serve_target()
        elif self._may_receive:
            self._mailbox = frame
            self._receive_mail()

    def field_lost(self) -> None:
        """The reader's field is gone: a chip that waits for its blocks says so."""
        if self._pending and self._pending.command is Command.TG_INIT_AS_TARGET:
            if self._target:
                self._target.reset()
            return  # nobody has talked to it yet: it still listens
        self._stop_listening()
        if self._pending and self._pending.command in AS_TARGET:
            self._finish(bytes([Status.RELEASED]))

    def card_came(self) -> None:
        """Somebody listens now: a waiting poll looks again."""
        if self._pending and self._pending.command is Command.IN_LIST_PASSIVE_TARGET:
            found = self._look()
            if found is not None:
                self._finish(found)

    def _receive_mail(self) -> None:
        if self._target:
            self._serve_target()
        if self._mailbox is None or self._pending is None:
            return
        heads = {Command.TG_INIT_AS_TARGET: 0x00, Command.TG_GET_INITIATOR_COMMAND: Status.OK}
        head = heads.get(self._pending.command)  # mode 00: passive, 106 kbit/s
        if head is not None:
            frame, self._mailbox, self._may_receive = self._mailbox, None, False
            self._finish(bytes([head]) + frame)

    def _serve_target(self) -> None:
        """Finish the host's TgGetData or TgSetData as soon as the firmware's card can."""
        if self._target and self._pending:
            answer = self._target.outcome(self._pending.command)
            if answer == bytes([Status.RELEASED]):
                self._stop_listening()
            if answer is not None:
                self._finish(answer)

    # --- commands of both roles ----------------------------------------------------------------------------------

    def _diagnose(self, data: bytes) -> bytes:
        return data if data[0] == 0 else b"\0"

    def _get_firmware_version(self, _data: bytes) -> bytes:
        return FIRMWARE

    def _get_general_status(self, _data: bytes) -> bytes:
        field = self._air.others_transmit(self._antenna)
        targets = bytes([1, 0, 0, 0]) if self._antenna.transmits and self._antenna.partner else b""
        return bytes([0, field, bool(targets)]) + targets + b"\0"

    def _read_register(self, data: bytes) -> bytes:
        addresses = [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]
        return bytes(self._registers.get(address, 0) for address in addresses)

    def _write_register(self, data: bytes) -> bytes:
        for at in range(0, len(data), 3):
            self._registers[data[at] << 8 | data[at + 1]] = data[at + 2]
        return b""

    def _set_serial_baud_rate(self, _data: bytes) -> bytes:
        return b""

    _sam_configuration = _set_serial_baud_rate

    def _set_parameters(self, data: bytes) -> bytes:
        self._parameters = data[0]
        return b""

    def _power_down(self, _data: bytes) -> bytes:
        self._stop_listening()
        self._air.fall_silent(self._antenna)
        return bytes([Status.OK])

    def _rf_configuration(self, data: bytes) -> bytes:
        item, values = data[0], data[1:]
        if item == 0x01 and not values[0] & 0x01:
            self._power_down(b"")
        elif item == 0x01:
            self._air.transmit(self._antenna)
        elif item == 0x02 and values[2]:
            self._reply_window_s = 100e-6 * 2 ** (values[2] - 1)
        elif item == 0x05:
            self._polls = values[2] + 1 if values[2] != 0xFF else 0
        return b""

    # --- the reader ----------------------------------------------------------------------------------------------

    def _in_list_passive_target(self, data: bytes) -> bytes | Pending:
        if data[1] != 0:
            return b"\0"  # there are cards of type A at 106 kbit/s only
        self._most_targets = max(1, min(data[0], 2))
        self._air.transmit(self._antenna)
        self._may_receive = False
        found = self._look()
        if found is not None:
            return found
        patience = self._clock() + self._polls * POLL_S if self._polls else None
        return Pending(Command.IN_LIST_PASSIVE_TARGET, patience, b"\0")

    def _look(self) -> bytes | None:
        """The answer to InListPassiveTarget; None while there is no card."""
        cards = self._air.waiting_cards()
        self._registers[FIFO_DATA] = 0 if cards else SENS_REQ
        self._registers[CIU_ERROR] = 0
        if not cards:
            return None
        if len(cards) > 1:
            self._log("field", state="collision", cards=[card.name for card in cards])
        try:
            return list_targets(self._air, self._antenna, self._most_targets)
        except UnresolvedCollision:
            self._registers[CIU_ERROR] = COLLISION
            return b"\0"

    def _in_communicate_thru(self, data: bytes) -> Pending:
        pending = Pending(Command.IN_COMMUNICATE_THRU, self._clock() + self._reply_window_s, bytes([Status.TIMEOUT]))
        self._pending = pending
        self._air.send(self._antenna, data)
        return pending

    def _in_release(self, _data: bytes) -> bytes:
        self._air.fall_silent(self._antenna)
        return bytes([Status.OK])

    # --- the card ------------------------------------------------------------------------------------------------

    def _tg_init_as_target(self, data: bytes) -> Pending:
        sens_res, uid_tail, sel_res = data[1:3], data[3:6], data[6]
        self._may_receive, self._mailbox = True, None
        self._target = None
        self._registers[TX_MODE] = TX_CHECKSUM
        if self._parameters & AUTOMATIC_PICC and data[0] & PICC_ONLY:
            self._target = FirmwareTarget(lambda block: self._air.send(self._antenna, block), self._clock)
        self._pending = Pending(Command.TG_INIT_AS_TARGET, None, b"")
        self._air.listen(self._antenna, Identity(sens_res, b"\x08" + uid_tail, sel_res))
        return self._pending

    def _tg_get_initiator_command(self, _data: bytes) -> bytes | Pending:
        if self._antenna.identity is None:
            return bytes([Status.RELEASED])
        self._may_receive = True
        return Pending(Command.TG_GET_INITIATOR_COMMAND, None, b"")

    def _tg_response_to_initiator(self, data: bytes) -> bytes:
        if self._antenna.identity is None:
            return bytes([Status.RELEASED])
        self._may_receive = True
        if not self._registers[TX_MODE] & TX_CHECKSUM:
            data = data[:-2] if checksum(data[:-2]) == data[-2:] else b""
        self._air.send(self._antenna, data)
        return bytes([Status.OK])

    def _tg_get_data(self, _data: bytes) -> bytes | Pending:
        if not (self._target and self._antenna.identity):
            return bytes([Status.RELEASED])
        return Pending(Command.TG_GET_DATA, None, b"")

    def _tg_set_data(self, data: bytes) -> bytes | Pending:
        if not (self._target and self._antenna.identity):
            return bytes([Status.RELEASED])
        if not self._target.answer(data):
            return bytes([Status.INVALID_STATE])
        return Pending(Command.TG_SET_DATA, None, b"")

    def _tg_get_target_status(self, _data: bytes) -> bytes:
        return bytes([1, 0]) if self._antenna.identity and self._antenna.partner else bytes([0, 0])

    def _stop_listening(self) -> None:
        self._may_receive, self._mailbox, self._target = False, None, None
        self._air.withdraw(self._antenna)
