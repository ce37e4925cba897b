"""What a run's folder holds, each file with its SHA-256: later nobody need wonder whether a file was changed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

NAME = "manifest.json"


def write_manifest(run: Path) -> Path:
    """Write ``manifest.json`` over every other file of the run; returns its path."""
    files = sorted(path for path in run.rglob("*") if path.is_file() and path.name != NAME)
    digests = {str(path.relative_to(run)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    manifest = run / NAME
    manifest.write_text(json.dumps({"algorithm": "sha256", "files": digests}, indent=1) + "\n")
    return manifest
