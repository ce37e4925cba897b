"""Network interfaces through ioctl: flags, carrier, offloads. Light enough for a process that must start at once.

Facts: ``netdevice(7)``; ``linux/ethtool.h`` (ETHTOOL_GLINK answers ``netif_carrier_ok`` of this moment, while the
RUNNING flag follows a work queue and may be a second late).
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import socket
import struct

from rig.errors import BenchTrouble, DeviceGone

_SIOCGIFFLAGS, _SIOCSIFFLAGS, _SIOCETHTOOL = 0x8913, 0x8914, 0x8946
_IFF_UP, _IFF_NOARP = 0x1, 0x80
_ETHTOOL_GLINK = 0x0A
_SET_TX_CHECKSUM, _SET_TSO, _SET_GSO, _SET_GRO = 0x17, 0x1F, 0x24, 0x2C


def is_up(interface: str) -> bool:
    """Whether the interface is administratively up."""
    return bool(_flags(interface) & _IFF_UP)


def set_up(interface: str, up: bool) -> None:
    """Bring an interface up or down. The other end of a veth pair loses its carrier with it.

    Raises:
        DeviceGone: no such interface.
        BenchTrouble: the kernel refused.
    """
    _change_flags(interface, _IFF_UP, up)


def mute_arp(interface: str) -> None:
    """Let this machine's own stack neither ask nor answer ARP here.

    A relay's end must not: the stack would answer for its other interfaces' addresses, and packets would pass by
    the relay.
    """
    _change_flags(interface, _IFF_NOARP, True)


def has_carrier(interface: str) -> bool:
    """Whether the interface has a carrier now; ``False`` where it is down."""
    return bool(_ethtool(interface, _ETHTOOL_GLINK))


def disable_offloads(interface: str) -> None:
    """Turn segmentation offload off, and checksum offload with it, as far as the driver lets.

    Loss is per packet, and an offloaded packet is 64 KiB: 2 % loss let 74 Mbit/s through with it and 13.7 without.
    A packet whose checksum is left to hardware that is not there would be invalid behind a relay.
    """
    for command in (_SET_TSO, _SET_GSO, _SET_GRO, _SET_TX_CHECKSUM):
        with contextlib.suppress(BenchTrouble):
            _ethtool(interface, command, 0)


def _flags(interface: str) -> int:
    request = _ioctl(interface, _SIOCGIFFLAGS, struct.pack("16sH14x", interface.encode(), 0))
    return int(struct.unpack("16xH14x", request)[0])


def _change_flags(interface: str, flag: int, on: bool) -> None:
    flags = _flags(interface)
    wanted = flags | flag if on else flags & ~flag
    if wanted != flags:
        _ioctl(interface, _SIOCSIFFLAGS, struct.pack("16sH14x", interface.encode(), wanted))


def _ethtool(interface: str, command: int, value: int = 0) -> int:
    argument = ctypes.create_string_buffer(struct.pack("II", command, value))
    _ioctl(interface, _SIOCETHTOOL, struct.pack("16sP8x", interface.encode(), ctypes.addressof(argument)))
    return int(struct.unpack("II", argument.raw[:8])[1])


def _ioctl(interface: str, request: int, argument: bytes) -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        try:
            return fcntl.ioctl(any_socket, request, argument)
        except OSError as error:
            if error.errno == errno.ENODEV:
                raise DeviceGone(f"interface {interface}", "there is none", "was the bench's network built?") from error
            raise BenchTrouble(
                f"interface {interface}", f"the kernel refused: {error.strerror}", "needs CAP_NET_ADMIN"
            ) from error
