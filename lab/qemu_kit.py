"""What the virtual machine is made of, and how to get it: programs, Debian's kernel, packages, and virtme-ng.

Only QEMU itself, a static busybox and kmod are installed on the machine. The kernel, and the programs that the guest
alone runs (hostapd and its like), are unpacked into a cache folder: nothing of theirs is configured or started here.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.install import install
from lab.part import LabTrouble

_LOCK = Path(__file__).with_name("virtme.lock")
_KERNEL = "linux-image-amd64"
"""The package that depends on the newest kernel of the release; the cloud kernel has no wireless."""
HOST_PROGRAMS: Mapping[str, str] = {
    "qemu-system-x86_64": "qemu-system-x86",
    "busybox": "busybox-static",
    "depmod": "kmod",
    "modprobe": "kmod",
    "mke2fs": "e2fsprogs",
}
"""Programs that this machine runs or lends to the guest, and their Debian packages."""
GUEST_FILES: Mapping[str, str] = {
    "usr/sbin/hostapd": "hostapd",
    "usr/sbin/wpa_supplicant": "wpasupplicant",
    "usr/sbin/iw": "iw",
    "usr/sbin/dnsmasq": "dnsmasq-base",
    "usr/sbin/nft": "nftables",
    "usr/bin/ip": "iproute2",
    "usr/sbin/tc": "iproute2",
    "usr/lib/firmware/regulatory.db": "wireless-regdb",
}
"""Files that the guest needs, and their Debian packages."""


@dataclass(frozen=True)
class Kit:
    """Where everything is.

    Attributes:
        folder: the cache folder.
        guest: a tree of files that the guest sees over this machine's own.
        kernel: the folder of the unpacked kernel package, named as its release, or None.
        virtme: a folder of Python modules, virtme-ng's.
    """

    folder: Path
    guest: Path
    kernel: Path | None
    virtme: Path

    @property
    def version(self) -> str:
        """The kernel's release, such as ``6.1.0-56-amd64``."""
        if self.kernel is None:
            raise LabTrouble("the lab has no kernel yet: python lab/qemu.py gets one")
        return self.kernel.name

    @property
    def image(self) -> Path:
        """The kernel itself."""
        return self.modules / "boot" / f"vmlinuz-{self.version}"

    @property
    def modules(self) -> Path:
        """The folder under which ``lib/modules`` lies."""
        return self.folder / "kernel" / self.version


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """The lab's folder under the user's cache (XDG Base Directory Specification)."""
    return Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pos-rig" / "lab"


def find(folder: Path | None = None) -> Kit:
    """What is there already."""
    folder = folder or cache_folder()
    kernels = sorted((folder / "kernel").glob("*/.complete"), key=lambda mark: mark.stat().st_mtime)
    return Kit(
        folder=folder,
        guest=folder / "guest",
        kernel=kernels[-1].parent if kernels else None,
        virtme=folder / f"virtme-{hashlib.sha256(_LOCK.read_bytes()).hexdigest()[:12]}",
    )


def missing(kit: Kit) -> list[str]:
    """What is not there yet, in words: Debian packages, the kernel, virtme-ng."""
    lacks = [*missing_host_packages(), *missing_guest_packages(kit)]
    lacks += [] if kit.kernel else ["Debian's kernel"]
    return lacks + ([] if kit.virtme.is_dir() else ["virtme-ng"])


def missing_host_packages() -> list[str]:
    """Packages that must be installed on this machine."""
    return sorted({package for name, package in HOST_PROGRAMS.items() if program(name) is None})


def missing_guest_packages(kit: Kit) -> list[str]:
    """Packages whose files the guest would not see."""
    roots = (Path("/"), kit.guest)
    return sorted({package for name, package in GUEST_FILES.items() if not any((r / name).exists() for r in roots)})


