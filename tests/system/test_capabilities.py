"""What a bench lacks is skipped by name, and blames nobody; what it is not asked for stays untouched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.system.rigs import Rig


def without(rig: Rig, *parts: str) -> Rig:
    """The same bench, poorer."""
    raw: dict[str, Any] = yaml.safe_load(rig.bench.read_text())
    for part in parts:
        del raw[part]
    if "paths" in parts:
        del raw["bearers"]["cellular"]["path"]
    rig.bench.write_text(yaml.safe_dump(raw, sort_keys=False))
    return rig


def test_a_bench_without_power_control_skips_those_cases_by_name(rig: Rig) -> None:
    code, summary = without(rig, "power").run("between_sales or (approve and wifi and not debit)")
    assert code == 0
    assert summary["verdicts"]["completed"] == summary["cases"] == 1
    assert summary["skipped"] == {"power/between_sales[wifi]": "power control"}


def test_a_bench_without_a_bearer_does_not_blame_the_terminal(tmp_path: Path) -> None:
    rig = Rig.make(tmp_path)
    raw = yaml.safe_load(rig.bench.read_text())
    del raw["bearers"]["cellular"], raw["services"]["cellular"]
    rig.bench.write_text(yaml.safe_dump(raw, sort_keys=False))
    code, summary = rig.run("approve or gone_before_the_sale")
    assert code == 0
    assert summary["skipped"] == {
        "failover/wifi_gone_before_the_sale": "cellular",
        "sale/approve[cellular]": "cellular",
        "sale/approve_debit_of_another_bank[cellular]": "cellular",
    }
    assert summary["verdicts"]["completed"] == summary["cases"] == 2


def test_without_a_modem_the_attenuator_is_the_proof(rig: Rig) -> None:
    code, summary = without(rig, "modems").run("approve and wifi and not debit")
    assert (code, summary["verdicts"]["completed"]) == (0, 1)


def test_a_bench_that_can_run_none_of_the_cases_tells_nothing(rig: Rig) -> None:
    code, summary = without(rig, "power").run("between_sales")
    assert code == 2
    assert summary["cases"] == 0
    assert summary["skipped"]
