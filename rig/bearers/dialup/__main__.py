"""The answering side as a process: ``python -m rig.bearers.dialup --config FILE --ready-fd N``.

Settings beside those of every bench process (:mod:`rig.process`)::

    {"bearer": "dialup", "port": "/dev/serial/by-id/usb-…", "baud": 115200, "host": ["10.64.0.10", 5001],
     "framing": "checked"}

It is asked over ``BEARER-line.sock`` in the runtime folder: :attr:`rig.bearers.dialup.switchboard.Switchboard.verbs`.
Its journal holds what the modem said and was told, and counts of what passed: never the octets of a call.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

from rig.bearers.dialup import door
from rig.bearers.dialup.modem import AnsweringModem
from rig.bearers.dialup.switchboard import Switchboard
from rig.errors import BenchTrouble, DeviceGone
from rig.history import Journal
from rig.instruments.serial_port import SerialPort
from rig.process import Started, main_config, wake_on_signal
from rig.rpc import RpcServer

_PORT_S = 10.0
_PAUSE_S = 0.02
_END_TOGETHER_S = 1.0


def open_modem(port: str, baud: int, name: str, journal: Journal) -> AnsweringModem:
    """The modem, once its port is there: the bench's processes start together.

    Raises:
        BenchTrouble: it is not there in time, or is no modem.
    """

    def observe(kind: str, data: dict[str, Any]) -> None:
        journal.write(kind, **data)

    deadline = time.monotonic() + _PORT_S
    while True:
        try:
            serial = SerialPort(port, name=name, baudrate=baud)
            break
        except DeviceGone:
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_S)  # nobody tells that a device node has come
    try:
        return AnsweringModem(serial, observe)
    except BaseException:
        serial.close()
        raise


def _wake_at_end(started: Started, board: Switchboard) -> None:
    started.stop.wait()
    board.wake()


def main() -> None:
    """Answer calls until SIGTERM."""
    started: Started = main_config()
    signalled = wake_on_signal()
    config = started.config
    journal = Journal.of_process(config)
    bearer, (address, tcp_port) = config["bearer"], config["host"]

    def note(kind: str, **data: Any) -> None:
        journal.write(kind, bearer=bearer, **data)

    try:
        modem = open_modem(config["port"], config.get("baud", 115_200), f"modem of {bearer}", journal)
        board = Switchboard(modem, (address, tcp_port), note, config.get("framing", "checked"))
        server = RpcServer(Path(config["runtime"]) / door(bearer), board.verbs)
        journal.write("started", modem=modem.identity)
        started.ready(modem=modem.identity)
        threading.Thread(target=_wake_at_end, args=(started, board), name="end", daemon=True).start()
        board.run(started.stop, signalled)
        server.close()
        board.close()
    except BenchTrouble as error:
        if started.stop.wait(_END_TOGETHER_S):
            return  # the whole bench ends, and its devices may be a little faster
        journal.write("bench_fault", device=error.device, what=error.what, cure=error.cure)
        raise SystemExit(f"{error}") from error
    finally:
        journal.write("ended")
        journal.close()


if __name__ == "__main__":
    main()
