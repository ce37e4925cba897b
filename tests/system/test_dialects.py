"""The virtual bench in other dialects: the same cases, the same verdicts; and what only codes can show."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.system.rigs import Rig


def _rig(folder: Path, dialect: str) -> Rig:
    rig = Rig.make(folder)
    raw = yaml.safe_load(rig.bench.read_text())
    raw["acquirer"]["dialect"] = dialect
    rig.bench.write_text(yaml.safe_dump(raw, sort_keys=False))
    return rig


@pytest.mark.parametrize("dialect", ["ascii-1987-mac", "unionpay-pos"])
def test_codes_and_keys(tmp_path: Path, dialect: str) -> None:
    """A wrong code, changed keys, a lost answer, and a day of sale, void and settlement, all under session keys."""
    rig = _rig(tmp_path, dialect)
    code, summary = rig.run(
        "wifi and (wrong_code or keys_changed or (no_answer and silent) or test_void or end_of_day)"
    )
    assert code == 0, summary
    verdicts = summary["verdicts"]
    assert (verdicts["failed_safely"], verdicts["completed"], summary["cases"]) == (3, 2, 5)
    history = rig.history()
    assert len(history.of("session_keys_given")) >= 2
    assert {event.data["reason"] for event in history.of("terminal_reversal_pending")} >= {"A0", "98"}
    refused = [event.data["why"] for event in history.of("request_refused")]
    assert any("authentication code is wrong" in why for why in refused)


@pytest.mark.parametrize("dialect", ["ascii-1987-common", "bcd-1987", "unionpay-pos-pad-f", "advice-1993"])
def test_a_day_in_another_dialect(tmp_path: Path, dialect: str) -> None:
    rig = _rig(tmp_path, dialect)
    code, summary = rig.run("wifi and (test_void or end_of_day or (no_answer and silent))")
    assert code == 0, summary
    verdicts = summary["verdicts"]
    assert (verdicts["failed_safely"], verdicts["completed"], summary["cases"]) == (1, 2, 3)


def test_an_unknown_dialect_is_said_before_anything_starts(tmp_path: Path) -> None:
    rig = _rig(tmp_path, "esperanto")
    done = rig.call("run", "--bench", str(rig.bench), "--reports", str(rig.reports), "-k", "test_void")
    assert done.returncode == 2
    assert "esperanto" in done.stderr + done.stdout
    assert "unionpay-pos" in done.stderr + done.stdout
