"""The parsers that meet a stranger's bytes take 20,000 arbitrary inputs each, and raise nothing but their own error."""

import json
import subprocess
import sys

import pytest

from tools import campaign


@pytest.mark.parametrize("target", sorted(campaign.TARGETS))
def test_arbitrary_inputs_raise_nothing(target: str) -> None:
    figures = campaign.campaign(target, 20_000)
    assert figures.inputs >= 20_000
    assert 0 < figures.refused < figures.inputs  # sound ones were among them


def test_a_defect_is_found_and_shown_small(monkeypatch: pytest.MonkeyPatch) -> None:
    def defective(data: bytes) -> bool:
        if data:
            raise IndexError("a parser's slip")
        return True

    monkeypatch.setitem(campaign.TARGETS, "defective", defective)
    monkeypatch.setattr(campaign, "EXAMPLE_INPUTS", 1)  # small at once
    with pytest.raises(IndexError, match="slip"):
        campaign.campaign("defective", 20)


def test_a_campaign_prints_its_figures() -> None:
    command = [sys.executable, "-m", "tools.campaign", "--inputs", "50"]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    told = [json.loads(line) for line in lines]
    assert [each["target"] for each in told] == ["tlv", "iso-dep card", "iso-dep reader"]
    assert all(each["inputs"] >= 50 for each in told)


def test_inputs_are_cut_from_an_example() -> None:
    assert list(campaign.cut(b"\x02ab\x00\x05c")) == [b"ab", b"", b"c"]
    assert campaign.blocks(b"\x82\x00x\x01y") == [b"\x02x", b"y"]
