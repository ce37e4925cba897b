"""A station of an access point, and what is known of its radio: from hostapd, and from the kernel behind it.

hostapd answers ``STA-FIRST``, and ``STA-NEXT MAC`` for each further one, with the address on a line of its own and
lines of ``key=value``; rates are in steps of 100 kbit/s. The kernel's ``NL80211_CMD_GET_STATION`` knows the retries
too (``linux/nl80211.h``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from rig.bearers.wifi.control import facts_of
from rig.errors import DeviceNonsense

_MAC = re.compile(r"^[0-9a-f]{2}(:[0-9a-f]{2}){5}$")
_RATE_STEP_KBIT = 100


@dataclass(frozen=True, slots=True)
class Station:
    """One station.

    Attributes:
        mac: its address.
        cell: the interface of the access point that it is on.
        authorized: whether it may send data: associated, and its key proven where there is one.
        signal_dbm: what the access point hears of it; None where nothing was received yet.
        up_kbit: the rate at which it sent last, kbit/s.
        down_kbit: the rate at which it was sent to last, kbit/s.
        connected_s: since when, seconds.
        idle_ms: since it was heard last.
        retries: frames to it that had to be repeated; None where the kernel does not say.
        failed: frames to it that were given up.
    """

    mac: str
    cell: str
    authorized: bool
    signal_dbm: int | None = None
    up_kbit: int = 0
    down_kbit: int = 0
    connected_s: int = 0
    idle_ms: int = 0
    retries: int | None = None
    failed: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON values for the history."""
        return asdict(self)

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Station:
        """The other way round."""
        return cls(**raw)

    def with_kernel(self, figures: Mapping[str, Any]) -> Station:
        """The same station with what the kernel says of it (:func:`rig.bearers.wifi.nl80211.station_figures`)."""
        return replace(self, **figures)


def parse_station(reply: str, cell: str) -> Station | None:
    """Read a reply to ``STA-FIRST``, ``STA-NEXT`` or ``STA``; None where there is no further station.

    Raises:
        DeviceNonsense: the reply is none of these.
    """
    if not reply or reply == "FAIL":
        return None
    mac, _, rest = reply.partition("\n")
    if not _MAC.match(mac):
        raise DeviceNonsense(f"hostapd on {cell}", f"{mac[:40]!r} is no station", "another version of hostapd?")
    facts = facts_of(rest)
    try:
        return Station(
            mac,
            cell,
            "[AUTHORIZED]" in facts.get("flags", ""),
            int(facts.get("signal", "0")) or None,
            _rate(facts.get("rx_rate_info", "")),
            _rate(facts.get("tx_rate_info", "")),
            int(facts.get("connected_time", "0")),
            int(facts.get("inactive_msec", "0")),
        )
    except ValueError as error:
        raise DeviceNonsense(f"hostapd on {cell}", f"station {mac}: {error}", "another version of hostapd?") from error


def _rate(text: str) -> int:
    """``135 mcs 6 shortGI`` → 13,500 kbit/s."""
    return int(text.split()[0]) * _RATE_STEP_KBIT if text else 0
