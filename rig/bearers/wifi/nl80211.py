"""What the kernel knows of radios and stations (``linux/nl80211.h``), and moving a radio to another network namespace.

A radio moves with all its interfaces. When its namespace ends, the kernel takes it back to the machine's first one, so
that a crash loses no radio.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rig.bearers.interface import set_up
from rig.bearers.kernel import kernel_session
from rig.bearers.netspace import in_namespace
from rig.errors import BenchTrouble, DeviceGone

_RATE_STEP_KBIT = 100
_COMES_BACK_S = 5.0
_PAUSE_S = 0.05


def move_radio(interface: str, namespace: int) -> None:
    """Move the radio of an interface from this thread's network namespace to another one; the interface keeps its name.

    Raises:
        DeviceGone: no such interface, or it is no radio.
        BenchTrouble: the kernel refused.
    """
    _index(interface)  # says what is missing, should it be
    set_up(interface, False)
    with _nl80211(interface) as wifi:
        wifi.set_wiphy_netns_by_fd(wiphy=_radio_of(wifi, interface), netns_fd=namespace)


def take_radios_from(namespace: int, interfaces: list[str]) -> None:
    """Move radios from another network namespace to that of this thread.

    One that is not there is waited for, for a few seconds: the kernel takes its time to bring back the radios of a
    bench that has just ended.

    Raises:
        DeviceGone: an interface is not there, or is no radio.
        BenchTrouble: the kernel refused.
    """
    own = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        deadline = time.monotonic() + _COMES_BACK_S
        for interface in interfaces:
            while not in_namespace(namespace, lambda name=interface: _is_there(name)):  # type: ignore[misc]
                if time.monotonic() > deadline:
                    break
                time.sleep(_PAUSE_S)
            in_namespace(namespace, lambda name=interface: move_radio(name, own))  # type: ignore[misc]
    finally:
        os.close(own)


def _is_there(interface: str) -> bool:
    with kernel_session(f"interface {interface}") as kernel:
        return bool(kernel.link_lookup(ifname=interface))


def station_figures(interface: str) -> dict[str, dict[str, int]]:
    """Address of each station on an interface → the fields of :class:`rig.bearers.wifi.station.Station` that the kernel
    knows.

    Raises:
        DeviceGone: no such interface.
        BenchTrouble: the kernel refused.
    """
    with _nl80211(interface) as wifi:
        return {
            message.get_attr("NL80211_ATTR_MAC"): figures_of(message.get_attr("NL80211_ATTR_STA_INFO"))
            for message in wifi.get_stations(_index(interface))
        }


def figures_of(info: Any) -> dict[str, int]:
    """The figures of one station in a decoded message; what the kernel does not say is left out."""
    plain = {
        "signal_dbm": info.get_attr("NL80211_STA_INFO_SIGNAL"),
        "up_kbit": _rate(info.get_attr("NL80211_STA_INFO_RX_BITRATE")),
        "down_kbit": _rate(info.get_attr("NL80211_STA_INFO_TX_BITRATE")),
        "connected_s": info.get_attr("NL80211_STA_INFO_CONNECTED_TIME"),
        "idle_ms": info.get_attr("NL80211_STA_INFO_INACTIVE_TIME"),
        "retries": info.get_attr("NL80211_STA_INFO_TX_RETRIES"),
        "failed": info.get_attr("NL80211_STA_INFO_TX_FAILED"),
    }
    return {name: int(value) for name, value in plain.items() if value is not None}


def _rate(rate: Any) -> int | None:
    if rate is None:
        return None
    steps = rate.get_attr("NL80211_RATE_INFO_BITRATE32") or rate.get_attr("NL80211_RATE_INFO_BITRATE")
    return None if steps is None else int(steps) * _RATE_STEP_KBIT


def _radio_of(wifi: Any, interface: str) -> int:
    found = wifi.get_interface_by_ifindex(_index(interface))
    return int(found[0].get_attr("NL80211_ATTR_WIPHY"))


def _index(interface: str) -> int:
    with kernel_session(f"interface {interface}") as kernel:
        found = kernel.link_lookup(ifname=interface)
    if not found:
        raise DeviceGone(
            f"interface {interface}",
            "there is none",
            "is the radio plugged in? simulated ones: modprobe mac80211_hwsim radios=3",
        )
    return int(found[0])


@contextmanager
def _nl80211(interface: str) -> Iterator[Any]:
    from pyroute2.iwutil import IW
    from pyroute2.netlink.exceptions import NetlinkError

    try:
        with IW() as wifi:  # type: ignore[no-untyped-call]
            yield wifi
    except NetlinkError as error:
        if error.code in (errno.ENODEV, errno.ENOENT):
            raise DeviceGone(f"interface {interface}", "is no radio", "see: iw dev") from error
        raise BenchTrouble(
            f"radio {interface}", f"the kernel refused: {error.args[-1]}", "needs CAP_NET_ADMIN"
        ) from error
