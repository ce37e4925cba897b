from __future__ import annotations

import base64
import json
import re
import time
import uuid
from pathlib import Path

import pytest

from rig.report import allure
from rig.report.allure import find_allure, render
from rig.report.node import Node, find_node


def result(folder: Path, name: str, status: str, message: str = "") -> None:
    """A test's result as allure-pytest writes it."""
    begun = int(time.time() * 1000)
    folder.mkdir(exist_ok=True)
    fields = {
        "uuid": str(uuid.uuid4()), "historyId": name, "testCaseId": name, "fullName": name, "name": name,
        "status": status, "start": begun, "stop": begun + 5, "statusDetails": {"message": message},
        "labels": [{"name": "bearer", "value": "wifi"}, {"name": "suite", "value": "host"}],
    }  # fmt: skip
    (folder / f"{fields['uuid']}-result.json").write_text(json.dumps(fields))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The folder of a run with one result."""
    result(tmp_path / "allure-results", "approve", "passed")
    return tmp_path


@pytest.fixture
def stubborn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Node that fails, in place of Allure's."""
    binary = tmp_path / "node"
    binary.write_text("#!/bin/sh\necho 'out of memory' >&2\nexit 7\n")
    binary.chmod(0o755)
    monkeypatch.setattr(allure, "find_node", lambda: Node(binary, binary, "22.0.0"))
    monkeypatch.setattr(allure, "find_allure", lambda: tmp_path / "reports/node_modules/allure/cli.js")
    (tmp_path / "reports").mkdir()
    return binary


@pytest.mark.parametrize(("missing", "named"), [("find_node", "Node 22 or newer"), ("find_allure", "Allure")])
def test_what_is_missing_is_named_with_the_cure(
    run: Path, monkeypatch: pytest.MonkeyPatch, missing: str, named: str
) -> None:
    monkeypatch.delenv("RIG_NO_RENDER", raising=False)
    monkeypatch.setattr(allure, "find_node", lambda: Node(Path("node"), Path("npm"), "22.0.0"))
    monkeypatch.setattr(allure, "find_allure", lambda: Path("cli.js"))
    monkeypatch.setattr(allure, missing, lambda: None)
    rendering = render(run, "a run", {}, None)
    assert rendering.index is None
    assert f"{named} is missing; run `make setup`" in rendering.message
    assert list((run / "allure-results").iterdir()), "the results stay"


def test_a_renderer_that_fails_is_told_and_not_raised(
    run: Path, stubborn: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RIG_NO_RENDER", raising=False)
    rendering = render(run, "a run", {}, None)
    assert rendering.index is None
    assert "Allure ended with 7: out of memory" in rendering.message


def test_a_renderer_that_hangs_is_ended(run: Path, stubborn: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RIG_NO_RENDER", raising=False)
    stubborn.write_text("#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr(allure, "_LIMIT_S", 0.2)
    rendering = render(run, "a run", {}, None)
    assert rendering.index is None
    assert "timed out" in rendering.message


def test_nothing_ran(tmp_path: Path) -> None:
    assert render(tmp_path, "a run", {}, None).message == "no report: nothing ran"


def test_allure_makes_one_file_that_sorts_failures_by_what_they_mean(
    run: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    if find_node() is None or find_allure() is None:
        pytest.skip("Allure, or a Node for it, is missing")
    monkeypatch.delenv("RIG_NO_RENDER", raising=False)
    results = run / "allure-results"
    result(results, "late", "failed", "rig.suite.Unsafe: M1: two live authorisations")
    result(results, "silent", "failed", "rig.suite.NotAsRequired: failed safely, completed was required")
    result(results, "deaf", "broken", "rig.suite.Undecided: a fault without proof")
    result(results, "mute", "broken", "rig.suite.BenchFault: modem: no answer")
    history = tmp_path_factory.mktemp("history") / "history.jsonl"
    rendering = render(run, "virtual: unsafe", {"Network": "netem"}, history)
    assert rendering.index == run / "index.html", rendering.message
    said = embedded(rendering.index.read_text())
    for words in (
        "Unsafe: more than one live authorisation (M1)", "Not as required", "Undecided",
        "Bench fault (not the terminal)", "virtual: unsafe", "netem",
    ):  # fmt: skip
        assert words in said
    assert history.exists()


def embedded(page: str) -> str:
    """The page with its data, which Allure keeps in base64."""
    found = [data for data in re.findall(r'"([A-Za-z0-9+/]{20,}=*)"', page) if len(data) % 4 == 0]
    return page + "".join(base64.b64decode(data).decode(errors="replace") for data in found)
