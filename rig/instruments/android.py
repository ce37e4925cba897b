"""A terminal's own Android as the reader of its signal: ``dumpsys telephony.registry`` over adb.

.. code-block:: yaml

    modems:
      terminal:
        reader: android
        serial: R58M1234567
        watches: lte

The adb server must run (``adb start-server``), the terminal must trust this computer, and its **display must be on**:
Android tells of a changed signal rarely while it is off (``svc power stayon usb``). It needs no root.

Source: the Android Open Source Project; the parsing is :mod:`rig.wire.telephony_registry`. Of two SIM cards it tells of
the one that carries the packets: connected, else registered, else the first. Android tells no IP address here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Self

from rig.errors import DeviceNonsense
from rig.instruments.adb import DEFAULT_PORT, AdbDevice
from rig.instruments.signal import Signal, wait_for_signal
from rig.instruments.transcript import Observe, unobserved
from rig.wire import telephony_registry
from rig.wire.errors import WireError

_SIM = "getprop gsm.sim.state"
_DUMP = "dumpsys telephony.registry"
_IDENTITY = ("ro.product.manufacturer", "ro.product.model", "ro.build.version.release")
_SIM_STATES = {
    "READY": "ready",
    "LOADED": "ready",
    "ABSENT": "missing",
    "PIN_REQUIRED": "SIM PIN",
    "PUK_REQUIRED": "SIM PUK",
    "NOT_READY": "busy",
}
POLL_S = 0.25
"""A dump costs the device some 50 ms of work; it tells nothing by itself."""


class Android:
    """Asks an Android device for its signal.

    Raises:
        DeviceGone: no adb server, or no such device.
        DeviceMute, DeviceNonsense: see :class:`AdbDevice`.
    """

    def __init__(self, device: AdbDevice) -> None:
        self.name = device.name
        self._device = device
        properties = [device.shell(f"getprop {each}").strip() for each in _IDENTITY]
        maker, model, version = properties
        self.identity = f"{maker} {model} Android {version}"

    @classmethod
    def open(
        cls,
        address: str | None,
        serial: str | None = None,
        *,
        name: str,
        timeout_s: float = 5.0,
        observe: Observe = unobserved,
    ) -> Self:
        """Find the device; ``address`` is ``HOST:PORT`` of the adb server, this machine's where left out."""
        where = address or f"127.0.0.1:{DEFAULT_PORT}"
        return cls(AdbDevice(where, serial, name=name, timeout_s=timeout_s, observe=observe))

    def signal(self) -> Signal:
        """The signal of the SIM card that carries the packets, as Android knows it now.

        Raises:
            DeviceNonsense: the dump is not there, or not as Android 10 and later write it.
        """
        sims, _, dump = self._device.shell(f"{_SIM}; {_DUMP}").partition("\n")
        try:
            phone = telephony_registry.active(telephony_registry.parse(dump))
        except WireError as error:
            raise DeviceNonsense(
                self.name, f"its {_DUMP} tells no signal: {error}", "has it a telephone, and Android 10 or later?"
            ) from error
        states = [state.strip() for state in sims.split(",")]
        state = states[phone.slot] if phone.slot < len(states) else ""
        return Signal(
            technology=phone.technology,
            level=phone.level,
            registered=phone.registered,
            quality=phone.quality,
            cell=phone.cell,
            area=phone.area,
            channel=phone.channel,
            operator=phone.operator,
            sim=_SIM_STATES.get(state, state.lower() or None),
            slot=phone.slot,
        )

    def wait_until(self, wanted: Callable[[Signal], bool], limit_s: float, poll_s: float = POLL_S) -> Signal:
        """Ask until ``wanted`` holds.

        Raises:
            BenchTrouble: it did not hold in time; the error tells the last signal.
        """
        return wait_for_signal(self.name, self.signal, threading.Event().wait, wanted, limit_s, poll_s)

    def close(self) -> None:
        """Nothing is held: each question is a connection of its own."""
