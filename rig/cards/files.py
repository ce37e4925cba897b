"""Small JSON files that must survive a crash: written beside, made durable, then renamed into place."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def read_json(path: Path, absent: Any) -> Any:
    """What the file holds; `absent` when there is none. Raises ValueError when it is no JSON."""
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return absent


def write_json(path: Path, value: Any) -> None:
    """Replace the file as a whole, readable by its owner alone; a crash leaves the old or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(path.name + ".new")
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "w") as file:
        json.dump(value, file)
        file.flush()
        os.fdatasync(file.fileno())
    fresh.replace(path)
