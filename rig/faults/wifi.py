"""Faults of the air, for bearers with an access point of the bench (``access_points`` in the bench file).

wifi_vanish("wifi").at(Moment.REQUEST_RECEIVED)
deauthenticate("wifi", reason=5).at(Moment.BEFORE_REQUEST)
roam("wifi", hard=True).at(Moment.REQUEST_RECEIVED)

Each is proven by what hostapd told and what reads back; a wrong key by the terminal having been refused. They last
until the bench settles. They need the capability "access point on NAME", :func:`roam` "roaming on NAME".
"""

from __future__ import annotations

from typing import Any

from rig.faults.actions import Action


def wifi_vanish(bearer: str, silent: bool = True) -> Action:
    """The access point is gone.

    Args:
        bearer: its name.
        silent: without a word, as when its plug is pulled: the terminal learns it from missing beacons, after about a
            second. Else it says that it leaves.
    """
    return _action("access point gone from", bearer, "vanish", silent=silent)


def deauthenticate(bearer: str, reason: int = 3, disassociate: bool = False) -> Action:
    """The access point sends the terminal away, and takes it back as soon as it comes.

    Args:
        bearer: its name.
        reason: the reason code (IEEE 802.11-2020, table 9-49), which decides with many clients when they come back.
        disassociate: end the association alone.
    """
    return _action("deauthenticated from", bearer, "deauthenticate", reason=reason, disassociate=disassociate)


def change_channel(bearer: str, channel: int) -> Action:
    """The access point announces another channel, and goes there; the terminal should follow."""
    return _action(f"channel {channel} on", bearer, "change_channel", channel=channel)


def wrong_key(bearer: str) -> Action:
    """Somebody has changed the key of the Wi-Fi: the terminal is sent away, and refused when it comes back."""
    return _action("wrong key on", bearer, "wrong_key")


def roam(bearer: str, hard: bool = False) -> Action:
    """The terminal goes to the other cell of the network.

    Args:
        bearer: its name.
        hard: its cell refuses it from now on; else it is asked to go (IEEE 802.11v), and may decline, which is no
            proof then.
    """
    return _action("roamed on", bearer, "roam", hard=hard)


def _action(words: str, bearer: str, act: str, **options: Any) -> Action:
    return Action(words, bearer, lambda stage: stage.act_on_air(bearer, act, options))
