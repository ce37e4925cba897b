"""The foreign card reader `emv` (https://pypi.org/project/emv), and pyscard for ours, in the lab's cache folder."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from lab.part import LabTrouble
from lab.qemu_kit import cache_folder

_LOCK = Path(__file__).with_name("cards.lock")
_PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet")


@dataclass(frozen=True)
class CardsKit:
    """Folders of Python modules.

    Attributes:
        emv: with everything of the lock file; a Python that has it on its path is a foreign reader.
        pyscard: with pyscard alone, which disturbs nothing that the rig needs.
    """

    emv: Path
    pyscard: Path


def obtain() -> CardsKit:
    """The folders, filled now where they are not there yet.

    Raises:
        LabTrouble: the package index is away, or pyscard cannot be built.
    """
    locked = hashlib.sha256(_LOCK.read_bytes()).hexdigest()[:12]
    folder = cache_folder() / f"cards-{sys.version_info.major}.{sys.version_info.minor}-{locked}"
    kit = CardsKit(folder / "emv", folder / "pyscard")
    if not folder.is_dir():
        print("lab: getting the foreign card reader", flush=True)
        part = folder.with_name(folder.name + ".part")
        shutil.rmtree(part, ignore_errors=True)
        _install(part / "emv")
        (part / "pyscard").mkdir()
        (part / "pyscard" / "smartcard").symlink_to("../emv/smartcard")
        part.rename(folder)
    return kit


def _install(into: Path) -> None:
    into.mkdir(parents=True)
    command = [*_PIP, "--no-deps", "--require-hashes", "--target", str(into), "-r", str(_LOCK)]
    environment = {**os.environ, "PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise LabTrouble(f"the foreign card reader could not be installed: {(done.stdout + done.stderr)[-1500:]}")
