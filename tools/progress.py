"""Quiet on success: one line a step. On failure: what was tried, the end of what it said, and the cure."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

_TAIL_LINES = 12


class SetupError(Exception):
    """Set-up cannot go on. Usual cure: in the message.

    Attributes:
        what: what happened, with the end of what a failed command said.
        cure: what usually helps.
        output: all that a failed command said.
    """

    def __init__(self, what: str, cure: str = "", output: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.cure = cure
        self.output = output

    def __str__(self) -> str:
        return self.what + (f"\n  Cure: {self.cure}" if self.cure else "")


@contextmanager
def step(title: str) -> Iterator[None]:
    """Show a step on one line, with its time once it is done."""
    print(f"  {title} … ", end="", flush=True)
    begun = time.monotonic()
    try:
        yield
    except BaseException:
        print("failed", flush=True)
        raise
    print(f"{time.monotonic() - begun:.1f} s", flush=True)


def run(
    command: Sequence[str | Path],
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    timeout: float = 900,
) -> str:
    """Run a command to its end and return what it wrote to stdout.

    Raises:
        SetupError: it cannot be started, failed, or took longer than ``timeout`` seconds.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words, cwd=folder, env={**os.environ, **(environment or {})}, timeout=timeout,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise SetupError(f"{_short(words)} took longer than {timeout:.0f} s", "is the network there?") from None
    except OSError as error:
        raise SetupError(f"{_short(words)}: {error}") from None
    if done.returncode:
        output = done.stdout + done.stderr
        raise SetupError(f"{_short(words)} failed:\n{_tail(output)}", output=output)
    return done.stdout


def _short(words: Sequence[str]) -> str:
    return " ".join(words[:4]) + (" …" if len(words) > 4 else "")


def _tail(output: str) -> str:
    lines = [line for line in output.splitlines() if line.strip() and not line.startswith("WARNING")]
    return "\n".join(f"    {line}" for line in lines[-_TAIL_LINES:])
