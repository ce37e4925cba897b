"""The two families of errors: the caller's mistake, and the bench's trouble.

A :class:`CallerMistake` is mended at the desk: a bench file, an argument, a name. A :class:`BenchTrouble` is
mended at the bench: a cable, a device, a power supply. Neither is ever the terminal's failure.
"""

from __future__ import annotations


class RigError(Exception):
    """What every error of the rig says: which device or thing, what happened, and the usual cure.

    Attributes:
        device: the name of the device, file or option that the error is about.
        what: what happened, one sentence without a full stop.
        cure: what usually helps, one sentence without a full stop; empty where nothing is known.
    """

    def __init__(self, device: str, what: str, cure: str = "") -> None:
        super().__init__(device, what, cure)
        self.device = device
        self.what = what
        self.cure = cure

    def __str__(self) -> str:
        return f"{self.device}: {self.what}" + (f" ({self.cure})" if self.cure else "")


class CallerMistake(RigError):
    """The caller asked for something that cannot be: a wrong name, value or file. Usual cure: mend the call."""


class BenchTrouble(RigError):
    """The bench misbehaved. The terminal is not to blame. Usual cure: look at the named device."""


class DeviceGone(BenchTrouble):
    """A device is not there, or its connection ended. Usual cure: cabling, power, address."""


class DeviceMute(BenchTrouble):
    """A device did not answer in time. Usual cure: its settings (baud rate, termination), or a power cycle."""


class DeviceNonsense(BenchTrouble):
    """A device answered what its protocol does not allow. Usual cure: another dialect, or a bad line."""


class DeviceClamped(BenchTrouble):
    """A device changed the value that it was asked for. Usual cure: stay inside its range."""


class BenchBusy(BenchTrouble):
    """Somebody else holds the bench or the device. Usual cure: wait for, or end, the named holder."""


class GuardLost(BenchTrouble):
    """The bench's guard ended while the bench was in use. Usual cure: start again; the next start reconciles."""
