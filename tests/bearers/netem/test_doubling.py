"""Into a cut and out of it while packets are doubled: newer kernels refuse two netems where one of them doubles."""

from __future__ import annotations

import os

import pytest

from rig.bearers.impairment import CLEAN, CUT, Impairment
from rig.bearers.netem import NetemLink, netem_available
from rig.bearers.netspace import can_isolate, in_namespace, new_namespace
from rig.bearers.topology import Segment, build_virtual_network

pytestmark = pytest.mark.netem
DOUBLED = Impairment(duplicate_percent=5, delay_ms=10)


def test_into_a_cut_and_out_of_it() -> None:
    if can_isolate().way != "root":
        pytest.skip("namespaces in the test process need root")
    if not netem_available():
        pytest.skip("kernel has no sch_netem")
    namespace = new_namespace()
    network = in_namespace(
        namespace, lambda: build_virtual_network([Segment("wifi", "wlan0", "10.64.1.2/24", "10.64.1.1/24")], "netem")
    )

    def inside() -> None:
        link = NetemLink("wifi", "wifi")
        for up, down in ((DOUBLED, CLEAN), (CUT, DOUBLED), (DOUBLED, CUT), (CUT, CUT), (DOUBLED, DOUBLED)):
            link.apply(up, down)  # reads back and compares
        prepared = link.prepare([(CUT, CUT), (DOUBLED, CLEAN)])
        for number, (up, down) in ((0, (CUT, CUT)), (1, (DOUBLED, CLEAN))):
            prepared.put(number)
            link.read().require("wifi", up, down)
        link.clear()
        link.close()

    in_namespace(namespace, inside)
    os.close(network.terminal)
    os.close(namespace)
