"""The interface that joins the cells of one network: a bridge without spanning tree, which bears the bench's address.

It bears the address of one radio, for a bridge takes the smallest of its ports' otherwise, and changes it with them: a
terminal that remembers the old one would talk to nobody.
"""

from __future__ import annotations

from typing import Any

from rig.bearers.interface import set_up
from rig.bearers.kernel import kernel_session
from rig.errors import CallerMistake, DeviceGone

_ALIAS = "pos-rig: cells of "


def make_bridge(bridge: str, radio: str) -> None:
    """Make it, or take it over from a session that was killed.

    Args:
        bridge: its name.
        radio: the interface whose address it bears.

    Raises:
        CallerMistake: somebody else has an interface of that name.
        DeviceGone: there is no such radio.
        BenchTrouble: the kernel refused.
    """
    with kernel_session(f"bridge {bridge}") as kernel:
        found = kernel.link_lookup(ifname=radio)
        if not found:
            raise DeviceGone(f"interface {radio}", "there is none", "is the radio plugged in, its driver loaded?")
        mac = kernel.get_links(found[0])[0].get("address")
        if kernel.link_lookup(ifname=bridge):
            if not _is_ours(kernel, bridge):
                raise CallerMistake(f"bridge {bridge}", "is somebody else's interface", "give another name")
        else:
            kernel.link("add", ifname=bridge, kind="bridge", address=mac)
            kernel.link("set", index=kernel.link_lookup(ifname=bridge)[0], ifalias=_ALIAS + radio)
    set_up(bridge, True)


def remove_bridge(bridge: str) -> None:
    """Remove it if it is ours."""
    with kernel_session(f"bridge {bridge}") as kernel:
        if kernel.link_lookup(ifname=bridge) and _is_ours(kernel, bridge):
            kernel.link("del", index=kernel.link_lookup(ifname=bridge)[0])


def _is_ours(kernel: Any, bridge: str) -> bool:
    link = kernel.get_links(kernel.link_lookup(ifname=bridge)[0])[0]
    return str(link.get("ifalias") or "").startswith(_ALIAS)
