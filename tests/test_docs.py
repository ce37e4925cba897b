"""The documents are true where a machine can tell: links lead somewhere, bench files load, fields are told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from rig.bearers.failures import CATALOGUE, sees
from rig.bench.description import BenchFile, load_bench
from rig.bench.parts.base import Part
from rig.cards.profile import load_cards
from rig.verdict.invariants import INVARIANTS
from rig.verdict.model import Verdict
from rig.virtual.terminal.defects import Defect

PROJECT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md")])
BENCHES = sorted((PROJECT / "fixtures/benches").glob("*.yaml"))

_CODE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def document(name: str) -> str:
    return (PROJECT / name).read_text()


def anchors(text: str) -> set[str]:
    """The anchors of a document's headings."""
    plain = (re.sub(r"[^\w\- ]", "", heading).strip().lower() for heading in _HEADING.findall(_CODE.sub("", text)))
    return {heading.replace(" ", "-") for heading in plain}


def relative_links() -> Iterator[tuple[Path, str]]:
    for path in DOCUMENTS:
        for link in _LINK.findall(_CODE.sub("", path.read_text())):
            if "://" not in link:
                yield path, link


@pytest.mark.parametrize(("path", "link"), [pytest.param(p, x, id=f"{p.name}:{x}") for p, x in relative_links()])
def test_a_link_leads_somewhere(path: Path, link: str) -> None:
    place, _, anchor = link.partition("#")
    target = (path.parent / place).resolve() if place else path
    assert target.exists()
    assert target.is_relative_to(PROJECT)
    assert not anchor or anchor in anchors(target.read_text())


def test_every_document_is_linked_from_the_readme() -> None:
    readme = document("README.md")
    assert [path.name for path in (PROJECT / "docs").rglob("*.md") if path.name not in readme] == []


def test_both_readmes_link_the_same_and_show_the_same_commands() -> None:
    english, chinese = document("README.md"), document("README.zh-CN.md")
    own = {"README.md", "README.zh-CN.md"}
    assert set(_LINK.findall(english)) - own == set(_LINK.findall(chinese)) - own
    assert len(_HEADING.findall(_CODE.sub("", english))) == len(_HEADING.findall(_CODE.sub("", chinese)))
    commands = [re.findall(r"^(?:make|cp|\.venv/bin/rig)[^#\n]*", text, re.MULTILINE) for text in (english, chinese)]
    assert commands[0]
    assert [command.strip() for command in commands[0]] == [command.strip() for command in commands[1]]


def test_what_the_readme_calls_is_there() -> None:
    targets = set(re.findall(r"^([a-z]+):", document("Makefile"), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", document("README.md"), re.MULTILINE)) <= targets


@pytest.mark.parametrize("path", BENCHES, ids=lambda path: path.stem)
def test_a_bench_file_loads_with_its_cards(path: Path) -> None:
    bench = load_bench(path)
    cards = load_cards((path.parent / bench.cards).resolve())
    prefixes = tuple(pans.prefix for pans in bench.test_pans)
    assert cards
    assert all(card.pan.startswith(prefixes) for card in cards.values())
    assert (path.parent / bench.impairments).resolve().is_dir()


def test_the_real_example_is_real() -> None:
    bench = load_bench(PROJECT / "fixtures/benches/example-real.yaml")
    assert bench.simulation is None
    assert bench.network.isolation == "host"
    ports = [part.port for part in (*bench.modems.values(), bench.power, *bench.presenters.values()) if part]
    assert len(ports) == 3
    assert all((port or "").startswith("/dev/") for port in ports)


def test_every_field_of_a_bench_file_is_told() -> None:
    told = set(re.findall(r"[a-z0-9_]+", " ".join(re.findall(r"`([^`]+)`", document("docs/bench-file.md")))))
    fields = {name for part in _kinds(Part) for name in part.model_fields}
    assert set(BenchFile.model_fields) < fields
    assert fields - told == set()


def _kinds(of: type[Part]) -> Iterator[type[Part]]:
    for kind in of.__subclasses__():
        yield kind
        yield from _kinds(kind)


def test_every_invariant_verdict_and_defect_is_told() -> None:
    verdicts = document("docs/verdicts.md")
    assert [rule.name for rule in INVARIANTS if f"| {rule.name} |" not in verdicts] == []
    assert [verdict.words for verdict in Verdict if f"| {verdict.words} |" not in verdicts] == []
    assert [defect.value for defect in Defect if f"| `{defect.value}` |" not in document("docs/virtual-bench.md")] == []


def test_the_yaml_in_the_documents_is_yaml() -> None:
    blocks = [b for path in DOCUMENTS for b in re.findall(r"^```yaml\n(.*?)^```", path.read_text(), re.M | re.S)]
    assert blocks
    assert all(isinstance(yaml.safe_load(block), dict) for block in blocks)


def test_every_named_failure_is_told() -> None:
    told = document("docs/failures.md")
    assert [name for name in CATALOGUE if f"| `{name}` | {sees(name)} |" not in told] == []
