"""The simulated switch: ports that an SNMPv2c agent and a small REST interface take down, up, and from the power.

.. code-block:: json

    {"name": "switch", "runtime": "…", "journals": "…", "redaction": "…",
     "host": "127.0.0.1", "port": 1161, "community": "private", "http_port": 8161, "key": "…",
     "link": "link.sock", "ports": {"1": "air-ethernet", "2": null}, "poe": [1], "link_ms": 100, "boot_ms": 300}

``ports`` names the segment that each port's cable is, whose carrier follows the port; ``null``: nothing is plugged in.
``poe`` are the ports that give power, all where it is left out: what is at the other end lives on it. Without
``http_port`` there is no REST interface; port 0 lets the system choose, and ``ready`` names both. ``key`` is asked for
in the header ``X-Api-Key``, where there is one.

REST: ``GET /ports/1`` answers ``{"admin": true, "link": true, "poe": true}``, ``PUT /ports/1`` takes ``admin`` or
``poe``. SNMP: the objects of :mod:`rig.instruments.switch.snmp`'s sources; a wrong community is not answered.

Its side door, the unix socket ``NAME.sock``: ``fault {kind}`` makes it ``stuck`` (takes orders, does nothing),
``mute`` or ``read-only``, ``clear_faults`` mends it, ``state`` answers the ports as they are.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from rig.errors import CallerMistake
from rig.history.journal import Journal
from rig.process import main_config
from rig.rpc import RpcServer
from rig.virtual.air_link import AirLink
from rig.virtual.device import check_settings
from rig.virtual.switch_agent import Agent
from rig.virtual.switch_ports import Panel, Times

_FAULTS = ("stuck", "mute", "read-only")
_MAX_BODY = 4096


class SwitchProcess:
    """The switch behind its three doors."""

    def __init__(self, config: dict[str, Any], journal: Journal) -> None:
        own = {"host", "port", "community", "http_port", "key", "link", "ports", "poe", "link_ms", "boot_ms"}
        check_settings(config, own)
        self._journal = journal
        runtime = Path(config["runtime"])
        segments = {int(number): segment for number, segment in config["ports"].items()}
        link = runtime / config.get("link", "link.sock")
        cables = {number: AirLink(link, each, journal) if each else None for number, each in segments.items()}
        powering = frozenset(config.get("poe", segments))
        if missing := powering - segments.keys():
            raise CallerMistake("device switch", f"poe names port {min(missing)}, which it has not", "see ports")
        times = Times(**{key: config[key] for key in ("link_ms", "boot_ms") if key in config})
        self._panel = Panel(cables, powering, times, journal)
        self._agent = Agent(self._panel, config.get("community", "private").encode())
        self._mute = threading.Event()
        host = config.get("host", "127.0.0.1")
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, config.get("port", 161)))
        threading.Thread(target=self._serve_snmp, name="snmp", daemon=True).start()
        self._http = self._open_http(host, config) if config.get("http_port") is not None else None
        self._side_door = RpcServer(
            runtime / f"{config['name']}.sock",
            {"state": self._state, "fault": self._fault, "clear_faults": self._clear_faults},
        )

    @property
    def doors(self) -> dict[str, int | None]:
        """The UDP and the TCP port."""
        http = None if self._http is None else int(self._http.server_address[1])
        return {"port": int(self._socket.getsockname()[1]), "http_port": http}

    def close(self) -> None:
        """Close all doors."""
        self._side_door.close()
        self._socket.close()
        if self._http is not None:
            self._http.shutdown()
            self._http.server_close()

    def _serve_snmp(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                data, peer = self._socket.recvfrom(65_535)
                answer = self._agent.answer(data)
                if answer is not None and not self._mute.is_set():
                    self._socket.sendto(answer, peer)

    # HTTP.

    def _open_http(self, host: str, config: dict[str, Any]) -> ThreadingHTTPServer:
        handler = rest_handler(self._panel, config.get("key"), lambda: self._agent.read_only, self._mute)
        server = ThreadingHTTPServer((host, config["http_port"]), handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, name="http", daemon=True).start()
        return server

    # The side door.

    def _state(self) -> dict[str, Any]:
        return {"ports": {str(number): asdict(self._panel.read(number)) for number in self._panel.numbers}}

    def _fault(self, kind: str) -> None:
        if kind not in _FAULTS:
            raise CallerMistake("device switch", f"no fault {kind!r}", f"use one of {', '.join(_FAULTS)}")
        self._set_faults(kind)
        self._journal.write("fault_given", fault={"kind": kind})

    def _clear_faults(self) -> None:
        self._set_faults("")
        self._journal.write("faults_cleared")

    def _set_faults(self, kind: str) -> None:
        self._panel.stuck = kind == "stuck"
        self._agent.read_only = kind == "read-only"
        (self._mute.set if kind == "mute" else self._mute.clear)()


def rest_handler(
    panel: Panel, key: str | None, read_only: Callable[[], bool], mute: threading.Event
) -> type[BaseHTTPRequestHandler]:
    """What serves the REST interface of these ports."""

    class Handler(BaseHTTPRequestHandler):
        """One request."""

        def do_GET(self) -> None:
            """Read a port."""
            self._serve(None)

        def do_PUT(self) -> None:
            """Change a port."""
            length = int(self.headers.get("Content-Length") or 0)
            self._serve(self.rfile.read(min(length, _MAX_BODY)))

        def log_message(self, *_: object) -> None:
            """Say nothing: the journal has it."""

        def _serve(self, body: bytes | None) -> None:
            if mute.is_set():
                self.close_connection = True
                threading.Event().wait()  # its client gives up first
            if key is not None and self.headers.get("X-Api-Key") != key:
                self._answer(401, {"error": "no key"})
                return
            try:
                number = int(self.path.removeprefix("/ports/"))
                if body is not None:
                    if read_only():
                        self._answer(403, {"error": "read only"})
                        return
                    self._change(number, json.loads(body))
                port = panel.read(number)
            except KeyError:
                self._answer(404, {"error": "no such port"})
            except (ValueError, AttributeError) as error:
                self._answer(400, {"error": str(error)})
            else:
                self._answer(200, {"admin": port.enabled, "link": port.link, "poe": port.powered})

        def _change(self, number: int, wanted: dict[str, Any]) -> None:
            if "admin" in wanted:
                panel.enable(number, bool(wanted["admin"]))
            if "poe" in wanted:
                panel.power(number, bool(wanted["poe"]))

        def _answer(self, status: int, document: dict[str, Any]) -> None:
            data = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    return Handler


def main() -> None:
    """Run until SIGTERM."""
    started = main_config()
    journal = Journal.of_process(started.config)
    switch = SwitchProcess(started.config, journal)
    journal.write("started", doors=switch.doors)
    started.ready(**switch.doors)
    started.stop.wait()
    switch.close()
    journal.write("ended")


if __name__ == "__main__":
    main()
