"""Channels of 20 MHz: their frequency and their operating class.

Sources: IEEE 802.11-2020, 17.3.8.4 and Annex E, table E-4 (global operating classes).
"""

from __future__ import annotations

from rig.errors import CallerMistake

_CLASSES = (
    (range(1, 14), 81),
    (range(36, 49, 4), 115),
    (range(52, 65, 4), 118),
    (range(100, 145, 4), 121),
    (range(149, 162, 4), 124),
    (range(165, 166), 125),
)


def operating_class(channel: int) -> int:
    """The global operating class of a channel.

    Raises:
        CallerMistake: there is no such channel of 20 MHz in the bands at 2.4 and 5 GHz.
    """
    for channels, number in _CLASSES:
        if channel in channels:
            return number
    raise CallerMistake("channel", f"there is no channel {channel}", "1 to 13, 36 to 64, 100 to 144 or 149 to 165")


def frequency_mhz(channel: int) -> int:
    """The middle of a channel.

    Raises:
        CallerMistake: there is no such channel.
    """
    return (2407 if operating_class(channel) == 81 else 5000) + 5 * channel
