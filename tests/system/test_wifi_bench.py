"""A whole bench on the air, killed while its access point is down. Needs simulated radios: the Wi-Fi lab has them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from rig.history import read_history
from tests.bearers.wifi.conftest import radios, wait_until
from tests.system.rigs import PROJECT, Rig, kill

pytestmark = pytest.mark.wifi


@pytest.fixture
def on_air(tmp_path: Path) -> Rig:
    if len(radios()) < 3:
        pytest.skip("kernel has no mac80211_hwsim")
    raw = yaml.safe_load((PROJECT / "fixtures/benches/virtual-wifi.yaml").read_text())
    raw |= {name: str(PROJECT / "fixtures" / name) for name in ("cards", "impairments", "timelines")}
    bench = tmp_path / "virtual-wifi.yaml"
    bench.write_text(yaml.safe_dump(raw, sort_keys=False))
    environment = {**os.environ, "RIG_STATE": str(tmp_path / "state"), "RIG_NO_RENDER": "1"}
    return Rig(tmp_path, bench, environment)


def test_killed_while_the_access_point_is_down_the_bench_comes_back(on_air: Rig) -> None:
    """The test process and the guard are killed; the next start mends it: radios, access point, cables."""
    run = on_air.start("test_wifi_gone_before_the_sale")
    gone = on_air.wait_for("access_point", 240)
    assert gone["act"] == "vanish"
    assert {cell["state"] for cell in gone["cells"].values()} == {"DISABLED"}
    killed = on_air.newest_run()
    assert killed is not None
    guard = next(event.pid for event in on_air.history().of("process_started") if event.process == "guard")
    kill(run.pid)
    kill(guard)
    run.wait()
    assert "last session" in on_air.doctor()
    code, summary = on_air.run("test_approve and wifi and not debit")
    assert (code, summary["cases"]) == (0, 1), summary
    mended = read_history(killed / "journals").of("restored")
    point = next(event.data for event in mended if event.data["device"] == "access point ap")
    assert point["clean"] is True
    assert {cell["state"] for cell in point["read_back"]["cells"].values()} == {"ENABLED"}
    assert wait_until(lambda: len(radios()) >= 3), "the radios are the machine's again"
    assert on_air.doctor() == {}
