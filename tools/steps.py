"""The steps of the set-up, in order."""

from __future__ import annotations

import time
from pathlib import Path

from tools import environment, renderer
from tools.progress import SetupError

__all__ = ["SetupError", "everything", "renderer_only"]

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"


def everything() -> None:
    """Build the environment, then the renderer of reports; a missing renderer is told and forgiven.

    Raises:
        SetupError: the environment cannot be built.
    """
    begun = time.monotonic()
    print("Setting up (once; again when a lock file changes)", flush=True)
    environment.build(VENV, ROOT)
    _renderer_if_possible()
    (VENV / ".set-up").touch()
    print(f"Ready in {time.monotonic() - begun:.0f} s.", flush=True)


def renderer_only() -> None:
    """Only what renders reports: quick where it is there already, tried again where it once failed."""
    if not renderer.is_installed(ROOT):
        _renderer_if_possible()


def _renderer_if_possible() -> None:
    try:
        renderer.install(VENV, ROOT)
    except SetupError as trouble:
        print(
            f"  Reports will not be rendered for now: {trouble}\n"
            "  Runs and verdicts do not need it; results stay. Once mended, `make report` renders the newest run.",
            flush=True,
        )
