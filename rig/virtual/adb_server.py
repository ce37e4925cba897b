"""The simulated adb server, with one Android behind it whose telephone is a simulated radio's.

.. code-block:: json

    {"name": "adb", "runtime": "…", "journals": "…", "redaction": "…",
     "host": "127.0.0.1", "port": 5037, "serial": "RIG0001", "android": 12, "radio": "radio", "phones": 1}

``radio`` is the name of the radio device whose state it tells: the same model that answers AT commands. Port 0 lets the
system choose; ``ready`` names it. Its side door, the unix socket ``NAME.sock``: ``fault {kind}`` is one of
``unauthorized``, ``offline``, ``unplugged``, ``mute``, ``no-telephone``; ``clear_faults`` mends it.

Source: the Android Open Source Project, ``packages/modules/adb``: ``SERVICES.TXT``, ``OVERVIEW.TXT``.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path
from typing import Any

from rig.errors import BenchTrouble, CallerMistake
from rig.history.journal import Journal
from rig.process import main_config
from rig.rpc import Handler, RpcClient, RpcServer
from rig.virtual.device import check_settings
from rig.virtual.telephony_dump import VERSIONS, dump

FAULTS = ("unauthorized", "offline", "unplugged", "mute", "no-telephone")
_PROPERTIES = {"ro.product.manufacturer": "pos-rig", "ro.product.model": "Simulated Android"}
_MAX_REQUEST = 4096


class Refused(Exception):
    """The server answers FAIL with this text."""


class AdbServer:
    """The server behind its two doors: a thread for each connection."""

    def __init__(self, config: dict[str, Any], journal: Journal) -> None:
        check_settings(config, {"host", "port", "serial", "android", "radio", "phones"})
        self._journal = journal
        self._serial = config.get("serial", "RIG0001")
        self._version = config.get("android", 12)
        if self._version not in VERSIONS:
            raise CallerMistake("device adb", f"android {self._version}", f"use one of {VERSIONS}")
        self._phones = int(config.get("phones", 1))
        runtime = Path(config["runtime"])
        self._radio = runtime / f"{config.get('radio', 'radio')}.sock"
        self._fault: str | None = None
        self._mended = threading.Event()
        verbs: dict[str, Handler] = {"fault": self._break, "clear_faults": self._mend}
        self._side_door = RpcServer(runtime / f"{config['name']}.sock", verbs)
        self._listener = socket.create_server((config.get("host", "127.0.0.1"), config.get("port", 5037)))
        threading.Thread(target=self._accept, name="adb", daemon=True).start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listener.getsockname()[1])

    def close(self) -> None:
        """Close both doors."""
        self._side_door.close()
        self._listener.close()

    def _break(self, kind: str) -> None:
        if kind not in FAULTS:
            raise ValueError(f"no fault {kind!r}; use {', '.join(FAULTS)}")
        self._mended.clear()
        self._fault = kind
        self._journal.write("fault_given", fault=kind)

    def _mend(self) -> None:
        self._fault = None
        self._mended.set()
        self._journal.write("faults_cleared")

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), name="adb client", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            chosen = False
            while service := _heard(connection):
                self._journal.write("device_rx", line=service)
                if self._fault == "mute":
                    self._mended.wait()
                    return
                try:
                    if service.startswith("host:transport"):
                        self._choose(service)
                        chosen = True
                        connection.sendall(b"OKAY")
                        continue
                    answer = self._answer(service, chosen)
                except Refused as refusal:
                    answer = b"FAIL" + _framed(str(refusal))
                connection.sendall(answer)
                return

    def _answer(self, service: str, chosen: bool) -> bytes:
        if service == "host:version":
            return b"OKAY" + _framed("0029")
        if service == "host:devices":
            state = {"unauthorized": "unauthorized", "offline": "offline"}.get(self._fault or "", "device")
            return b"OKAY" + _framed("" if self._fault == "unplugged" else f"{self._serial}\t{state}\n")
        if not chosen:
            raise Refused("unknown host service" if service.startswith("host:") else "device not selected")
        if not service.startswith("shell:"):
            raise Refused("unknown service")
        return b"OKAY" + "".join(self._run(each.strip()) for each in service[6:].split(";")).encode()

    def _choose(self, service: str) -> None:
        serial = service.removeprefix("host:transport:") if service != "host:transport-any" else self._serial
        if self._fault == "unplugged":
            raise Refused(
                "no devices/emulators found" if service == "host:transport-any" else f"device '{serial}' not found"
            )
        if serial != self._serial:
            raise Refused(f"device '{serial}' not found")
        if self._fault == "unauthorized":
            raise Refused("device unauthorized.\nThis adb server's $ADB_VENDOR_KEYS is not set")
        if self._fault == "offline":
            raise Refused("device offline")

    def _run(self, command: str) -> str:
        if command == "dumpsys telephony.registry":
            if self._fault == "no-telephone":
                return "Can't find service: telephony.registry\n"
            state = self._state()
            return dump(self._phones, {int(state.get("sim", 0)): state}, self._version)
        if command == "getprop gsm.sim.state":
            state = self._state()
            missing = "sim-missing" in state.get("faults", ())
            used = int(state.get("sim", 0))
            ready = ["LOADED" if slot == used and not missing else "ABSENT" for slot in range(self._phones)]
            return ",".join(ready) + "\n"
        if command.startswith("getprop "):
            known = {**_PROPERTIES, "ro.build.version.release": str(self._version)}
            return known.get(command[8:], "") + "\n"
        return f"/system/bin/sh: {command.split(' ')[0]}: inaccessible or not found\n"

    def _state(self) -> dict[str, Any]:
        """What the radio's side door tells; without a radio there is no service."""
        try:
            client = RpcClient(self._radio)
            try:
                return dict(client.call("state"))
            finally:
                client.close()
        except BenchTrouble:
            return {}


def _heard(connection: socket.socket) -> str:
    """One request, empty at the end or where it is none."""
    length = _exactly(connection, 4)
    try:
        count = int(length, 16)
    except ValueError:
        return ""
    return _exactly(connection, count).decode("utf-8", "replace") if 0 < count <= _MAX_REQUEST else ""


def _exactly(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count and (more := connection.recv(count - len(data))):
        data += more
    return data if len(data) == count else b""


def _framed(text: str) -> bytes:
    data = text.encode()
    return f"{len(data):04x}".encode() + data


def main() -> None:
    """Run until SIGTERM."""
    started = main_config()
    journal = Journal.of_process(started.config)
    server = AdbServer(started.config, journal)
    journal.write("started", port=server.port)
    started.ready(port=server.port)
    started.stop.wait()
    server.close()
    journal.write("ended")


if __name__ == "__main__":
    main()
