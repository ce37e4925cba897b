"""Reading what pip would be told, where there is no pip."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import pip_config
from tools.pip_config import PUBLIC_INDEX, PipConfig, read


@pytest.fixture(autouse=True)
def _no_machine_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine's own settings are not the test's."""
    user_files = pip_config._files
    monkeypatch.setattr(
        pip_config, "_files", lambda environ, home: [p for p in user_files(environ, home) if home in p.parents]
    )


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_nothing_said_is_the_public_index(tmp_path: Path) -> None:
    assert read({}, tmp_path) == PipConfig((PUBLIC_INDEX,))


def test_the_users_file(tmp_path: Path) -> None:
    write(
        tmp_path / ".config/pip/pip.conf",
        "[global]\nindex-url = https://main.example/simple/\n"
        "extra-index-url =\n    https://one.example/simple\n    https://two.example/simple\ncert = /etc/ca.pem\n",
    )
    wanted = ("https://main.example/simple", "https://one.example/simple", "https://two.example/simple")
    assert read({}, tmp_path) == PipConfig(wanted, "/etc/ca.pem")


def test_the_environment_wins_over_a_named_file_and_that_over_the_users(tmp_path: Path) -> None:
    write(tmp_path / ".pip/pip.conf", "[global]\nindex-url = https://user.example/simple\n")
    named = write(tmp_path / "named.conf", "[install]\nindex_url = https://named.example/simple\n")
    assert read({"PIP_CONFIG_FILE": str(named)}, tmp_path).indexes == ("https://named.example/simple",)
    environ = {"PIP_CONFIG_FILE": str(named), "PIP_INDEX_URL": "https://environ.example/simple"}
    assert read(environ, tmp_path).indexes == ("https://environ.example/simple",)


def test_a_null_file_means_no_file_at_all(tmp_path: Path) -> None:
    write(tmp_path / ".pip/pip.conf", "[global]\nindex-url = https://user.example/simple\n")
    assert read({"PIP_CONFIG_FILE": "/dev/null"}, tmp_path).indexes == (PUBLIC_INDEX,)


def test_a_broken_file_is_no_reason_to_fail(tmp_path: Path) -> None:
    write(tmp_path / ".pip/pip.conf", "index-url without a section\n")
    assert read({}, tmp_path).indexes == (PUBLIC_INDEX,)
