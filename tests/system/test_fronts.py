"""TLS fronts through the whole bench: a terminal that believes anything, one that resumes, and a run that is killed."""

from __future__ import annotations

import time
from pathlib import Path

from rig.acquirer.fronts import HOSTILE
from tests.system.rigs import Rig, kill
from tests.system.test_endings import wait_until_clean

FALSE_CERTIFICATES = {
    "self-signed", "unknown-authority", "expired", "not-yet-valid", "wrong-name", "no-ca", "weak-key",
    "weak-signature",
}  # fmt: skip
"""The fronts that nothing but the certificate betrays, to a TLS library with its usual settings."""


def test_a_terminal_that_believes_any_certificate_is_unsafe_and_no_other_front_is_blamed(tmp_path: Path) -> None:
    rig = Rig.make(tmp_path, defects=["trusts-any-certificate"])
    code, summary = rig.run("test_hostile")
    assert code == 1
    assert summary["cases"] == len(HOSTILE)
    assert summary["verdicts"]["unsafe"] == len(summary["unsafe"]) == len(FALSE_CERTIFICATES)
    assert {entry["invariant"] for entry in summary["unsafe"]} == {"M16"}
    assert {entry["why"].split("'")[1] for entry in summary["unsafe"]} == FALSE_CERTIFICATES
    assert summary["verdicts"]["failed_safely"] == len(HOSTILE) - len(FALSE_CERTIFICATES)
    met = [event.data for event in rig.history().of("front_met")]
    assert {each["front"] for each in met if each["application_bytes"]} == FALSE_CERTIFICATES
    assert summary["ledger_approved"] == 0


def test_sessions_are_resumed_behind_the_sound_fronts_and_with_no_other(tmp_path: Path) -> None:
    rig = Rig.make(tmp_path)
    code, summary = rig.run("test_good or test_mutual or (test_hostile and expired)")
    assert (code, summary["verdicts"]["completed"], summary["verdicts"]["failed_safely"]) == (0, 2, 1)
    opened = [event.data["resumed"] for event in rig.history().of("connection_open")]
    assert True in opened
    assert False in opened
    assert all(not event.data["completed"] for event in rig.history().of("front_met"))


def test_killed_behind_a_hostile_front_the_good_one_is_up_again(tmp_path: Path) -> None:
    rig = Rig.make(tmp_path)
    started = rig.start("test_hostile and self-signed")
    rig.wait_for("front_met")
    kill(started.pid)
    killed = time.monotonic()
    started.wait()
    wait_until_clean(rig, killed)
    (restored,) = [event.data for event in rig.history().of("restored") if event.data["device"] == "acquirer"]
    assert (restored["clean"], restored["read_back"]["front"]) == (True, "good")
    assert [event.data["front"] for event in rig.history().of("front_up")] == ["self-signed", "good"]
