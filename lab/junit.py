"""JUnit reports: what pytest says as a row of the table, and all of the lab as one report."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from lab.part import LabTrouble, Row

_WRONG = ("failures", "errors", "skipped")


def tests_row(part: str, what: str, report: Path, code: int) -> Row:
    """How a run of pytest ended: every test must have passed, and none may have been skipped.

    Args:
        part: heading of the row.
        what: which tests.
        report: pytest's JUnit report.
        code: pytest's exit code.

    Raises:
        LabTrouble: there is no such report, so the tests did not run.
    """
    try:
        suites = list(ElementTree.parse(report).getroot().iter("testsuite"))
    except (OSError, ElementTree.ParseError) as error:
        raise LabTrouble(f"{what}: pytest ended with {code} and left no report ({error})") from error
    tests = sum(int(suite.get("tests", "0")) for suite in suites)
    wrong = {name: sum(int(suite.get(name, "0")) for suite in suites) for name in _WRONG}
    measured = ", ".join([f"{tests - sum(wrong.values())} passed", *(f"{n} {name}" for name, n in wrong.items() if n)])
    return Row(part, what, f"{tests} tests", measured, "all pass", code == 0 and tests > 0 and not any(wrong.values()))


def write(path: Path, rows: Sequence[Row], troubles: Mapping[str, str], reports: Iterable[Path]) -> None:
    """Write one report: each row a case, each part that could not run an error, and what the parts' own reports hold.

    Args:
        path: of the report to write.
        rows: of all parts.
        troubles: part → why it could not run.
        reports: JUnit files.
    """
    root = ElementTree.Element("testsuites")
    suite = ElementTree.SubElement(
        root,
        "testsuite",
        name="lab",
        tests=str(len(rows) + len(troubles)),
        failures=str(sum(not row.ok for row in rows)),
        errors=str(len(troubles)),
        skipped="0",
    )
    for row in rows:
        case = ElementTree.SubElement(suite, "testcase", classname=f"lab.{_dotless(row.part)}", name=_name(row))
        if not row.ok:
            ElementTree.SubElement(case, "failure", message=f"{row.measured}; limit: {row.limit}")
    for part, trouble in troubles.items():
        case = ElementTree.SubElement(suite, "testcase", classname=f"lab.{part}", name="could not run")
        ElementTree.SubElement(case, "error", message=trouble)
    for report in reports:
        root.extend(ElementTree.parse(report).getroot().iter("testsuite"))
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _name(row: Row) -> str:
    return f"{row.what}: {row.asked}" if row.asked else row.what


def _dotless(part: str) -> str:
    return part.replace(".", "_")
