"""The simulated radio: an LTE modem on a PTY whose signal follows an attenuator, and the cellular link with it.

.. code-block:: json

    {"name": "radio", "runtime": "…", "journals": "…", "redaction": "…",
     "channel": 1, "segment": "air", "link": "link.sock", "attenuator": "attenuator.sock", "modem": "modem.tty",
     "reference_dbm": -70, "detach_ms": 150, "reattach_ms": 300, "seed": 1}

Names are inside the runtime folder. ``link: null`` models the modem alone. The constants of the radio are those of
:class:`rig.virtual.radio_model.RadioSettings`, and may be left out. Attenuator and link may come, go and come back at
any time: until the attenuator was seen there is no service, and each new link is told everything anew.
"""

from __future__ import annotations

import contextlib
import os
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from rig.errors import BenchTrouble
from rig.history.journal import Journal
from rig.process import main_config
from rig.rpc import RpcClient, RpcError
from rig.virtual.at_modem import AtModem
from rig.virtual.device import check_settings, follow
from rig.virtual.pty import PtyPort
from rig.virtual.radio_model import Radio, RadioSettings, Shape

_LINK_TIMEOUT_S = 1.0


class AirLink:
    """Keeps the segment of the link as the radio wants it; a link that comes back is told again."""

    def __init__(self, path: Path, segment: str, journal: Journal) -> None:
        self._segment = segment
        self._journal = journal
        self._lock = threading.Lock()
        self._client: RpcClient | None = None
        self._wanted: tuple[bool, Shape] | None = None
        follow(path, self._connected, lambda _event: None, self._lost)

    def want(self, carrier: bool, shape: Shape) -> None:
        """Make the segment so, now or when the link is there."""
        with self._lock:
            if self._wanted != (carrier, shape):
                self._wanted = (carrier, shape)
                self._tell()

    def _connected(self, client: RpcClient) -> None:
        with self._lock:
            self._client = client
            self._tell()

    def _lost(self) -> None:
        with self._lock:
            self._client = None

    def _tell(self) -> None:
        if self._client is None or self._wanted is None:
            return
        carrier, shape = self._wanted
        try:
            if not carrier:
                self._client.call("carrier", _LINK_TIMEOUT_S, link=self._segment, up=False)
            self._client.call("set", _LINK_TIMEOUT_S, link=self._segment, **shape.as_arguments())
            if carrier:
                self._client.call("carrier", _LINK_TIMEOUT_S, link=self._segment, up=True)
        except RpcError as error:
            self._journal.write("link_refused", segment=self._segment, why=error.what)
        except BenchTrouble as error:
            self._journal.write("link_lost", segment=self._segment, why=error.what)
            self._client.close()  # its follower connects anew and tells again
            self._client = None
            return
        self._journal.write("air", segment=self._segment, carrier=carrier, **asdict(shape))


class RadioProcess:
    """One thread decides; the others only hand it what came in: from the modem's port, and from the attenuator."""

    def __init__(self, config: dict[str, Any], journal: Journal) -> None:
        runtime = Path(config["runtime"])
        self._journal = journal
        constants = {field.name for field in fields(RadioSettings)}
        check_settings(config, constants | {"channel", "segment", "link", "attenuator", "modem"})
        self._radio = Radio(RadioSettings(**{key: config[key] for key in constants & config.keys()}))
        self._modem = AtModem(self._radio, self._record)
        self._inbox: queue.Queue[Callable[[], None]] = queue.Queue()
        self._channel = int(config.get("channel", 1))
        link = config.get("link", "link.sock")
        self._link = AirLink(runtime / link, config.get("segment", "air"), journal) if link else None
        self.port = PtyPort(runtime / config.get("modem", "modem.tty"))
        os.set_blocking(self.port.fileno(), False)
        follow(runtime / config.get("attenuator", "attenuator.sock"), self._attenuator_found, self._attenuator_said)
        threading.Thread(target=self._listen, name="modem port", daemon=True).start()
        threading.Thread(target=self._run, name="radio", daemon=True).start()

    def _run(self) -> None:
        while True:
            due = self._radio.due
            timeout = None if due is None else max(0.0, due - time.monotonic())
            with contextlib.suppress(queue.Empty):
                self._inbox.get(timeout=timeout)()
            if self._radio.tick(time.monotonic()):
                self._tell()
                self._write(self._modem.service_changed())

    def _tell(self) -> None:
        """The level or the service changed: the link first, so that who hears of it finds it so."""
        radio = self._radio
        if self._link:
            self._link.want(radio.registered, radio.shape)
        self._journal.write(
            "radio",
            rsrp=radio.level_dbm,
            registered=radio.registered,
            technology=radio.technology if radio.registered else None,
        )

    # The modem's port.

    def _record(self, kind: str, line: str) -> None:
        self._journal.write(kind, line=line)

    def _listen(self) -> None:
        while True:
            data = self.port.read()
            self._inbox.put(lambda data=data: self._write(self._modem.receive(data)))  # type: ignore[misc]

    def _write(self, data: bytes) -> None:
        with contextlib.suppress(BlockingIOError):  # nobody reads: a serial line loses what is not read
            self.port.write(data)

    # The attenuator's side door.

    def _attenuator_found(self, client: RpcClient) -> None:
        channels = client.call("state")["channels"]
        if not 1 <= self._channel <= len(channels):
            self._journal.write("attenuator_refused", why=f"it has no channel {self._channel}")
            return
        self._attenuated(channels[self._channel - 1])

    def _attenuator_said(self, event: dict[str, Any]) -> None:
        if event.get("event") == "attenuation" and event.get("channel") == self._channel:
            self._attenuated(event["db"])

    def _attenuated(self, db: float) -> None:
        def change() -> None:
            self._radio.attenuate(db, time.monotonic())
            self._tell()

        self._inbox.put(change)


def main() -> None:
    """Run until SIGTERM."""
    started = main_config()
    journal = Journal.of_process(started.config)
    process = RadioProcess(started.config, journal)
    journal.write("started", port=process.port.path)
    started.ready(port=str(process.port.link))
    started.stop.wait()
    process.port.link.unlink(missing_ok=True)
    journal.write("ended")


if __name__ == "__main__":
    main()
