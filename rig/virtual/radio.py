"""The simulated radio: a cellular modem on a PTY whose signal follows an attenuator, and the cellular link with it.

.. code-block:: json

    {"name": "radio", "runtime": "…", "journals": "…", "redaction": "…",
     "channel": 1, "attenuator": "attenuator", "neighbour": {"channel": 2, "reference_dbm": -75},
     "segment": "air", "link": "link.sock", "modem": "modem.tty",
     "technologies": ["LTE", "UTRAN", "GSM"], "reference_dbm": -70, "haste": 10, "load": 0, "seed": 1,
     "apn": "acquirer.apn", "sims": [{"imsi": "001010000000001", "pin": "1234"}, null]}

``attenuator`` is the name of the device that is the box; ``neighbour`` a second cell, by another channel, or another
box. Sockets and ports are inside the runtime folder. ``link: null`` models the modem alone. The other settings are the
constants of :class:`rig.virtual.radio_model.settings.RadioSettings` and what :class:`rig.virtual.at_modem.AtModem`
takes; all may be left out. Attenuator and link may come, go and come back at any time: until the attenuator was seen
there is no service, and each new link is told everything anew.

What no instrument of a bench can bring about goes through its side door, the unix socket ``NAME.sock``: ``load
{share}`` congests the cell, ``fault {kind}`` and ``clear_faults`` are those of the modem, ``state`` answers what is.
"""

from __future__ import annotations

import contextlib
import os
import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from rig.errors import CallerMistake
from rig.history.journal import Journal
from rig.process import main_config
from rig.rpc import Handler, RpcClient, RpcServer
from rig.virtual.air_link import AirLink
from rig.virtual.at_modem import AtModem
from rig.virtual.device import check_settings, follow
from rig.virtual.pty import PtyPort
from rig.virtual.radio_model.radio import Radio
from rig.virtual.radio_model.settings import RadioSettings

_OWN = {"channel", "attenuator", "neighbour", "segment", "link", "modem", "apn", "sims"}
_CONSTANTS = {field.name for field in fields(RadioSettings)} - {"neighbour_dbm"}
_SIDE_DOOR_S = 5.0


