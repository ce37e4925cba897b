"""Where a bench keeps things, and who may look."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from rig.bench.places import StateDirectory, new_run_folder, new_runtime_folder
from rig.errors import CallerMistake


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_state_directory_is_where_rig_state_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIG_STATE", str(tmp_path / "deep" / "state"))
    state = StateDirectory.of("virtual")
    assert state.root == tmp_path / "deep" / "state" / "virtual"
    assert mode(state.root) == 0o700


def test_without_it_the_users_state_home_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RIG_STATE", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    assert StateDirectory.of("virtual").root == tmp_path / "xdg/pos-rig/virtual"
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert StateDirectory.of("virtual").root == tmp_path / "home/.local/state/pos-rig/virtual"


def test_each_bench_has_a_state_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIG_STATE", str(tmp_path))
    assert StateDirectory.of("one").root != StateDirectory.of("two").root


def test_a_state_directory_that_others_could_enter_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIG_STATE", str(tmp_path))
    (tmp_path / "virtual").mkdir(mode=0o755)
    assert mode(StateDirectory.of("virtual").root) == 0o700


def test_a_relative_state_directory_is_the_same_from_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Every process of a bench is marked with it.
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RIG_STATE", "state")
    assert StateDirectory.of("virtual").root == tmp_path / "state/virtual"


def test_a_state_directory_that_cannot_be_made_is_named_with_the_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("RIG_STATE", str(tmp_path / "file"))
    with pytest.raises(CallerMistake, match=r"file/virtual: no state directory: Not a directory \(set RIG_STATE to"):
        StateDirectory.of("virtual")


@pytest.mark.parametrize("where", ["RIG_STATE", "nowhere"])
def test_a_user_without_a_home_needs_rig_state(tmp_path: Path, where: str) -> None:
    """As in a container that runs under a user id that no password file knows."""
    program = (
        "import os, pwd\n"
        "pwd.getpwuid = lambda uid: (_ for _ in ()).throw(KeyError(uid))\n"
        "from rig.bench.places import StateDirectory\n"
        "from rig.errors import CallerMistake\n"
        "try:\n    print(StateDirectory.of('virtual').root)\n"
        "except CallerMistake as error:\n    print(error.cure)\n"
    )
    environment = {"PATH": os.environ["PATH"]} | ({"RIG_STATE": str(tmp_path)} if where == "RIG_STATE" else {})
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    expected = f"{tmp_path}/virtual" if where == "RIG_STATE" else "set RIG_STATE to a folder of your own"
    assert done.stdout.strip() == expected


def test_a_runtime_folder_is_fresh_private_and_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    longest = "a" * 41
    for base in (None, tmp_path / ("deep" * 20)):
        if base is None:
            monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
        else:
            base.mkdir()
            monkeypatch.setenv("XDG_RUNTIME_DIR", str(base))
            monkeypatch.setattr(tempfile, "gettempdir", lambda base=base: str(base))
        one, two = new_runtime_folder(longest), new_runtime_folder(longest)
        assert one != two
        assert mode(one) == 0o700
        assert len(str(one / "attenuator.sock")) <= 107, "unix(7): the path of a socket has at most 107 bytes"
        one.rmdir()
        two.rmdir()


def test_a_runtime_folder_lies_where_the_system_says(tmp_path_factory: pytest.TempPathFactory) -> None:
    base = Path(tempfile.mkdtemp(dir="/tmp"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(base))
        folder = new_runtime_folder("virtual")
    assert folder.parent == base
    folder.rmdir()
    base.rmdir()


def test_runs_that_begin_in_the_same_second_have_folders_of_their_own(tmp_path: Path) -> None:
    folders = [new_run_folder(tmp_path / "reports", "virtual") for _ in range(5)]
    assert len(set(folders)) == 5
    assert all(folder.parent == tmp_path / "reports/runs" and "virtual" in folder.name for folder in folders)


def test_a_place_that_can_keep_no_run_is_named(tmp_path: Path) -> None:
    (tmp_path / "reports").touch()
    with pytest.raises(CallerMistake, match=r"reports: no run can be kept here: Not a directory"):
        new_run_folder(tmp_path / "reports", "virtual")
