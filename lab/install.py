"""Gets what the lab's parts need of the system: by apt, as root or by a sudo that asks for no password."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence

from lab.part import Need

_APT = ("apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300")


def missing_packages(needs: Iterable[Need]) -> list[str]:
    """Debian's packages that bring what is not there."""
    return sorted({need.package for need in needs if not need.is_there()})


def install(packages: Sequence[str]) -> str:
    """Install packages. Returns why they could not be; empty where they were."""
    by_hand = f"install them: apt-get install {' '.join(packages)} (Debian's names)"
    if shutil.which("apt-get") is None:
        return f"there is no apt-get here; {by_hand}"
    if (as_root := _as_root()) is None:
        return f"that needs root, or sudo without a password; {by_hand}"
    print(f"lab: installing {', '.join(packages)}", flush=True)
    for arguments in (("update",), ("install", "-y", "--no-install-recommends", *packages)):
        done = subprocess.run(
            [*as_root, *_APT, *arguments], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
        if done.returncode:
            return f"apt-get {arguments[0]} failed: {(done.stdout + done.stderr).strip()[-500:]}"
    return ""


def _as_root() -> tuple[str, ...] | None:
    """What goes before a command for root to run it; ``None``: nothing does."""
    if os.geteuid() == 0:
        return ("env", "DEBIAN_FRONTEND=noninteractive")
    sudo = shutil.which("sudo")
    if sudo is None or subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode:
        return None
    return (sudo, "-n", "env", "DEBIAN_FRONTEND=noninteractive")
