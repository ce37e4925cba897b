"""Network interfaces through ioctl: flags, carrier, offloads. Light enough for a process that must start at once.

Facts: ``netdevice(7)``; ``linux/ethtool.h`` (ETHTOOL_GLINK answers ``netif_carrier_ok`` of this moment, while the
RUNNING flag follows a work queue and may be a second late).
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import functools
import socket
import struct

from rig.errors import BenchTrouble, DeviceGone

_SIOCGIFFLAGS, _SIOCSIFFLAGS, _SIOCETHTOOL = 0x8913, 0x8914, 0x8946
_IFF_UP, _IFF_NOARP = 0x1, 0x80
_ETHTOOL_GLINK = 0x0A
_SET_TX_CHECKSUM, _SET_TSO, _SET_GSO, _SET_GRO = 0x17, 0x1F, 0x24, 0x2C
_GET_SET_SIZE, _GET_STRINGS, _GET_FEATURES, _SET_FEATURES = 0x37, 0x1B, 0x3A, 0x3B
_FEATURE_NAMES, _NAME_LENGTH = 4, 32
_JOINING = (
    *("tx-generic-segmentation", "tx-tcp-segmentation", "tx-tcp-ecn-segmentation", "tx-tcp-mangleid-segmentation"),
    *("tx-tcp6-segmentation", "tx-udp-segmentation", "rx-gro", "rx-gro-list", "rx-gro-hw", "rx-lro"),
)
"""The features by which several packets travel as one."""


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


def joining_offloads(interface: str) -> int:
    """Which offloads are on by which several packets travel as one, as a set of the kernel's feature bits.

    Raises:
        DeviceGone: no such interface.
    """
    names = _feature_names(interface)
    joining = sum(1 << bit for bit, name in enumerate(names) if name in _JOINING)
    answer = _ethtool_block(interface, struct.pack("II", _GET_FEATURES, _blocks(names)), 16 * _blocks(names))
    on = 0
    for block in range(_blocks(names)):
        available, _, active, fixed = struct.unpack_from("4I", answer, 8 + 16 * block)
        on |= (available & active & ~fixed) << 32 * block
    return on & joining


def switch_offloads(interface: str, bits: int, on: bool) -> None:
    """Turn exactly these feature bits on or off, and no other.

    Raises:
        DeviceGone: no such interface.
        BenchTrouble: the kernel refused.
    """
    if not bits:
        return
    request = struct.pack("II", _SET_FEATURES, _blocks(_feature_names(interface)))
    for block in range(_blocks(_feature_names(interface))):
        valid = bits >> 32 * block & 0xFFFF_FFFF
        request += struct.pack("II", valid, valid if on else 0)
    _ethtool_block(interface, request)


@functools.cache
def _feature_count() -> int:
    """How many features this kernel names."""
    answer = _ethtool_block("lo", struct.pack("IIQ", _GET_SET_SIZE, 0, 1 << _FEATURE_NAMES), 4)
    return int(struct.unpack_from("I", answer, 16)[0])


def _feature_names(interface: str) -> list[str]:
    count = _feature_count()
    request = struct.pack("III", _GET_STRINGS, _FEATURE_NAMES, count)
    answer = _ethtool_block(interface, request, _NAME_LENGTH * count)[len(request) :]
    raw = (answer[place : place + _NAME_LENGTH] for place in range(0, _NAME_LENGTH * count, _NAME_LENGTH))
    return [name.rstrip(b"\0").decode() for name in raw]


def _blocks(names: list[str]) -> int:
    return -(-len(names) // 32)


def _flags(interface: str) -> int:
    request = _ioctl(interface, _SIOCGIFFLAGS, struct.pack("16sH14x", interface.encode(), 0))
    return int(struct.unpack("16xH14x", request)[0])


def _change_flags(interface: str, flag: int, on: bool) -> None:
    flags = _flags(interface)
    wanted = flags | flag if on else flags & ~flag
    if wanted != flags:
        _ioctl(interface, _SIOCSIFFLAGS, struct.pack("16sH14x", interface.encode(), wanted))


def _ethtool(interface: str, command: int, value: int = 0) -> int:
    return int(struct.unpack("II", _ethtool_block(interface, struct.pack("II", command, value)))[1])


def _ethtool_block(interface: str, request: bytes, room: int = 0) -> bytes:
    """Hand a structure to the driver, with room for the answer behind it; returns both."""
    argument = ctypes.create_string_buffer(request + bytes(room), len(request) + room)
    _ioctl(interface, _SIOCETHTOOL, struct.pack("16sP8x", interface.encode(), ctypes.addressof(argument)))
    return argument.raw


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
