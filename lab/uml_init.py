"""The first process inside user-mode Linux: mounts, loads modules, runs one command, writes its code, halts.

Started by ``lab/uml.py`` as init, with the path of a job file. It needs nothing but Python: no kmod, no shell.
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)
_SYS_FINIT_MODULE = 313  # x86-64, the one architecture of user-mode Linux that distributions build
_POWER_OFF = 0x4321FEDC


def main() -> None:
    """Do the job, and halt whatever happens."""
    try:
        for kind, place in (("proc", "/proc"), ("sysfs", "/sys"), ("tmpfs", "/run")):
            _libc.mount(kind.encode(), place.encode(), kind.encode(), 0, None)
        Path("/dev/pts").mkdir(exist_ok=True)  # a virtual bench has its serial lines there
        _libc.mount(b"devpts", b"/dev/pts", b"devpts", 0, b"ptmxmode=0666")
        job = json.loads(Path(sys.argv[1]).read_text())
        trouble = [_load(Path(path)) for path in job["modules"]]
        with Path(job["output"]).open("w") as output:
            output.write("".join(trouble))
            output.flush()
            done = subprocess.run(
                job["command"], cwd=job["folder"], env=job["environment"],
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, check=False,
            )  # fmt: skip
        Path(job["code"]).write_text(str(done.returncode))
    finally:
        os.sync()
        _libc.reboot(_POWER_OFF)


def _load(module: Path) -> str:
    with module.open("rb") as file:
        if _libc.syscall(_SYS_FINIT_MODULE, file.fileno(), b"", 0):
            return f"module {module.name}: {os.strerror(ctypes.get_errno())}\n"
    return ""


if __name__ == "__main__":
    main()
