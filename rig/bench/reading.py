"""YAML with its lines: read strictly, and each mistake told with the line and the field that it is in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from rig.errors import CallerMistake


def read_mapping(path: Path, kind: str, known: str, begin: str) -> tuple[dict[str, Any], yaml.Node | None]:
    """The mapping that a file holds, and its nodes, which know their lines.

    Args:
        path: the file.
        kind: what it is, for messages.
        known: where others of its kind lie.
        begin: how such a file begins.

    Raises:
        CallerMistake: no such file, no YAML, no mapping, or a key written twice.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CallerMistake(str(path), f"no {kind}: {error}", f"there are: {known or 'none here'}") from error
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        raw = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: a date that no calendar has
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error)
        raise CallerMistake(f"{path}{line}", f"not YAML: {problem}", "mind indentation and quotes") from error
    if not isinstance(raw, dict):
        raise CallerMistake(str(path), f"a {kind} is a mapping of keys", f"begin with: {begin}")
    for twice in _written_twice(node):
        # YAML would silently take the last one.
        raise CallerMistake(str(path), twice, "keep one of them")
    return raw, node


def problems(error: ValidationError, node: yaml.Node | None) -> str:
    """What is wrong, each with its line and its field."""
    lines = []
    for problem in error.errors(include_url=False):
        place = (*problem["loc"], *getattr(problem.get("ctx", {}).get("error"), "place", ()))
        field = ".".join(str(part) for part in place) or "the file"
        message = problem["msg"].removeprefix("Value error, ")
        lines.append(f"line {_line_of(node, place)}, {field}: {message}")
    return "; ".join(lines)


def _written_twice(node: yaml.Node | None, place: str = "") -> Iterator[str]:
    """Keys that one mapping has more than once, each with its second line."""
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield from _written_twice(item, f"{place}{number}.")
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                yield f"line {key.start_mark.line + 1}, {place}{key.value}: written twice"
            if isinstance(key.value, str):
                seen.add(key.value)
            yield from _written_twice(value, f"{place}{key.value}.")


def _line_of(node: yaml.Node | None, location: tuple[int | str, ...]) -> int:
    """The line of the innermost node on the way to ``location`` that the file really has, from 1."""
    line = 1
    for part in location:
        if isinstance(node, yaml.MappingNode):
            pair = next(((k, v) for k, v in node.value if k.value == str(part)), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line
