"""What cards keep between runs: issuer keys, counters; and the PANs that a bench refuses."""

import json
from pathlib import Path

import pytest

from rig.cards.bureau import CardBureau
from rig.cards.counter import CounterExhausted, TransactionCounter
from rig.cards.keys import IssuerKeys
from rig.cards.profile import CardProfile
from rig.errors import CallerMistake
from rig.history import Redactor, TestRange


def test_keys_are_made_once_and_kept_private(tmp_path: Path) -> None:
    first = IssuerKeys.load_or_create(tmp_path, ["north-bank"])
    again = IssuerKeys.load_or_create(tmp_path, ["north-bank", "east-bank"])
    assert first.master_key("north-bank") == again.master_key("north-bank")
    assert again.master_key("east-bank") != again.master_key("north-bank")
    file = tmp_path / "issuer-keys.json"
    assert file.stat().st_mode & 0o777 == 0o600
    stored = json.loads(file.read_text())
    assert stored["east-bank"]["mk_ac"] == again.master_key("east-bank").hex().upper()
    assert stored["east-bank"]["mk_smi"] == again.of("east-bank").mk_smi.hex().upper()
    with pytest.raises(CallerMistake, match="south-bank"):
        again.master_key("south-bank")


def test_a_file_of_an_older_rig_is_completed(tmp_path: Path) -> None:
    file = tmp_path / "issuer-keys.json"
    file.write_text(json.dumps({"north-bank": {"mk_ac": "11" * 16}}))
    keys = IssuerKeys.load_or_create(tmp_path, ["north-bank"])
    assert keys.master_key("north-bank") == b"\x11" * 16
    assert keys.of("north-bank") == IssuerKeys.load_or_create(tmp_path, []).of("north-bank")
    assert len(keys.of("north-bank").mk_smc) == 16
    assert "11" * 16 not in repr(keys.of("north-bank"))


@pytest.mark.parametrize("content", ["{", "[1]", '{"north-bank": {"mk_ac": "00"}}', '{"north-bank": {}}'])
def test_a_damaged_key_file_is_refused_and_left_alone(tmp_path: Path, content: str) -> None:
    file = tmp_path / "issuer-keys.json"
    file.write_text(content)
    with pytest.raises(CallerMistake, match="no issuer key file"):
        IssuerKeys.load_or_create(tmp_path, ["north-bank"])
    assert file.read_text() == content


def test_a_counter_goes_up_across_runs(tmp_path: Path) -> None:
    path = tmp_path / "cards" / "visa-credit.atc"
    assert [TransactionCounter(path).next() for _ in range(3)] == [1, 2, 3]
    assert TransactionCounter(path).value == 3


def test_a_counter_ends_and_never_wraps(tmp_path: Path) -> None:
    path = tmp_path / "old.atc"
    path.write_text("65534")
    counter = TransactionCounter(path)
    assert counter.next() == 0xFFFF
    with pytest.raises(CounterExhausted):
        counter.next()
    assert counter.value == 0xFFFF


@pytest.mark.parametrize("content", ["", "null", "-1", "70000", '"7"'])
def test_a_damaged_counter_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "bad.atc"
    path.write_text(content)
    with pytest.raises(CallerMistake, match="no transaction counter"):
        TransactionCounter(path).next()


def test_a_foreign_pan_is_refused_and_not_repeated(tmp_path: Path, visa: CardProfile) -> None:
    bureau = CardBureau(tmp_path, Redactor.with_new_key([TestRange("621234")]))
    with pytest.raises(CallerMistake, match="no test PAN of this bench") as caught:
        bureau.issue(visa)
    assert visa.pan not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
