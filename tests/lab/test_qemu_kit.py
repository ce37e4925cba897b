"""What the virtual machine is made of: what is found, what is missing, and how it is unpacked."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from lab import qemu, qemu_kit
from lab.part import LabTrouble


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "pos-rig" / "lab"


def add_kernel(folder: Path, version: str, age_s: float) -> None:
    mark = folder / "kernel" / version / ".complete"
    mark.parent.mkdir(parents=True)
    mark.touch()
    os.utime(mark, (mark.stat().st_mtime - age_s,) * 2)


def test_the_cache_is_the_users(folder: Path) -> None:
    assert qemu_kit.cache_folder() == folder
    assert qemu_kit.cache_folder({}) == Path.home() / ".cache" / "pos-rig" / "lab"


def test_the_newest_whole_kernel_is_taken(folder: Path) -> None:
    add_kernel(folder, "6.1.0-50-amd64", 100)
    add_kernel(folder, "6.1.0-56-amd64", 10)
    (folder / "kernel" / "6.1.0-57-amd64").mkdir()  # unpacking was interrupted
    kit = qemu_kit.find()
    assert kit.version == "6.1.0-56-amd64"
    assert kit.image == folder / "kernel/6.1.0-56-amd64/boot/vmlinuz-6.1.0-56-amd64"
    assert "Debian's kernel" not in qemu_kit.missing(kit)


def test_what_is_missing_is_named_and_nothing_is_started(folder: Path) -> None:
    assert not qemu.is_available()
    assert {"Debian's kernel", "virtme-ng"} <= set(qemu_kit.missing(qemu_kit.find()))
    with pytest.raises(LabTrouble, match=r"lacks .*Debian's kernel"):
        qemu.run(["true"])
    with pytest.raises(LabTrouble, match="no kernel yet"):
        qemu.kernel_version()


def test_a_file_of_a_package_may_lie_here_or_in_the_guests_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qemu_kit, "GUEST_FILES", {"usr/bin/env": "coreutils", "usr/sbin/no-such": "nothing"})
    kit = qemu_kit.find()
    assert qemu_kit.missing_guest_packages(kit) == ["nothing"]
    (kit.guest / "usr/sbin").mkdir(parents=True)
    (kit.guest / "usr/sbin/no-such").touch()
    assert qemu_kit.missing_guest_packages(kit) == []


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="machine has no dpkg-deb")
def test_a_package_is_unpacked_as_the_machine_has_its_folders(tmp_path: Path) -> None:
    tree, guest = tmp_path / "tree", tmp_path / "guest"
    for name in ("DEBIAN/control", "sbin/iw", "usr/bin/tool", "lib/firmware/regulatory.db-debian", "etc/x.conf"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text("Package: x\nVersion: 1\nArchitecture: all\nMaintainer: x <x@x>\nDescription: x\n")
    subprocess.run(["dpkg-deb", "-b", str(tree), str(tmp_path / "x.deb")], check=True, capture_output=True)
    qemu_kit._unpack(tmp_path / "x.deb", guest)
    qemu_kit._choose_regulations(guest / "usr/lib/firmware")
    files = {str(path.relative_to(guest)) for path in guest.rglob("*") if path.is_file()}
    assert files == {
        "usr/sbin/iw", "usr/bin/tool", "usr/lib/firmware/regulatory.db-debian", "usr/lib/firmware/regulatory.db",
        "etc/x.conf",
    }  # fmt: skip


def test_the_lock_names_hashes() -> None:
    assert "--hash=sha256:" in Path(qemu_kit.__file__).with_name("virtme.lock").read_text()
