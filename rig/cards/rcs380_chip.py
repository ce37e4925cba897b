"""The RC-S380 in the shape in which a card session wants a chip: listen, receive a block, send a block.

nfcpy's driver (`nfc.clf.rcs380`, the public source of all that is known here of Sony's NFC Port-100 chip) does a send
and the receive after it in one command, TgCommRF, and waits for USB without a way to break off. So a wait here is many
short ones, and a block that is sent is followed by a short receive in the same command, because a reader may go on at
once; what comes then is kept.
"""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable
from typing import Any

import nfc.clf.pn53x
import nfc.clf.rcs380

from rig.errors import DeviceGone, DeviceNonsense, RigError
from rig.wire.pn532 import Command, Status

SLICE_MS = 200  # a wait for the reader can be broken off so often
BEHIND_MS = 100  # how long a command that sends a block waits for the reader's next
GUARD = 500  # as nfcpy's send_rsp_recv_cmd has it
TYPE_A_106 = 11
SELECTED = 0x03
RATS = 0xE0
_HEAD = 7  # bit rate, padding, activation, four of status: before the frame


class LineError(OSError):
    """USB, or the chip's own protocol, failed; `trouble` says what that means at the bench."""

    def __init__(self, trouble: RigError) -> None:
        super().__init__(errno.EIO, str(trouble))
        self.trouble = trouble


class Interrupts:
    """What breaks a wait off: the part of a serial line that a session uses, for a device that has none."""

    def __init__(self) -> None:
        self.on_waiting: Callable[[Command], None] = lambda _: None
        self._set = threading.Event()

    @property
    def set(self) -> bool:
        """Whether waits are to end."""
        return self._set.is_set()

    def interrupt(self) -> None:
        """Break off every wait until `resume`; from any thread."""
        self._set.set()

    def resume(self) -> None:
        """Wait again."""
        self._set.clear()

    def quieten(self) -> None:
        """A USB device has no last words."""

    def close(self) -> None:
        """Nothing to give back: the device owns the line."""


class TargetChip:
    """The commands of a card. Errors are `LineError`, and nfcpy's `Chipset.Error` when the reader's field is off.

    Args:
        name: of the device, for errors.
        chipset: nfcpy's, for the Port-100.
        interrupts: what ends a wait, with OSError ETIMEDOUT.
    """

    def __init__(self, name: str, chipset: Any, interrupts: Interrupts) -> None:
        self._name, self._chipset, self._interrupts = name, chipset, interrupts
        self._kept: bytes | None = None
        self._field_off = False
        self._fresh: bytes | None = None

    def write_register(self, *_: object) -> None:
        """There are none."""

    def tg_init_as_target(
        self, mode: int, shown: bytes, felica: bytes, nfcid3: bytes, timeout: float | None = None
    ) -> bytes:
        """Listen as a card that shows SENS_RES, three bytes of UID and SEL_RES; returns 00 and the RATS."""
        self._kept, self._field_off = None, False
        self._told(lambda: self._chipset.tg_set_rf("106A"))
        self._told(lambda: self._chipset.tg_set_protocol(self._chipset.tg_set_protocol_defaults))
        self._told(lambda: self._chipset.tg_set_protocol(rf_off_error=False))
        self._interrupts.on_waiting(Command.TG_INIT_AS_TARGET)
        while True:
            answer = self._communicate(mdaa=True, nfca_params=shown, recv_timeout=SLICE_MS)
            block = answer[_HEAD:] if answer else b""
            if answer and answer[0] == TYPE_A_106 and answer[2] & SELECTED == SELECTED and block[:1] == bytes([RATS]):
                self._fresh = shown
                return b"\0" + block

    def tg_get_initiator_command(self, timeout: float) -> bytes:
        """The reader's next block."""
        while True:
            block, self._kept = self._kept, None
            if block is not None:
                return block
            self._check_field()
            answer = self._communicate(recv_timeout=SLICE_MS)
            if answer is not None:
                return answer[_HEAD:]

    def tg_response_to_initiator(self, block: bytes) -> None:
        """Send a block. The answer to RATS leaves as nfcpy sends it, with nothing before it: a reader waits 4.8 ms."""
        self._check_field()
        shown, self._fresh = self._fresh, None
        how = {"mdaa": True, "nfca_params": shown} if shown else {"guard_time": GUARD}
        answer = self._communicate(transmit_data=bytes(block), recv_timeout=BEHIND_MS, **how)
        if answer is not None:
            self._kept = answer[_HEAD:]
        if shown:
            self._told(lambda: self._chipset.tg_set_protocol(rf_off_error=True))

    def _check_field(self) -> None:
        if self._field_off:
            raise nfc.clf.pn53x.Chipset.Error(int(Status.RELEASED), "the reader's field is off")  # type: ignore[no-untyped-call]

    def _communicate(self, **arguments: Any) -> bytes | None:
        """One TgCommRF; None when nothing sound came. A field that went off is remembered."""
        if self._interrupts.set:
            raise OSError(errno.ETIMEDOUT, "interrupted")
        try:
            answer = self._told(lambda: self._chipset.tg_comm_rf(**arguments))
        except nfc.clf.rcs380.CommunicationError as error:
            self._field_off = error == "RF_OFF_ERROR"
            return None
        if len(answer) < _HEAD:
            raise LineError(self._nonsense("does not answer TgCommRF"))
        return bytes(answer) if len(answer) > _HEAD else None

    def _told(self, command: Callable[[], Any]) -> Any:
        try:
            answer = command()
        except nfc.clf.rcs380.StatusError as error:
            raise LineError(self._nonsense(f"refuses a command: {error}")) from error
        except OSError as error:
            raise LineError(usb_trouble(self._name, error)) from error
        return answer if answer is not None else b""

    def _nonsense(self, what: str) -> DeviceNonsense:
        return DeviceNonsense(self._name, what, "unplug the reader and plug it in again")


class TargetDevice:
    """nfcpy's device with the chip in that shape."""

    def __init__(self, name: str, device: Any, interrupts: Interrupts) -> None:
        self.chipset = TargetChip(name, device.chipset, interrupts)
        self.chipset_name = str(device.chipset_name)
        self._name, self._device = name, device

    def mute(self) -> None:
        """No field, and no card."""
        try:
            self._device.mute()
        except OSError as error:
            raise LineError(usb_trouble(self._name, error)) from error

    def close(self) -> None:
        """Give the reader back."""
        self._device.close()


def usb_trouble(name: str, error: OSError) -> RigError:
    """What an error of USB means at the bench."""
    if error.errno == errno.ENODEV:
        return DeviceGone(name, "the reader was unplugged", "plug it in, directly and not through a hub")
    return DeviceNonsense(name, f"USB fails: {error}", "unplug the reader and plug it in again")
