"""TLS sessions: used again where the terminal is told to, gone with its power, and worth nothing at another host."""

from __future__ import annotations

from pathlib import Path

from tests.virtual.terminal.scripted_host import make_authority
from tests.virtual.terminal.terminal_process import Bench


def test_a_session_is_used_again_until_the_power_goes(bench: Bench) -> None:
    bench.settings["resumes_sessions"] = True
    till = bench.registered()
    assert till.sale(100).approved
    assert till.sale(200).approved
    bench.cut_power()
    assert bench.registered().sale(300).approved
    assert bench.host.resumed == [False, True, False]


def test_a_terminal_that_is_not_told_to_keeps_no_session(bench: Bench) -> None:
    till = bench.registered()
    assert till.sale(100).approved
    assert till.sale(200).approved
    assert bench.host.resumed == [False, False]


def test_with_a_session_in_its_hand_it_looks_at_a_strangers_certificate_all_the_same(
    bench: Bench, tmp_path: Path
) -> None:
    bench.settings["resumes_sessions"] = True
    till = bench.registered()
    assert till.sale(100).approved
    bench.host.certify(make_authority(tmp_path / "other"))
    assert till.sale(200).aborted == 0x9B
    assert bench.host.mtis() == ["0200"]
