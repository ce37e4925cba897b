"""An interface that is gone takes its queueing disciplines along, but not the ifb that was made for it."""

from __future__ import annotations

import contextlib
import os
import subprocess

import pytest

from rig.bearers.netem import NetemLink
from rig.bearers.netem.mirror import Mirror, interface_index, notes
from rig.bearers.netem.rtnetlink import Port
from rig.bearers.netspace import can_isolate, in_namespace, new_namespace
from rig.errors import BenchTrouble, DeviceGone


@pytest.mark.parametrize("station", [None, "02:00:00:00:01:00"])
def test_nothing_of_ours_outlives_an_interface_that_is_gone(station: str | None) -> None:
    if can_isolate().way != "root":
        pytest.skip("namespaces in the test process need root")
    namespace = new_namespace()
    try:
        in_namespace(namespace, lambda: _clear_without_interface(station))
    finally:
        os.close(namespace)


def _clear_without_interface(station: str | None) -> None:
    subprocess.run(["ip", "link", "add", "wifi", "type", "veth", "peer", "wlan0"], check=True)
    port = Port()
    link = NetemLink("wifi", "wifi", station)
    try:
        # A kernel without the filters still makes the ifb, as a crash in the middle would leave it.
        with contextlib.suppress(BenchTrouble):
            Mirror(port, "wifi", interface_index(port, "wifi"), station).lay()
        if not notes(port):
            pytest.skip("kernel has no ifb")
        subprocess.run(["ip", "link", "del", "wifi"], check=True)
        with pytest.raises(DeviceGone, match="wifi"):
            link.clear()
        assert notes(port) == []
    finally:
        link.close()
        port.close()
