"""The capture of a run: what was on the bench's interfaces, with the card data masked before it reaches the disk.

``python -m rig.history.capture --config FILE.json --ready-fd N``, with ``interfaces`` (names) and ``output`` (path of
the ``wire.pcapng``) in the settings. SIGTERM ends it, after what has come in is written.

The payload of every packet goes through :meth:`rig.history.redaction.Redactor.data`, length-preserving; so a
checksum over a masked payload is no longer right. A PAN that is split over two TCP segments is not seen as one: where
that can happen (nothing of the rig sends one in clear) encryption must hide it. Packets are stamped by the kernel in
wall time; the event ``capture_clock`` holds what to subtract for the history's monotonic clock. The event ``ended``
tells how many packets of each interface had something masked (``masked``): so many told card data in clear.
"""

from __future__ import annotations

import errno
import select
import socket
import struct
import threading
import time
from pathlib import Path

from rig.errors import DeviceGone
from rig.history.journal import Journal
from rig.history.pcapng import Packet, PcapngWriter, cut_out
from rig.history.redaction import Redactor
from rig.process import main_config, wake_on_signal

_ETH_P_ALL = 0x0003
_SOL_PACKET, _PACKET_STATISTICS = 263, 6
_SO_TIMESTAMPNS = 35
_PACKET_OUTGOING = 4
_LARGEST_FRAME = 65_536
_BATCH = 256


def payload_offset(frame: bytes) -> int:
    """Where the payload of an Ethernet frame begins: behind TCP or UDP over IPv4, else behind the Ethernet header."""
    if len(frame) < 34 or frame[12:14] != b"\x08\x00":
        return 14
    transport = 14 + (frame[14] & 0x0F) * 4
    match frame[23]:
        case 6 if len(frame) > transport + 12:
            return transport + (frame[transport + 12] >> 4) * 4
        case 17:
            return transport + 8
        case _:
            return transport


def redact_frame(redactor: Redactor, frame: bytes) -> bytes:
    """The same frame, as long as before, with the card data in its payload masked."""
    start = payload_offset(frame)
    return frame[:start] + redactor.data(frame[start:])


def slice_capture(path: Path, start_wall_ns: int, end_wall_ns: int) -> bytes:
    """A capture file with what was seen in a span of wall time alone, for one test's attachment.

    May be called while the capture is being written: a torn last packet is left out.
    """
    return cut_out(path.read_bytes(), start_wall_ns, end_wall_ns)


class Capture:
    """Packets of several interfaces into one file.

    Raises:
        DeviceGone: an interface is not there.
    """

    def __init__(self, interfaces: list[str], output: Path, redactor: Redactor) -> None:
        self._sockets = {_listen(name): number for number, name in enumerate(interfaces)}
        self._names = interfaces
        self.masked: dict[str, int] = dict.fromkeys(interfaces, 0)
        """Interface → how many of its packets held card data in clear."""
        self._redactor = redactor
        self._file = output.open("xb", buffering=0)
        output.chmod(0o600)
        self._writer = PcapngWriter(self._file, interfaces)
        self.written = 0

    def run(self, stop: threading.Event, wake: socket.socket) -> None:
        """Write packets until the process is asked to end, and then what has come in by then."""
        while not stop.is_set():
            ready, _, _ = select.select([*self._sockets, wake], (), ())
            for each in ready:
                if each is not wake:
                    self._take(each)
        for each in self._sockets:
            while self._take(each):
                pass

    def close(self) -> int:
        """End; returns how many packets the kernel had to drop because this process was too slow."""
        lost = 0
        for each in self._sockets:
            lost += struct.unpack("II", each.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8))[1]
            each.close()
        self._file.close()
        return lost

    def _take(self, source: socket.socket) -> int:
        """Write what has come at one interface; returns how many packets that were."""
        batch = []
        for _ in range(_BATCH):
            packet = self._receive(source)
            if packet is None:
                break
            batch.append(packet)
        self._writer.write(batch)
        self.written += len(batch)
        return len(batch)

    def _receive(self, source: socket.socket) -> Packet | None:
        try:
            frame, extra, _, address = source.recvmsg(_LARGEST_FRAME, 64)
        except OSError as error:
            if isinstance(error, BlockingIOError) or error.errno == errno.ENETDOWN:
                return None  # the interface went down: told once, and packets come again when it is back
            raise
        clean = redact_frame(self._redactor, frame)
        self.masked[self._names[self._sockets[source]]] += clean != frame
        return Packet(self._sockets[source], _stamp(extra), clean, address[2] == _PACKET_OUTGOING)


def _stamp(extra: list[tuple[int, int, bytes]]) -> int:
    for level, kind, data in extra:
        if (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS):
            seconds, nanoseconds = struct.unpack("qq", data)
            return int(seconds) * 1_000_000_000 + int(nanoseconds)
    return time.time_ns()


def _listen(interface: str) -> socket.socket:
    packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
    packets.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    packets.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 23)
    packets.setblocking(False)
    try:
        packets.bind((interface, _ETH_P_ALL))
    except OSError as error:
        packets.close()
        raise DeviceGone(f"interface {interface}", f"cannot be captured: {error.strerror}", "was it built?") from error
    return packets


def main() -> None:
    """Capture until SIGTERM."""
    started = main_config()
    config = started.config
    journal = Journal.of_process(config)
    capture = Capture(config["interfaces"], Path(config["output"]), journal.redactor)
    offset = time.time_ns() - time.monotonic_ns()
    clock = {"interfaces": config["interfaces"], "wall_minus_monotonic_ns": offset}
    journal.write("started")
    journal.write("capture_clock", output=Path(config["output"]).name, **clock)
    started.ready(**clock)
    capture.run(started.stop, wake_on_signal())
    lost = capture.close()
    journal.write("ended", packets=capture.written, lost=lost, masked=capture.masked)


if __name__ == "__main__":
    main()
