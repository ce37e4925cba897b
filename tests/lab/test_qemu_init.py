"""The virtual machine's first process: a script that a shell accepts, whatever the words of the command are."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from lab.qemu_disk import Tree
from lab.qemu_init import Job, script


def job(command: list[str], radios: int = 4) -> Job:
    return Job(
        command=command, folder=Path("/pro ject"), environment={"PATH": "/bin:/usr/bin", "LANG": "C.UTF-8"},
        modules=Path("/cache/kernel"), trees=[Tree(Path("/pro ject"), "tree0")],
        writable=[Path("/cache/job/results"), Path("/out")], radios=radios,
    )  # fmt: skip


@pytest.mark.parametrize(
    "words", [["true"], ["sh", "-c", "exit 7; echo '\"$x\" `date`'"], ["printf", "%s|", "a b", "*", "$HOME", "\n"]]
)
def test_the_command_reaches_the_shell_as_it_is(words: list[str], tmp_path: Path) -> None:
    text = script(job(words))
    subprocess.run(["sh", "-n"], input=text, text=True, check=True)
    begin = text.index("/usr/bin/env -i")
    line = text[begin : text.index(" </dev/null", begin)]
    here = subprocess.run(["sh", "-c", line], capture_output=True, text=True)
    straight = subprocess.run(words, capture_output=True, text=True, env={"PATH": "/bin:/usr/bin", "LANG": "C.UTF-8"})
    assert (here.returncode, here.stdout) == (straight.returncode, straight.stdout)


def test_folders_are_mounted_where_they_are_here() -> None:
    text = script(job(["true"]))
    assert "mount --bind /run/disk/tree0 '/run/new/pro ject'" in text
    assert "virtme.initmount0 /run/new/cache/job/results" in text
    assert "virtme.initmount1 /run/new/out" in text


def test_radios_are_as_many_as_asked_for() -> None:
    assert "mac80211_hwsim radios=3" in script(job(["true"], radios=3))
    assert "mac80211_hwsim" not in script(job(["true"], radios=0))


def test_the_code_appears_whole_or_not_at_all_and_the_machine_goes_off() -> None:
    lines = script(job(["true"])).splitlines()
    assert "mv /cache/job/results/code.part /cache/job/results/code" in lines[-3]
    assert lines[-1] == "$b poweroff -f"
