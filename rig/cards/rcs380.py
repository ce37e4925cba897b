"""A Sony RC-S380 on USB as the card: nfcpy drives the chip, the ISO-DEP and EMV layers are ours.

In a bench file::

    presenters:
      contactless: {driver: rcs380, port: usb}                # the one that is plugged in
      contactless: {driver: rcs380, port: "usb:054c:06c1"}    # vendor and product, RC-S380/S
      contactless: {driver: rcs380, port: "usb:001:004"}      # bus and device, as lsusb says

The chip (NFC Port-100) does the anticollision and hands every block to the host, RATS included, so protocol faults are
possible, but for wrong checksums, which the chip always makes itself. It has no command that tells whether it still
answers as a card or feels a field: what is read back is that it took the command that ends both.

**Nobody has tried this on hardware yet.** It was written from the public driver (nfcpy, `nfc.clf.rcs380`) and is
proven against a simulation of the device that was written from the same driver.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rig.cards.chip_session import Callbacks, ChipSession
from rig.cards.emv.card import EmvCard
from rig.cards.faults import CardFault
from rig.cards.pn532 import Pn532Presenter
from rig.cards.presenter import Capability
from rig.cards.rcs380_chip import Interrupts, TargetDevice, usb_trouble
from rig.cards.session import CardSession
from rig.errors import BenchBusy, CallerMistake, DeviceGone, DeviceMute, RigError

KNOWN = ((0x054C, 0x06C1), (0x054C, 0x06C3))  # RC-S380/S and RC-S380/P
_PLACE = re.compile(r"usb(:[0-9a-fA-F]{4}:[0-9a-fA-F]{4}|:[0-9]{1,3}:[0-9]{1,3})?")
_PLUG = "plug it in; lsusb shows it as 054c:06c1 or 054c:06c3"
_RULE = "let this user open USB device 054c:06c1 by a udev rule, and keep the kernel's port100 module away from it"


class Rcs380Presenter(Pn532Presenter):
    """Emulates one card at a time. What is not told here is as with `Pn532Presenter`.

    Args:
        port: ``usb``, ``usb:VENDOR:PRODUCT`` or ``usb:BUS:DEVICE``; of a path its last part counts.

    Raises:
        CallerMistake: this names no USB device, or several are plugged in.
        DeviceGone, BenchBusy, DeviceMute: there is no RC-S380, or it may not be opened, or does not answer.
    """

    capabilities = frozenset(Capability) - {Capability.WRONG_CHECKSUMS}

    def _open(self, port: Path) -> tuple[Any, Any]:
        self._name = port.name
        return open_device(port.name)

    def _session_with(self, card: EmvCard, uid: bytes, faults: Sequence[CardFault], told: Callbacks) -> ChipSession:
        return CardSession(self._name, self._device, self._tty, card, uid, told, faults)

    def _silence(self) -> dict[str, Any]:
        """End card and field. The proof: `target` "released", `in_field` None, which the chip does not tell."""
        try:
            self._device.mute()
        except OSError as error:
            raise trouble_of(self._name, error) from error
        return {"target": "released", "in_field": None, "chip": self._device.chipset_name}


def open_device(place: str) -> tuple[TargetDevice, Interrupts]:
    """The RC-S380 there, initialised and silent. Raises as `Rcs380Presenter`."""
    if not _PLACE.fullmatch(place):
        raise CallerMistake(place, "this names no USB device", "write usb, usb:054c:06c1 or usb:BUS:DEVICE")
    import nfc.clf.rcs380

    try:
        device = _initialised(open_transport(place))
    except OSError as error:
        raise trouble_of(place, error) from error
    except (TypeError, IndexError, nfc.clf.rcs380.StatusError) as error:  # nfcpy unpacks an answer that is none
        raise DeviceMute(place, f"what answers is no RC-S380: {error}", "unplug it and plug it in again") from error
    interrupts = Interrupts()
    return TargetDevice(place, device, interrupts), interrupts


def _initialised(transport: Any) -> Any:
    """nfcpy's driver on the device, which is given back when it is none."""
    import nfc.clf.rcs380

    try:
        return nfc.clf.rcs380.init(transport)  # type: ignore[no-untyped-call]
    except BaseException:
        transport.close()
        raise


def open_transport(place: str) -> Any:
    """nfcpy's USB transport to the one RC-S380 there. Raises OSError, DeviceGone, or CallerMistake when it is not one.

    It needs libusb, which is loaded here and not before.
    """
    try:
        from nfc.clf.transport import USB
    except (ImportError, OSError) as error:
        raise DeviceGone(place, f"USB cannot be used: {error}", "install libusb-1.0-0 and libusb1") from error
    found = [each for each in USB.find(place) or () if each[:2] in KNOWN]  # type: ignore[no-untyped-call]
    if not found:
        raise DeviceGone(place, "there is no RC-S380", _PLUG)
    if len(found) > 1:
        places = ", ".join(f"usb:{bus:03}:{device:03}" for _, _, bus, device in found)
        raise CallerMistake(place, f"there are {len(found)} RC-S380", f"name one: {places}")
    return USB(*found[0][2:])  # type: ignore[no-untyped-call]


def trouble_of(place: str, error: OSError) -> RigError:
    """What a failure of USB means at the bench."""
    told = getattr(error, "trouble", None)
    if isinstance(told, RigError):
        return told
    if error.errno == errno.EACCES:
        return DeviceGone(place, "this user may not open the reader", _RULE)
    if error.errno == errno.EBUSY:
        return BenchBusy(place, "another program holds the reader", _RULE)
    if error.errno == errno.ETIMEDOUT:
        return DeviceMute(place, "the reader does not answer", "unplug it and plug it in again")
    return usb_trouble(place, error)
