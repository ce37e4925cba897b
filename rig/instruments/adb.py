"""A client of the adb server: one shell command on one device, a connection each.

Source: the Android Open Source Project, ``packages/modules/adb``: ``OVERVIEW.TXT``, ``SERVICES.TXT``; the framing is
:mod:`rig.wire.adb`.
"""

from __future__ import annotations

import socket
import time

from rig.errors import DeviceGone, DeviceMute, DeviceNonsense
from rig.instruments.transcript import Observe, unobserved
from rig.wire import adb
from rig.wire.errors import WireError

DEFAULT_PORT = 5037
_MAX_OUTPUT = 8 << 20

_CURES = (
    ("unauthorized", "unlock the device and allow USB debugging for this computer"),
    ("more than one", "write its serial in the bench file; adb devices lists them"),
    ("offline", "pull its USB cable and plug it in again"),
    ("not found", "plug it in and switch USB debugging on; adb devices lists what is there"),
    ("no devices", "plug it in and switch USB debugging on; adb devices lists what is there"),
)


class AdbDevice:
    """A device behind an adb server.

    Args:
        address: ``HOST:PORT`` of the server, or ``HOST``.
        serial: of the device; None where it is the only one.
        name: what the bench calls it.
        timeout_s: longest wait for a whole answer.
        observe: told the commands.
    """

    def __init__(
        self, address: str, serial: str | None, *, name: str, timeout_s: float = 5.0, observe: Observe = unobserved
    ) -> None:
        host, _, port = address.rpartition(":") if ":" in address else (address, "", str(DEFAULT_PORT))
        if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise DeviceGone(name, f"{address!r} is no HOST:PORT", "mend its address in the bench file")
        self.name = name
        self.address = f"{host}:{port}"
        self._server = (host, int(port))
        self._transport = "host:transport-any" if serial is None else f"host:transport:{serial}"
        self._timeout_s = timeout_s
        self._observe = observe

    def shell(self, command: str) -> str:
        """What a command prints, without its carriage returns.

        Raises:
            DeviceGone: no server, no such device, one that is offline, or one that does not trust this computer.
            DeviceMute: no whole answer in time.
            DeviceNonsense: what answers is no adb server.
        """
        deadline = time.monotonic() + self._timeout_s
        self._observe("instrument_tx", {"device": self.name, "line": f"shell:{command}"})
        try:
            with socket.create_connection(self._server, timeout=self._timeout_s) as connection:
                self._ask(connection, self._transport, deadline)
                self._ask(connection, f"shell:{command}", deadline)
                return self._rest(connection, deadline).decode("utf-8", "replace").replace("\r", "")
        except TimeoutError as error:
            raise DeviceMute(
                self.name,
                f"no answer in {self._timeout_s:g} s by the adb server at {self.address}",
                "adb kill-server, adb start-server; is the device awake?",
            ) from error
        except WireError as error:
            raise DeviceNonsense(
                self.name, f"{self.address} is no adb server: {error}", "mend its address in the bench file"
            ) from error
        except OSError as error:
            raise DeviceGone(
                self.name, f"no adb server at {self.address}: {error.strerror or error}", "adb start-server"
            ) from error

    def _ask(self, connection: socket.socket, service: str, deadline: float) -> None:
        connection.sendall(adb.request(service))
        if adb.parse_status(self._exactly(connection, adb.STATUS_BYTES, deadline)):
            return
        length = adb.parse_length(self._exactly(connection, adb.LENGTH_BYTES, deadline))
        why = self._exactly(connection, length, deadline).decode("utf-8", "replace").partition("\n")[0]
        cure = next((cure for words, cure in _CURES if words in why), "see what adb devices says")
        raise DeviceGone(self.name, f"the adb server at {self.address} refuses {service}: {why}", cure)

    def _exactly(self, connection: socket.socket, count: int, deadline: float) -> bytes:
        data = b""
        while len(data) < count:
            more = self._some(connection, count - len(data), deadline)
            if not more:
                raise DeviceGone(
                    self.name, f"the adb server at {self.address} ended the connection", "is it another version's adb?"
                )
            data += more
        return data

    def _rest(self, connection: socket.socket, deadline: float) -> bytes:
        data = bytearray()
        while more := self._some(connection, 1 << 16, deadline):
            data += more
            if len(data) > _MAX_OUTPUT:
                raise DeviceNonsense(self.name, "floods its shell", "is it the right device?")
        return bytes(data)

    def _some(self, connection: socket.socket, count: int, deadline: float) -> bytes:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        connection.settimeout(remaining)
        return connection.recv(count)
