"""A run from end to end: its summary, its files, its secrets, and the same verdict again from the files alone."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.cards.profile import load_cards
from tests.system.canaries import Canary, traces_of
from tests.system.rigs import PROJECT, Rig

CASES = "approve or void or decline or silent or while_printing or silent_before_the_request"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Rig, int, dict[str, object]]:
    rig = Rig.make(tmp_path_factory.mktemp("rig"))
    del rig.environment["RIG_NO_RENDER"]  # the report is searched for card data too, where it can be rendered
    code, summary = rig.run(CASES)
    return rig, code, summary


@pytest.fixture
def run(finished: tuple[Rig, int, dict[str, object]]) -> Path:
    folder = finished[0].newest_run()
    assert folder is not None
    return folder


def test_all_as_required(finished: tuple[Rig, int, dict[str, object]]) -> None:
    _, code, summary = finished
    assert code == 0
    verdicts = summary["verdicts"]
    assert isinstance(verdicts, dict)
    assert [verdicts[bad] for bad in ("not_as_required", "unsafe", "undecided", "bench_fault")] == [0, 0, 0, 0]
    assert verdicts["completed"] >= 6
    assert verdicts["failed_safely"] >= 3
    assert summary["network_backend"] in ("netem", "user-space link")
    assert summary["bearers"] == ["wifi", "cellular"]


def test_latest_points_to_the_run(finished: tuple[Rig, int, dict[str, object]], run: Path) -> None:
    assert (finished[0].reports / "latest").resolve() == run.resolve()


def test_judged_again_it_is_the_same_bytes(finished: tuple[Rig, int, dict[str, object]], run: Path) -> None:
    rig, _, summary = finished
    first, second = (rig.call("judge", str(run), "--json") for _ in range(2))
    assert first.returncode == 0
    assert first.stdout == second.stdout
    assert json.loads(first.stdout)["verdicts"] == summary["verdicts"]


def test_the_manifest_holds_every_file(run: Path) -> None:
    manifest = json.loads((run / "manifest.json").read_text())
    files = {str(p.relative_to(run)) for p in run.rglob("*") if p.is_file()} - {"manifest.json"}
    assert set(manifest["files"]) == files
    for name, digest in manifest["files"].items():
        assert hashlib.sha256((run / name).read_bytes()).hexdigest() == digest, name


def canaries() -> Iterator[Canary]:
    for name, card in load_cards(PROJECT / "fixtures/cards").items():
        yield Canary(name, card.pan, card.expiry)


def test_no_card_data_in_any_file_of_the_run(finished: tuple[Rig, int, dict[str, object]]) -> None:
    files = [path for path in finished[0].reports.rglob("*") if path.is_file()]
    assert any(path.suffix == ".pcapng" for path in files)
    found = [f"{path.name}: {trace}" for path in files for trace in traces_of(path.read_bytes(), list(canaries()))]
    assert found == []


def test_the_scan_looks_inside_a_report() -> None:
    for canary in canaries():
        attachment = base64.b64encode(b"noise " * 20 + canary.forms()["track 2"] + b" noise" * 20)
        report = b"<html>" + base64.b64encode(b'{"file": "' + attachment + b'"}') + b"</html>"
        assert traces_of(report, [canary])


@pytest.mark.parametrize("form", ["text", "packed", "packed, odd", "hex", "hex, lower", "base64", "utf-16", "track 2"])
def test_the_scan_would_find_card_data(form: str) -> None:
    for canary in canaries():
        assert traces_of(b"\x17noise" + canary.forms()[form] + b"noise\x17", [canary]), form


def test_nothing_listens_outside_the_bench(run: Path) -> None:
    """The private network of a virtual bench ends with it: nothing of it can have been on the machine's own."""
    assert not [line for line in Path("/proc/net/tcp").read_text().splitlines() if ":1388 " in line and " 0A " in line]
