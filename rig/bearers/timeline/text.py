"""Traces come from anywhere: what is no text, or no trace at all, is told as such."""

from __future__ import annotations

from pathlib import Path

from rig.errors import CallerMistake

_LARGEST = 200_000_000


def read_text(path: Path) -> str:
    """The text of a trace.

    Raises:
        CallerMistake: no such file, empty, too large, or not text.
    """
    try:
        size = path.stat().st_size
        if size > _LARGEST:
            what = f"is {size / 1e6:.0f} MB, above {_LARGEST / 1e6:.0f}"
            raise CallerMistake(str(path), what, "cut out the stretch that matters")
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise CallerMistake(str(path), f"is not text: byte {error.start} is no UTF-8", "is it packed?") from error
    except OSError as error:
        raise CallerMistake(str(path), f"cannot be read: {error.strerror}", "mind its name") from error
    if "\x00" in text:
        raise CallerMistake(str(path), "is not text: it holds zero bytes", "is it packed?")
    if not text.strip():
        raise CallerMistake(str(path), "is empty", "a trace has a line a sample")
    return text