def program(name: str) -> str | None:
    """The path of a program of this machine, looked for in the administrator's folders too."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/bin:/bin")


def obtain() -> Kit:
    """Get what is missing, and say so line by line on standard error.

    Raises:
        LabTrouble: no apt, no root where a package must be installed, or the network is away.
    """
    kit = find()
    if not missing(kit):
        return kit
    if packages := missing_host_packages():
        why = install(packages)
        if why:
            raise LabTrouble(f"the virtual machine lacks {', '.join(packages)}: {why}")
    kit.guest.mkdir(parents=True, exist_ok=True)
    if kit.kernel is None or missing_guest_packages(kit):
        _get_packages(kit)
    if not kit.virtme.is_dir():
        _get_virtme(kit.virtme)
    return find()


def _get_packages(kit: Kit) -> None:
    """Fetch and unpack Debian packages, with fresh lists of our own: this needs no root, and installs nothing."""
    if shutil.which("apt-get") is None:
        raise LabTrouble("the lab's kernel is Debian's, and there is no apt-get here to fetch it")
    with tempfile.TemporaryDirectory(prefix="apt-", dir=kit.folder) as name:
        apt = _Apt(Path(name))
        if packages := missing_guest_packages(kit):
            _say(f"unpacking for the guest: {', '.join(packages)}")
            for deb in apt.download(packages):
                _unpack(deb, kit.guest)
            _choose_regulations(kit.guest / "usr/lib/firmware")
        if kit.kernel is None:
            _get_kernel(kit.folder, apt)


class _Apt:
    """apt with lists and caches in a folder of its own; what is installed it reads from the machine's dpkg."""

    def __init__(self, folder: Path) -> None:
        for name in ("lists/partial", "cache/archives/partial"):
            (folder / name).mkdir(parents=True)
        self._archives = folder / "cache" / "archives"
        self._options = [
            word
            for option in (
                f"Dir::State::lists={folder}/lists", f"Dir::Cache={folder}/cache", "Debug::NoLocking=1",
                "APT::Sandbox::User=", "APT::Update::Post-Invoke::=", "APT::Update::Post-Invoke-Success::=",
            )
            for word in ("-o", option)
        ]  # fmt: skip
        _run(["apt-get", "-qq", *self._options, "update"])

    def depends(self, package: str) -> str:
        """The first package that another depends on."""
        said = _run(["apt-cache", *self._options, "show", "--no-all-versions", package])
        line = next((line for line in said.splitlines() if line.startswith("Depends: ")), "")
        if not line:
            raise LabTrouble(f"apt's package {package} depends on nothing: the lab's kernel is Debian's")
        return line.split()[1].rstrip(",")

    def download(self, packages: Sequence[str]) -> list[Path]:
        """Fetch packages, and those that they need and this machine has not."""
        _run(
            ["apt-get", "-qq", "-y", "--no-install-recommends", *self._options, "--download-only", "install", *packages]
        )
        found = sorted(self._archives.glob("*.deb"))
        if not found:
            raise LabTrouble(f"dpkg says that {' '.join(packages)} are installed, but their files are not there")
        return found

    def download_one(self, package: str) -> Path:
        """Fetch one package alone."""
        _run(["apt-get", "-qq", *self._options, "download", package], folder=self._archives)
        return next(self._archives.glob(f"{package}_*.deb"))


def _unpack(deb: Path, into: Path) -> None:
    """Unpack a package as this machine's own files lie: /lib, /bin and /sbin are links into /usr."""
    with tempfile.TemporaryDirectory(prefix="rig-lab-") as name:
        _run(["dpkg", "-x", str(deb), name])
        for entry in Path(name).iterdir():
            place = into / "usr" / entry.name if entry.name in ("bin", "sbin", "lib", "lib64") else into / entry.name
            shutil.copytree(entry, place, symlinks=True, dirs_exist_ok=True)


def _choose_regulations(firmware: Path) -> None:
    """What the package's own script would do; the kernel knows the key of both variants."""
    for name in ("regulatory.db", "regulatory.db.p7s"):
        if (firmware / f"{name}-debian").exists() and not (firmware / name).exists():
            (firmware / name).symlink_to(f"{name}-debian")


def _get_kernel(folder: Path, apt: _Apt) -> None:
    package = apt.depends(_KERNEL)
    version = package.removeprefix("linux-image-")
    _say(f"unpacking the kernel {version}")
    place = folder / "kernel" / version
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    _run(["dpkg", "-x", str(apt.download_one(package)), str(place)])
    _run([str(program("depmod")), "-b", str(place), version])
    (place / ".complete").touch()


def _get_virtme(into: Path) -> None:
    _say("getting virtme-ng")
    part = into.with_name(into.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    _run([sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet", "--no-deps",
          "--require-hashes", "--target", str(part), "-r", str(_LOCK)],
         {"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"})  # fmt: skip
    part.rename(into)


def _run(command: list[str], environment: Mapping[str, str] | None = None, folder: Path | None = None) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=folder, env={**os.environ, **(environment or {})}
    )
    if done.returncode:
        raise LabTrouble(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-1500:]}")
    return done.stdout


def _say(what: str) -> None:
    print(f"lab: {what}", file=sys.stderr, flush=True)
