"""A run's folder: its manifest, and `latest` that always points somewhere."""

from __future__ import annotations

import hashlib
import json
import threading
from pathlib import Path

from rig.report.finish import point_latest
from rig.report.manifest import write_manifest


def test_the_manifest_names_every_other_file_with_its_digest(tmp_path: Path) -> None:
    (tmp_path / "journals").mkdir()
    (tmp_path / "journals/rig.jsonl").write_bytes(b"{}\n")
    (tmp_path / "summary.json").write_bytes(b"1")
    write_manifest(tmp_path)
    files = json.loads(write_manifest(tmp_path).read_text())["files"]
    assert files == {
        "journals/rig.jsonl": hashlib.sha256(b"{}\n").hexdigest(),
        "summary.json": hashlib.sha256(b"1").hexdigest(),
    }


def test_latest_is_relative_so_that_the_folder_may_move(tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    run = reports / "runs" / "one"
    run.mkdir(parents=True)
    point_latest(reports, run)
    moved = reports.rename(tmp_path / "elsewhere")
    assert (moved / "latest").resolve() == moved / "runs" / "one"


def test_latest_is_never_absent_while_it_changes(tmp_path: Path) -> None:
    runs = [tmp_path / "runs" / name for name in ("one", "two")]
    for run in runs:
        run.mkdir(parents=True)
        (run / "index.html").touch()
    point_latest(tmp_path, runs[0])
    absent, done = [], threading.Event()

    def look() -> None:
        while not done.is_set():
            if not (tmp_path / "latest" / "index.html").exists():
                absent.append(True)

    reader = threading.Thread(target=look)
    reader.start()
    for number in range(400):
        point_latest(tmp_path, runs[number % 2])
    done.set()
    reader.join()
    assert not absent
    assert sorted(path.name for path in tmp_path.iterdir()) == ["latest", "runs"], "nothing is left behind"
