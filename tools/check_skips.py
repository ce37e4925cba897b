"""Hold the skipped tests of a run against a committed list: ``python -m tools.check_skips REPORT.xml [LIST]``.

The report is pytest's JUnit XML. A line of the list is ``reason``, or ``test id — reason`` where the test id is a
file, a test, or one parameter set of it; ``#`` begins a comment. Without a list no test may be skipped. An expected
failure counts as skipped. Ends with 1, and prints it, where a skip is not on the list or where nothing ran at all.
"""

from __future__ import annotations

import ast
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

SEPARATOR = " — "


@dataclass(frozen=True)
class Skip:
    """A test that did not run: its id, such as ``tests/wire/test_at.py::test_x[1]``, and the reason it gave."""

    test: str
    reason: str


@dataclass(frozen=True)
class Allowed:
    """A line of the list; without a test it is meant for all of them."""

    reason: str
    test: str = ""

    def covers(self, skip: Skip) -> bool:
        """Whether a skip is the one that is meant."""
        here = not self.test or skip.test == self.test or skip.test.startswith((self.test + "::", self.test + "["))
        return here and skip.reason == self.reason


def read_list(text: str) -> list[Allowed]:
    """Read a list of allowed skips."""
    lines = [line.strip() for line in text.splitlines()]
    return [_allowed(line) for line in lines if line and not line.startswith("#")]


def _allowed(line: str) -> Allowed:
    test, found, reason = line.partition(SEPARATOR)
    return Allowed(reason.strip(), test.strip()) if found else Allowed(line)


def read_report(report: str) -> tuple[int, list[Skip]]:
    """How many tests a JUnit report speaks of, and which of them were skipped."""
    cases = list(ElementTree.fromstring(report).iter("testcase"))
    return len(cases), [skip for case in cases for skip in _skips(case)]


def _skips(case: ElementTree.Element) -> Iterator[Skip]:
    for mark in case.iter("skipped"):
        message = mark.get("message", "")
        reason = _of_collection(mark.text or "") if message == "collection skipped" else message
        yield Skip(_test_id(case.get("classname", ""), case.get("name", "")), reason)


def _of_collection(text: str) -> str:
    """The reason inside what pytest writes for a whole file: the text of a Python tuple (path, line, reason)."""
    try:
        return str(ast.literal_eval(text)[-1]).removeprefix("Skipped: ")
    except (ValueError, SyntaxError, IndexError, TypeError):
        return text


def _test_id(module: str, name: str) -> str:
    """A test's id from JUnit's dotted words; a file that was skipped as a whole has its own in the name."""
    words = module.split(".") if module else name.split(".")
    file = next((n for n, word in enumerate(words) if word.startswith("test_")), len(words) - 1) + 1
    inside = words[file:] + ([name] if module else [])
    return "::".join(["/".join(words[:file]) + ".py", *inside])


def unlisted(skips: Iterable[Skip], allowed: Iterable[Allowed]) -> list[Skip]:
    """The skips that nothing on the list covers."""
    known = list(allowed)
    return [skip for skip in skips if not any(entry.covers(skip) for entry in known)]


def main(arguments: list[str]) -> int:
    """Compare, tell, and return the exit code."""
    report, *lists = arguments
    tests, skips = read_report(Path(report).read_text(encoding="utf-8"))
    allowed = [entry for path in lists for entry in read_list(Path(path).read_text(encoding="utf-8"))]
    wrong = unlisted(skips, allowed)
    for skip in wrong:
        print(f"skipped, and not on the list: {skip.test}{SEPARATOR}{skip.reason}")
    if not tests:
        print(f"{report} speaks of no test at all")
    print(f"skips: {len(skips)} of {tests} tests, {len(wrong)} not on the list")
    return 1 if wrong or not tests else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
