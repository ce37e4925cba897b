"""The simulated Bluetooth base: a segment whose carrier follows its supply, its key, and an attenuator.

.. code-block:: json

    {"name": "base", "runtime": "…", "journals": "…", "redaction": "…",
     "segment": "air-bluetooth", "link": "link.sock", "attenuator": "short", "channel": 1,
     "relay_board": "relay-board.sock", "power_relay": 1, "pairing_relay": 2, "reference_dbm": -45}

``attenuator`` names the device that is the box in the path between base and terminal; null: the two hear each other
perfectly. Both relays are of the board whose side door is ``relay_board``, and both are closed at rest: open, the first
takes the base's supply, and the second presses its key. The other settings are those of
:class:`rig.virtual.bluetooth_base_model.BaseSettings`. Its side door, the unix socket ``NAME.sock``: ``state``.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

from rig.history.journal import Journal
from rig.process import main_config
from rig.rpc import RpcClient, RpcServer
from rig.virtual.air_link import AirLink
from rig.virtual.bluetooth_base_model import BaseModel, BaseSettings
from rig.virtual.device import check_settings, follow

_OWN = {"segment", "link", "attenuator", "channel", "relay_board", "power_relay", "pairing_relay"}
_CONSTANTS = {field.name for field in fields(BaseSettings)}
_SIDE_DOOR_S = 5.0


class BaseProcess:
    """One thread decides; the others only hand it what they heard."""

    def __init__(self, config: dict[str, Any], journal: Journal) -> None:
        check_settings(config, _OWN | _CONSTANTS)
        runtime = Path(config["runtime"])
        self._journal = journal
        settings = BaseSettings(**{key: config[key] for key in _CONSTANTS & config.keys()})
        self._model = BaseModel(settings, time.monotonic())
        self._inbox: queue.Queue[Callable[[], object]] = queue.Queue()
        self._link = AirLink(runtime / config.get("link", "link.sock"), config.get("segment", "air"), journal)
        self._written: dict[str, Any] = {}
        self._channel = int(config.get("channel", 1))
        self._relays: dict[int, Callable[[bool], None]] = {}
        if config.get("power_relay") is not None:
            self._relays[config["power_relay"]] = lambda closed: self._model.power(closed, time.monotonic())
        if config.get("pairing_relay") is not None:
            self._relays[config["pairing_relay"]] = lambda closed: self._model.press(not closed, time.monotonic())
        self._side_door = RpcServer(runtime / f"{config['name']}.sock", {"state": self._state})
        threading.Thread(target=self._run, name="base", daemon=True).start()
        if box := config.get("attenuator", "attenuator"):
            follow(runtime / f"{box}.sock", self._box_found, self._box_said)
        else:
            self._attenuated(0.0)
        if self._relays:
            follow(runtime / config.get("relay_board", "relay-board.sock"), self._board_found, self._board_said)

    def close(self) -> None:
        """Close the side door."""
        self._side_door.close()

    def _run(self) -> None:
        while True:
            self._tell()
            due = self._model.due
            with contextlib.suppress(queue.Empty):
                self._inbox.get(timeout=None if due is None else max(0.0, due - time.monotonic()))()
            self._model.tick(time.monotonic())

    def _tell(self) -> None:
        state = self._model.state()
        self._link.want(self._model.connected, self._model.shape, level_dbm=state["level_dbm"])
        if state != self._written:
            self._written = state
            self._journal.write("bluetooth", **state)

    def _state(self) -> dict[str, Any]:
        answer: queue.Queue[dict[str, Any]] = queue.Queue()
        self._inbox.put(lambda: answer.put(self._model.state()))
        return answer.get(timeout=_SIDE_DOOR_S)

    def _box_found(self, client: RpcClient) -> None:
        channels = client.call("state")["channels"]
        if 1 <= self._channel <= len(channels):
            self._attenuated(channels[self._channel - 1])
        else:
            self._journal.write("attenuator_refused", why=f"it has no channel {self._channel}")

    def _box_said(self, event: dict[str, Any]) -> None:
        if event.get("event") == "attenuation" and event.get("channel") == self._channel:
            self._attenuated(event["db"])

    def _attenuated(self, db: float) -> None:
        self._inbox.put(lambda: self._model.attenuate(db, time.monotonic()))

    def _board_found(self, client: RpcClient) -> None:
        relays = client.call("state")["relays"]
        for channel in self._relays:
            if channel < len(relays):
                self._switched(channel, relays[channel])
            else:
                self._journal.write("relay_refused", why=f"the board has no relay {channel}")

    def _board_said(self, event: dict[str, Any]) -> None:
        if event.get("event") == "relay" and event.get("channel") in self._relays:
            self._switched(event["channel"], event["on"])

    def _switched(self, channel: int, closed: bool) -> None:
        self._inbox.put(lambda: self._relays[channel](closed))


def main() -> None:
    """Run until SIGTERM."""
    started = main_config()
    journal = Journal.of_process(started.config)
    base = BaseProcess(started.config, journal)
    journal.write("started")
    started.ready()
    started.stop.wait()
    base.close()
    journal.write("ended")


if __name__ == "__main__":
    main()
