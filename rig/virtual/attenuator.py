"""The simulated attenuator: a Mini-Circuits RC4DAT on a real TCP socket.

.. code-block:: json

    {"name": "attenuator", "runtime": "…", "journals": "…", "redaction": "…",
     "host": "127.0.0.1", "port": 2323, "model": "RC4DAT-6G-95", "channels": 4, "start_db": 0,
     "faults": [{"kind": "stuck", "channel": 2}]}

Port 0 lets the system choose; ``ready`` names the port. What a real box has no plug for goes through its side door,
the unix socket ``attenuator.sock`` in the runtime folder: ``state`` answers the attenuation of the paths as they
really are, ``fault`` (arguments of :class:`rig.virtual.rc4dat.Fault`) breaks the box, ``clear_faults`` mends it, and
every change is pushed as ``{"event": "attenuation", "channel": n, "db": x}``.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path
from typing import Any

from rig.errors import CallerMistake
from rig.history.journal import Journal
from rig.process import main_config
from rig.rpc import RpcServer
from rig.virtual.device import check_settings
from rig.virtual.rc4dat import Fault, Rc4dat, Reply

_MAX_LINE = 1024


class AttenuatorServer:
    """The box behind its two doors: TCP for everybody, and the side door for the bench's other devices."""

    def __init__(self, config: dict[str, Any], journal: Journal) -> None:
        check_settings(config, {"host", "port", "model", "serial", "channels", "start_db", "faults"})
        self._journal = journal
        self._lock = threading.Lock()
        self._box = Rc4dat(
            config.get("model", "RC4DAT-6G-95"),
            config.get("serial", "12208010025"),
            config.get("start_db"),
            self._changed,
        )
        if config.get("channels", len(self._box.path_db)) != len(self._box.path_db):
            raise CallerMistake("attenuator", f"{self.model} has {len(self._box.path_db)} channels", "mend `channels`")
        self._box.faults = [Fault(**fault) for fault in config.get("faults", [])]
        self._side_door = RpcServer(
            Path(config["runtime"]) / "attenuator.sock",
            {"state": self._state, "fault": self._fault, "clear_faults": self._clear_faults},
        )
        self._listener = socket.create_server((config.get("host", "127.0.0.1"), config.get("port", 23)))
        threading.Thread(target=self._accept, name="attenuator", daemon=True).start()

    @property
    def port(self) -> int:
        """The TCP port."""
        return int(self._listener.getsockname()[1])

    @property
    def model(self) -> str:
        """The model that the box says it is."""
        return self._box.model

    def close(self) -> None:
        """Close both doors."""
        self._listener.close()
        self._side_door.close()

    # The side door.

    def _state(self) -> dict[str, Any]:
        with self._lock:
            return {"channels": list(self._box.path_db)}

    def _fault(self, **fault: Any) -> None:
        with self._lock:
            self._box.faults.append(Fault(**fault))
        self._journal.write("fault_given", fault=fault)

    def _clear_faults(self) -> None:
        with self._lock:
            self._box.faults.clear()
        self._journal.write("faults_cleared")

    def _changed(self, channel: int, db: float) -> None:
        self._journal.write("attenuator", channel=channel, db=db)
        self._side_door.push("attenuation", channel=channel, db=db)

    # The front door.

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.sendall(b"\r\n")  # the box greets with a blank line
            lines = client.makefile("rb")
            while raw := lines.readline(_MAX_LINE):
                line = raw.decode("ascii", "replace").strip()
                if not line:
                    continue
                self._journal.write("device_rx", line=line)
                with self._lock:
                    reply = self._box.handle(line)
                if reply.drop:
                    client.shutdown(socket.SHUT_RDWR)  # the reader above holds the socket open beyond its close
                    return
                self._send(client, reply)

    def _send(self, client: socket.socket, reply: Reply) -> None:
        if reply.line is None:
            return
        if reply.delay_ms:
            threading.Event().wait(reply.delay_ms / 1000)
        self._journal.write("device_tx", line=reply.line)
        client.sendall(reply.line.encode() + b"\r\n")


def main() -> None:
    """Run until SIGTERM."""
    started = main_config()
    journal = Journal.of_process(started.config)
    server = AttenuatorServer(started.config, journal)
    journal.write("started", model=server.model, port=server.port)
    started.ready(port=server.port)
    started.stop.wait()
    server.close()
    journal.write("ended")


if __name__ == "__main__":
    main()
