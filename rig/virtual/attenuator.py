"""The simulated attenuator: a box of one of several makers on a real TCP socket or pseudo-terminal.

.. code-block:: json

    {"name": "attenuator", "runtime": "…", "journals": "…", "redaction": "…",
     "dialect": "mini-circuits", "host": "127.0.0.1", "port": 2323, "model": "RC4DAT-6G-95", "channels": 4,
     "start_db": 0, "faults": [{"kind": "stuck", "channel": 2}]}

Dialects: :data:`rig.virtual.attenuators.models.DIALECTS`. Port 0 lets the system choose; ``ready`` names the port. With
``tty``, the name of a pseudo-terminal in the runtime folder, the box has a serial port instead; a web server or a
websocket where its dialect speaks by one. What a real box has no
plug for goes through its side door, the unix socket ``NAME.sock`` in the runtime folder, NAME being the device's:
``state`` answers the attenuation of the paths as they really are, ``fault`` (arguments of
:class:`rig.virtual.attenuators.bank.Fault`) breaks the box, ``clear_faults`` mends it, and every change is pushed as
``{"event": "attenuation", "channel": n, "db": x}``.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rig.history.journal import Journal
from rig.process import main_config
from rig.rpc import RpcServer
from rig.virtual.attenuators.bank import Fault
from rig.virtual.attenuators.box import Reply, Say
from rig.virtual.attenuators.call_box import CallBox
from rig.virtual.attenuators.doors import Door, HttpDoor, WebsocketDoor
from rig.virtual.attenuators.models import SETTINGS, dialect_of, make_box
from rig.virtual.device import check_settings
from rig.virtual.pty import PtyPort

_MAX_LINE = 1024


class AttenuatorServer:
    """The box behind its two doors: one for everybody, and the side door for the bench's other devices."""

    def __init__(self, config: dict[str, Any], journal: Journal) -> None:
        check_settings(config, SETTINGS | {"host", "port", "tty"})
        self._journal = journal
        self._box = make_box(config, self._changed)
        self._bank = self._box.bank
        self._side_door = RpcServer(
            Path(config["runtime"]) / f"{config['name']}.sock",
            {"state": self._state, "fault": self._fault, "clear_faults": self._clear_faults},
        )
        self._listener: socket.socket | None = None
        self._tty: PtyPort | None = None
        self._door: Door | None = None
        dialect = dialect_of(config)
        host, port = config.get("host", "127.0.0.1"), config.get("port", dialect.port)
        if "tty" in config:
            self._tty = PtyPort(Path(config["runtime"]) / config["tty"])
            threading.Thread(target=self._serve_tty, name="attenuator", daemon=True).start()
        elif isinstance(self._box, CallBox):
            self._door = WebsocketDoor(host, port, self._reply, self._box.greet)
        elif dialect.door == "http":
            self._door = HttpDoor(host, port, self._reply)
        else:
            self._listener = socket.create_server((host, port))
            threading.Thread(target=self._accept, name="attenuator", daemon=True).start()

    @property
    def port(self) -> int | str:
        """The TCP port, or the pseudo-terminal's name."""
        if self._door is not None:
            return self._door.port
        if self._listener is not None:
            return int(self._listener.getsockname()[1])
        assert self._tty is not None
        return str(self._tty.link)

    @property
    def model(self) -> str:
        """The model that the box is."""
        return self._box.plate

    def close(self) -> None:
        """Close both doors."""
        if self._door is not None:
            self._door.close()
        if self._listener is not None:
            self._listener.close()
        if self._tty is not None:
            self._tty.link.unlink(missing_ok=True)
        self._side_door.close()

    # The side door.

    def _state(self) -> dict[str, Any]:
        with self._bank.lock:
            return {"channels": list(self._bank.path_db)}

    def _fault(self, **fault: Any) -> None:
        with self._bank.lock:
            self._bank.faults.append(Fault(**fault))
        self._journal.write("fault_given", fault=fault)

    def _clear_faults(self) -> None:
        with self._bank.lock:
            self._bank.faults.clear()
        self._journal.write("faults_cleared")

    def _changed(self, channel: int, db: float) -> None:
        self._journal.write("attenuator", channel=channel, db=db)
        self._side_door.push("attenuation", channel=channel, db=db)

    # The front door.

    def _accept(self) -> None:
        assert self._listener is not None
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.sendall(self._box.greeting)
            lines = client.makefile("rb")
            while raw := lines.readline(_MAX_LINE):
                if not self._hear(raw, client.sendall):
                    client.shutdown(socket.SHUT_RDWR)  # the reader above holds the socket open beyond its close
                    return

    def _serve_tty(self) -> None:
        assert self._tty is not None
        waiting = b""
        while True:
            *lines, waiting = (waiting + self._tty.read()).replace(b"\r", b"\n").split(b"\n")
            waiting = waiting[-_MAX_LINE:]
            for line in lines:
                self._hear(line, self._tty.write)

    def _hear(self, raw: bytes, send: Callable[[bytes], object]) -> bool:
        """One line from a client; False where the connection must end."""
        line = raw.decode("ascii", "replace").strip()
        if not line:
            return True
        reply = self._reply(line, lambda later: self._say((later,), send))
        if reply.lines is not None:
            self._say(reply.lines, send)
        return not reply.drop

    def _reply(self, line: str, later: Say = lambda _line: None) -> Reply:
        """What the box says to a line; late where it is."""
        self._journal.write("device_rx", line=line)
        with self._bank.lock:
            reply = self._box.handle(line, later)
        if reply.delay_ms:
            threading.Event().wait(reply.delay_ms / 1000)
        if reply.lines:
            self._journal.write("device_tx", line="\n".join(reply.lines))
        return reply

    def _say(self, lines: tuple[str, ...], send: Callable[[bytes], object]) -> None:
        with contextlib.suppress(OSError):
            send(b"".join(line.encode() + self._box.ending for line in lines) + self._box.prompt)


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