class RadioProcess:
    """One thread decides; the others only hand it what came in: from port and side door, and from the attenuator."""

    def __init__(self, config: dict[str, Any], journal: Journal) -> None:
        check_settings(config, _CONSTANTS | _OWN)
        runtime = Path(config["runtime"])
        self._journal = journal
        neighbour = config.get("neighbour")
        self._radio = Radio(RadioSettings.of({**config, **neighbour_level(neighbour)}))
        known = {key: config[key] for key in ("apn", "sims") if key in config}
        self._modem = AtModem(self._radio, self._record, **known)
        self._inbox: queue.Queue[Callable[[], None]] = queue.Queue()
        link = config.get("link", "link.sock")
        self._link = AirLink(runtime / link, config.get("segment", "air"), journal) if link else None
        self._written: dict[str, Any] = {}
        self.port = PtyPort(runtime / config.get("modem", "modem.tty"))
        os.set_blocking(self.port.fileno(), False)
        box = config.get("attenuator", "attenuator")
        self._follow(runtime / f"{box}.sock", int(config.get("channel", 1)), 0)
        if neighbour is not None:
            self._follow(runtime / f"{neighbour.get('attenuator', box)}.sock", int(neighbour["channel"]), 1)
        verbs: dict[str, Handler] = {
            "load": self._load,
            "fault": self._fault,
            "clear_faults": self._clear_faults,
            "state": self._state,
        }
        self._side_door = RpcServer(runtime / f"{config['name']}.sock", verbs)
        threading.Thread(target=self._listen, name="modem port", daemon=True).start()
        threading.Thread(target=self._run, name="radio", daemon=True).start()

    @property
    def settings(self) -> RadioSettings:
        """The model's constants."""
        return self._radio.settings

    def close(self) -> None:
        """Close both doors."""
        self._side_door.close()
        self.port.link.unlink(missing_ok=True)

    def _run(self) -> None:
        while True:
            due = self._radio.due
            timeout = None if due is None else max(0.0, due - time.monotonic())
            with contextlib.suppress(queue.Empty):
                self._inbox.get(timeout=timeout)()
            if self._radio.tick(time.monotonic()):
                said = self._modem.service_changed()
                self._tell()  # the link first, so that who hears of it finds it so
                self._write(said)

    def _tell(self) -> None:
        """Something may have changed: make the link so, and write it down."""
        radio, modem = self._radio, self._modem
        if self._link:
            self._link.want(modem.carries, radio.link_arguments(), sinr_db=round(radio.sinr_db, 1))
        state = modem.state()
        now = {"rsrp": radio.level_dbm, "registered": state["registered"], "technology": state["technology"]}
        now |= {"cell": state["cell"], "carries": state["carries"]}
        if now != self._written:
            self._written = now
            self._journal.write("radio", **now)

    # The modem's port.

    def _record(self, kind: str, line: str) -> None:
        self._journal.write(kind, line=line)

    def _listen(self) -> None:
        while True:
            data = self.port.read()
            self._inbox.put(lambda data=data: self._heard(data))  # type: ignore[misc]

    def _heard(self, data: bytes) -> None:
        reply = self._modem.receive(data)
        self._tell()
        self._write(reply)

    def _write(self, data: bytes) -> None:
        with contextlib.suppress(BlockingIOError):  # nobody reads: a serial line loses what is not read
            self.port.write(data)

    # The attenuator's side door.

    def _follow(self, path: Path, channel: int, cell: int) -> None:
        def found(client: RpcClient) -> None:
            channels = client.call("state")["channels"]
            if not 1 <= channel <= len(channels):
                self._journal.write("attenuator_refused", why=f"it has no channel {channel}")
                return
            attenuated(channels[channel - 1])

        def said(event: dict[str, Any]) -> None:
            if event.get("event") == "attenuation" and event.get("channel") == channel:
                attenuated(event["db"])

        def attenuated(db: float) -> None:
            def change() -> None:
                self._radio.attenuate(db, time.monotonic(), cell)
                self._tell()

            self._inbox.put(change)

        follow(path, found, said)

    # Its own.

    def _load(self, share: float) -> None:
        self._decide(lambda: self._radio.congest(share))
        self._journal.write("congested", share=share)

    def _fault(self, kind: str) -> None:
        self._decide(lambda: self._write(self._modem.give_fault(kind)))
        self._journal.write("fault_given", fault=kind)

    def _clear_faults(self) -> None:
        self._decide(lambda: self._write(self._modem.clear_faults()))
        self._journal.write("faults_cleared")

    def _state(self) -> dict[str, Any]:
        state: dict[str, Any] = {}
        self._decide(lambda: state.update(self._modem.state(), load=self._radio.load, level_dbm=self._radio.level_dbm))
        return state

    def _decide(self, change: Callable[[], object]) -> None:
        """Have the one thread do it, and wait until it did; its error is ours."""
        done: queue.Queue[Exception | None] = queue.Queue()

        def run() -> None:
            try:
                change()
            except Exception as error:  # noqa: BLE001 - it is raised where it was asked for
                done.put(error)
                return
            self._tell()
            done.put(None)

        self._inbox.put(run)
        if error := done.get(timeout=_SIDE_DOOR_S):
            raise error


def neighbour_level(neighbour: Mapping[str, Any] | None) -> dict[str, float]:
    """The model's constant for the second cell, if there is one.

    Raises:
        CallerMistake: it has no channel, or settings that a cell does not have.
    """
    if neighbour is None:
        return {}
    if "channel" not in neighbour or neighbour.keys() - {"channel", "attenuator", "reference_dbm"}:
        raise CallerMistake(
            "device radio", f"neighbour {dict(neighbour)}", "a neighbour has channel, reference_dbm and attenuator"
        )
    return {"neighbour_dbm": neighbour.get("reference_dbm", RadioSettings.reference_dbm)}


def main() -> None:
    """Run until SIGTERM."""
    started = main_config()
    journal = Journal.of_process(started.config)
    process = RadioProcess(started.config, journal)
    constants = process.settings
    journal.write("started", port=process.port.path, technologies=constants.technologies, haste=constants.haste)
    started.ready(port=str(process.port.link))
    started.stop.wait()
    process.close()
    journal.write("ended")


if __name__ == "__main__":
    main()
