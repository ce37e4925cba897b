"""The pytest plugin, by pytest on pytest, as far as it needs no bench."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rig.bench.sessions import SessionJournal

pytest_plugins = ["pytester"]

VIRTUAL = Path(__file__).parents[1] / "fixtures/benches/virtual.yaml"

CASE = """
    import pytest

    @pytest.mark.requires("completed")
    def test_sale(bench):
        bench.sale(100, "visa-credit")

    def test_plain():
        pass
"""


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.Pytester:
    """A suite of one case and one plain test, with a state directory of its own."""
    monkeypatch.setenv("RIG_STATE", str(tmp_path / "state"))
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT"):
        monkeypatch.delenv(name, raising=False)
    pytester.makepyfile(CASE)
    return pytester


def run(suite: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """As a process of its own, which may move into a network of its own, and with this plugin alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        return suite.runpytest_subprocess("-p", "rig.plugin", "-p", "no:cacheprovider", "--strict-markers", *arguments)


def test_without_a_bench_a_case_is_skipped_with_the_reason(suite: pytest.Pytester) -> None:
    result = run(suite, "-rs")
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*no bench: name one with --bench FILE"])


def test_without_a_bench_whatever_rests_on_it_is_skipped_too(suite: pytest.Pytester) -> None:
    fixtures = ["bearer", "terminal", "card", "acquirer"]
    suite.makepyfile("".join(f"def test_with_{name}({name}): pass\n" for name in fixtures))
    run(suite).assert_outcomes(skipped=len(fixtures))


def test_without_a_bench_nothing_of_the_rig_is_imported_and_nothing_is_made(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        """
        import sys

        def test_modules():
            assert {name for name in sys.modules if name.split(".")[0] == "rig"} == {"rig", "rig.plugin"}
        """
    )
    suite.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)
    assert not (suite.path / "reports").exists()
    assert not list(suite.path.rglob("allure*"))


def test_the_marker_is_registered(suite: pytest.Pytester) -> None:
    run(suite, "--markers").stdout.fnmatch_lines(["@pytest.mark.requires(*verdicts): *"])


def test_the_options_are_told_with_the_others(suite: pytest.Pytester) -> None:
    run(suite, "--help").stdout.fnmatch_lines(["payment terminal test rig:", "*--bench=FILE*", "*--reports=FOLDER*"])


def test_a_wrong_bench_file_is_a_usage_error_that_names_line_and_field(suite: pytest.Pytester) -> None:
    text = VIRTUAL.read_text().replace("kind: wifi", "kind: pigeon")
    (suite.path / "wrong.yaml").write_text(text)
    result = run(suite, "--bench", "wrong.yaml")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    said = result.stderr.str() + result.stdout.str()
    line = next(number for number, each in enumerate(text.splitlines(), 1) if "pigeon" in each)
    assert f"wrong.yaml: line {line}, bearers.wifi.kind: " in said
    assert "Traceback" not in said


def test_a_bench_file_that_is_not_there_is_a_usage_error(suite: pytest.Pytester) -> None:
    result = run(suite, "--bench", "absent.yaml")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "absent.yaml: no bench file" in result.stderr.str() + result.stdout.str()


def test_with_a_bench_the_cases_can_be_listed_without_taking_it(suite: pytest.Pytester, tmp_path: Path) -> None:
    result = run(suite, "--bench", str(VIRTUAL), "--reports", str(tmp_path / "reports"), "--collect-only", "-q")
    assert result.ret == 0
    assert len(re.findall("::test_", result.stdout.str())) == 2
    assert not (tmp_path / "state" / "virtual").exists()


def test_a_session_without_a_case_gives_the_bench_back(suite: pytest.Pytester, tmp_path: Path) -> None:
    suite.makepyfile("def test_plain(): pass")
    run(suite, "--bench", str(VIRTUAL), "--reports", str(tmp_path / "reports")).assert_outcomes(passed=1)
    session = SessionJournal(tmp_path / "state" / "virtual" / "guard.jsonl").last()
    assert session is not None
    assert session.released
    assert session.alive() == {}


def test_a_file_that_cannot_be_collected_is_told_as_such(suite: pytest.Pytester) -> None:
    suite.makepyfile(test_broken="import no_such_module_anywhere")
    result = run(suite, "--bench", str(VIRTUAL))
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert "INTERNALERROR" not in result.stdout.str() + result.stderr.str()
    result.stdout.fnmatch_lines(["*ModuleNotFoundError*no_such_module_anywhere*", "*1 error*"])
