"""The bench file's words for switches, and what is wrong with them, told with their place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from rig.bench.description import load_bench
from rig.errors import CallerMistake

BEARERS = Path(__file__).parents[2] / "fixtures/benches/virtual-bearers.yaml"


@pytest.mark.parametrize(
    ("switch", "why"),
    [
        ({"driver": "snmp", "address": "x", "settings": {"comunity": "rig"}}, r"switches\.desk.*comunity"),
        ({"driver": "snmp", "address": "x", "settings": {"poe": {1: "one"}}}, r"switches\.desk.*poe"),
        ({"driver": "http", "address": "http://x"}, r"switches\.desk.*down"),
        ({"driver": "telnet", "address": "x"}, r"switches\.desk\.driver"),
    ],
)
def test_a_switch_that_its_driver_would_refuse(tmp_path: Path, switch: dict[str, Any], why: str) -> None:
    raw = yaml.safe_load(BEARERS.read_text())
    raw["switches"]["desk"] = switch
    file = tmp_path / "bench.yaml"
    file.write_text(yaml.safe_dump(raw))
    with pytest.raises(CallerMistake, match=why):
        load_bench(file)
