"""Physical cards on a simulated gantry: a sale with the right one, and a wrong one that is no terminal's failure."""

from __future__ import annotations

from typing import Any

import yaml

from tests.system.rigs import Rig

SLOTS = {"visa-credit": {"park": [0, 0], "field": [120, 40]}}


def with_a_gantry(rig: Rig, card_in_the_slot: str) -> Rig:
    """The same bench, whose card for the field comes on a gantry; the reader at rest looks at it first."""
    raw: dict[str, Any] = yaml.safe_load(rig.bench.read_text())
    reader = {"driver": "pn532", "port": "park.tty"}
    gantry = {"driver": "grbl", "port": "actuator.tty", "settings": {"cards": SLOTS, "reader": reader}}
    raw["presenters"] = {"contactless": gantry}
    devices = raw["simulation"]["devices"]
    devices["field"]["settings"] = {
        "chips": {"terminal": "reader.tty", "park": "park.tty"},
        "park": ["park"],
        "actuator": {
            "device": "grbl", "port": "actuator.tty", "cards": SLOTS, "swapped": {"visa-credit": card_in_the_slot},
        },
    }  # fmt: skip
    devices["drawer"] = {"device": "physical-cards", "settings": {"cards": [card_in_the_slot]}}
    rig.bench.write_text(yaml.safe_dump(raw, sort_keys=False))
    return rig


def test_a_sale_with_a_physical_card_completes(rig: Rig) -> None:
    code, summary = with_a_gantry(rig, "visa-credit").run("test_sale and approve and wifi and not debit")
    assert (code, summary["verdicts"]["completed"]) == (0, 1)


def test_another_card_in_the_slot_is_a_bench_fault(rig: Rig) -> None:
    code, summary = with_a_gantry(rig, "unionpay-debit").run("test_sale and approve and wifi and not debit")
    assert (code, summary["verdicts"]["bench_fault"]) == (2, 1)
    assert "another one than visa-credit" in str(summary)
