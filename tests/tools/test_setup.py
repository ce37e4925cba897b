"""The set-up's own words: an old Python, a command that fails, locks that hold."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

import pytest

from tools import setup
from tools.progress import SetupError, run, step

PROJECT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.lock", "tools/bootstrap.lock", "reports/node.lock")


def test_an_old_python_without_a_newer_one_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 8, 18))
    monkeypatch.setattr(setup, "newer_python", lambda: None)
    with pytest.raises(SystemExit, match=r"needs Python 3\.11 or newer; .* is 3\.8\.\n  Cure: install one"):
        setup.main()


def test_a_failed_command_says_what_it_said(tmp_path: Path) -> None:
    script = "import sys; print('the cause'); sys.exit(3)"
    with pytest.raises(SetupError, match="failed:\n    the cause") as trouble:
        run([sys.executable, "-c", script])
    assert trouble.value.output == "the cause\n"


def test_a_command_that_hangs_is_ended() -> None:
    with pytest.raises(SetupError, match="took longer than 0 s"):
        run([sys.executable, "-c", "import time; time.sleep(60)"], timeout=0.1)


def test_a_command_that_is_not_there() -> None:
    with pytest.raises(SetupError, match="nonexistent"):
        run(["/nonexistent/python"])


def test_a_step_says_how_it_went(capsys: pytest.CaptureFixture[str]) -> None:
    with step("one"):
        pass
    with pytest.raises(SetupError), step("two"):
        raise SetupError("away")
    assert re.fullmatch(r"  one … 0\.\d s\n  two … failed\n", capsys.readouterr().out)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_a_hash_and_no_index_is_named(lock: str) -> None:
    text = (PROJECT / lock).read_text()
    packages = re.findall(r"^[A-Za-z0-9][\w.-]*==(?:.*\\\n)*.*", text, re.MULTILINE)
    assert packages
    assert all("--hash=sha256:" in package for package in packages)
    assert "://" not in text
    assert "index-url" not in text


def test_the_lock_holds_every_dependency_of_the_project() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["dev"]
    names = {re.split(r"[<>=~! \[;]", requirement)[0].lower() for requirement in wanted}
    locked = set(re.findall(r"^([\w.-]+)==", (PROJECT / "requirements.lock").read_text(), re.MULTILINE))
    assert names - locked == set()


def test_the_renderers_lock_names_no_registry_and_has_every_integrity() -> None:
    text = (PROJECT / "reports/package-lock.json").read_text()
    assert '"resolved"' not in text
    assert text.count('"integrity"') == text.count('"node_modules/')
