"""A serial port that an instrument owns alone; real ports and PTYs alike.

What pyserial 3.5 does, and what this does about it: setting ``timeout`` on an open port reconfigures the line, so
the port is opened non-blocking and waited for with select; RTS and DTR raise ENOTTY on a PTY, so they are left
alone; two processes share a port without complaint unless it is opened ``exclusive``.
"""

from __future__ import annotations

import errno
import os
import re
import select
import time

import serial

from rig.errors import BenchBusy, DeviceGone, DeviceMute, DeviceNonsense
from rig.instruments.transcript import Observe, unobserved

_MAX_PENDING = 65536


class SerialPort:
    """Bytes over a serial line, 8N1, for one owner.

    Args:
        path: such as ``/dev/serial/by-id/usb-…``, or the name of a PTY.
        name: what the bench calls the device on it.
        baudrate: in baud; a PTY takes any.
        observe: told what is written and read.

    Raises:
        DeviceGone: there is no such port, or it may not be opened.
        BenchBusy: another process has it.
    """

    def __init__(self, path: str, *, name: str, baudrate: int = 115_200, observe: Observe = unobserved) -> None:
        self.path = path
        self.name = name
        self._observe = observe
        self._pending = b""
        try:
            self._port = serial.Serial(path, baudrate, timeout=0, exclusive=True)
        except (OSError, ValueError) as error:
            raise self._cannot_open(error) from error

    def write(self, data: bytes) -> None:
        """Send all of ``data``."""
        try:
            self._port.write(data)
        except (OSError, TypeError) as error:  # TypeError: pyserial's way of saying that the port is closed
            raise self._gone(error) from error
        self._tell("instrument_tx", data)

    def read_until(self, end: re.Pattern[bytes], timeout_s: float) -> bytes:
        """What came in up to the end of the first match of ``end``; what follows stays for the next call.

        Raises:
            DeviceMute: the match did not come in time; what did come is dropped, and told.
            DeviceNonsense: more came than any answer is long.
        """
        deadline = time.monotonic() + timeout_s
        while not (match := end.search(self._pending)):
            if len(self._pending) > _MAX_PENDING:
                self._take(len(self._pending))
                raise DeviceNonsense(self.name, f"floods {self.path}", "check its baud rate")
            if not self.wait_for_input(deadline - time.monotonic()):
                heard = self._take(len(self._pending))
                raise DeviceMute(
                    self.name,
                    f"no answer in {timeout_s:g} s on {self.path}" + (f", only {heard[-60:]!r}" if heard else ""),
                    "check its power and baud rate, and that it is the right port",
                )
        return self._take(match.end())

    def wait_for_input(self, timeout_s: float) -> bool:
        """Wait until something new came in; False when nothing did."""
        try:
            ready, _, _ = select.select([self._port.fileno()], [], [], max(0.0, timeout_s))
            if ready:
                self._pending += self._port.read(max(1, self._port.in_waiting))
        except (OSError, TypeError) as error:
            raise self._gone(error) from error
        return bool(ready)

    def discard(self, quiet_s: float = 0.0) -> bytes:
        """Drop what came unasked, until ``quiet_s`` brought nothing more; at most ten times as long."""
        deadline = time.monotonic() + 10 * quiet_s
        while self.wait_for_input(quiet_s) and time.monotonic() < deadline:
            pass
        return self._take(len(self._pending))

    def fileno(self) -> int:
        """For who waits for several ports at once; read by :meth:`discard` then."""
        try:
            return int(self._port.fileno())
        except (OSError, TypeError) as error:
            raise self._gone(error) from error

    def set_ready(self, ready: bool) -> bool:
        """Raise or drop DTR, by which a modem holds or ends its call; False where the line has no such wire (a PTY)."""
        try:
            self._port.dtr = ready
        except OSError as error:
            if error.errno in (errno.ENOTTY, errno.EINVAL):
                return False
            raise self._gone(error) from error
        return True

    def close(self) -> None:
        """Let go of the port."""
        self._port.close()

    def _take(self, count: int) -> bytes:
        taken, self._pending = self._pending[:count], self._pending[count:]
        if taken:
            self._tell("instrument_rx", taken)
        return taken

    def _tell(self, kind: str, data: bytes) -> None:
        self._observe(kind, {"device": self.name, "line": data.decode("ascii", "backslashreplace").strip()})

    def _gone(self, error: Exception) -> DeviceGone:
        return DeviceGone(self.name, f"{self.path} is gone: {error}", "check its cable and power")

    def _cannot_open(self, error: Exception) -> DeviceGone | BenchBusy:
        code = getattr(error, "errno", None)
        if code in (errno.EAGAIN, errno.EBUSY):
            return BenchBusy(self.name, f"{self.path} is in use by another process", f"see `fuser -v {self.path}`")
        if code in (errno.EACCES, errno.EPERM):
            return DeviceGone(
                self.name, f"{self.path} may not be opened", "join the port's group, usually `dialout`, and log in anew"
            )
        if code in (errno.ENOENT, errno.ENXIO, errno.ENODEV):
            return DeviceGone(
                self.name, f"there is no port {self.path}", "plug it in, or mend the port in the bench file"
            )
        reason = os.strerror(code) if code else str(error)
        return DeviceGone(self.name, f"{self.path} does not open: {reason}", "is it a serial port?")
