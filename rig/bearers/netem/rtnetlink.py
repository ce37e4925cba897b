"""A plain rtnetlink socket: whole messages out, the kernel's word on each back, in the same system call pair.

pyroute2 lays the messages out (:mod:`rig.bearers.netem.tc_messages`); this carries them. A message that was laid out in
advance costs two system calls, and two messages in one go cost one more. The kernel answers before ``send`` returns,
so that nothing here waits.

Facts: ``netlink(7)``, ``rtnetlink(7)``, ``linux/netlink.h`` (extended acknowledgements: the kernel's own sentence on
what it did not like).
"""

from __future__ import annotations

import errno
import os
import socket
import struct

from rig.errors import BenchTrouble, DeviceGone, DeviceMute

NLM_F_REQUEST, NLM_F_ACK, NLM_F_ECHO, NLM_F_DUMP = 0x1, 0x4, 0x8, 0x300
NLM_F_REPLACE, NLM_F_EXCL, NLM_F_CREATE = 0x100, 0x200, 0x400

_SOL_NETLINK, _NETLINK_CAP_ACK, _NETLINK_EXT_ACK = 270, 10, 11
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_NLM_F_ACK_TLVS = 0x200
_NLMSGERR_ATTR_MSG = 1
_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port
_PATIENCE_S = 5
_LARGEST_ANSWER = 1 << 18


class Refused(Exception):
    """The kernel's no to one message.

    Attributes:
        number: an errno.
        said: the kernel's sentence, or the errno's where it had none.
        position: which of the messages that went together, from 0.
    """

    def __init__(self, number: int, said: str, position: int = 0) -> None:
        super().__init__(number, said, position)
        self.number = number
        self.said = said or os.strerror(number)
        self.position = position

    def trouble(self, device: str) -> BenchTrouble:
        """The same as the bench's trouble with a device."""
        if self.number == errno.ENODEV:
            return DeviceGone(device, "is not there any more", "was it unplugged, or the bench's network taken down?")
        cures = {
            errno.EPERM: "needs CAP_NET_ADMIN",
            errno.ENOENT: "modprobe sch_netem sch_htb sch_ingress cls_matchall cls_flower act_mirred",
            errno.EOPNOTSUPP: "modprobe ifb",
        }
        return BenchTrouble(device, f"the kernel refused: {self.said}", cures.get(self.number, ""))


class Port:
    """A socket in the network namespace of the thread that makes it. One user at a time."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
        for option in (_NETLINK_CAP_ACK, _NETLINK_EXT_ACK):
            self._socket.setsockopt(_SOL_NETLINK, option, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", _PATIENCE_S, 0))
        self._socket.bind((0, 0))
        self._sequence = 0

    def ask(self, *requests: bytes) -> list[bytes]:
        """Send messages that want an acknowledgement each, and take all of them.

        Returns:
            What the kernel told beside the acknowledgements: whole messages.

        Raises:
            Refused: the first no. The other messages were carried out nevertheless, where they could be.
            DeviceMute: no answer.
        """
        first = self._send(requests)
        told: list[bytes] = []
        refusal: Refused | None = None
        open_ones = len(requests)
        while open_ones:
            for kind, flags, sequence, message in self._receive():
                if sequence < first:
                    continue  # to a question whose asker was interrupted
                if kind != _NLMSG_ERROR:
                    told.append(message)
                    continue
                open_ones -= 1
                if refusal is None:
                    refusal = _refusal(message, flags, sequence - first)
        if refusal is not None:
            raise refusal
        return told

    def dump(self, request: bytes) -> list[bytes]:
        """Send a question with many answers, and take all of them.

        Raises:
            Refused: the kernel does not tell.
            DeviceMute: no answer.
        """
        first = self._send([request])
        told: list[bytes] = []
        while True:
            for kind, flags, sequence, message in self._receive():
                if sequence < first:
                    continue
                if kind == _NLMSG_ERROR and (refusal := _refusal(message, flags, 0)):
                    raise refusal
                if kind in (_NLMSG_ERROR, _NLMSG_DONE):
                    return told
                told.append(message)

    def close(self) -> None:
        """Let go of the socket."""
        self._socket.close()

    def _send(self, requests: list[bytes] | tuple[bytes, ...]) -> int:
        """Number the messages and send them in one go; returns the first number."""
        first = self._sequence + 1
        together = bytearray()
        for request in requests:
            self._sequence += 1
            place = len(together)
            together += request
            struct.pack_into("=I", together, place + 8, self._sequence)
        self._socket.send(together)
        return first

    def _receive(self) -> list[tuple[int, int, int, bytes]]:
        try:
            answer = self._socket.recv(_LARGEST_ANSWER)
        except BlockingIOError as error:
            raise DeviceMute("rtnetlink", f"the kernel did not answer in {_PATIENCE_S} s") from error
        messages, place = [], 0
        while place < len(answer):
            length, kind, flags, sequence, _ = _HEADER.unpack_from(answer, place)
            messages.append((kind, flags, sequence, answer[place : place + length]))
            place += (length + 3) & ~3
        return messages


def _refusal(message: bytes, flags: int, position: int) -> Refused | None:
    (code,) = struct.unpack_from("=i", message, _HEADER.size)
    if not code:
        return None
    said, place = "", 2 * _HEADER.size + 4
    while flags & _NLM_F_ACK_TLVS and place + 4 <= len(message):
        length, kind = struct.unpack_from("=HH", message, place)
        if kind == _NLMSGERR_ATTR_MSG:
            said = message[place + 4 : place + length].rstrip(b"\0").decode(errors="replace")
        place += max((length + 3) & ~3, 4)
    return Refused(-code, said, position)
