"""The real-kernel lab: run a command inside user-mode Linux, on this machine's own files.

``python lab/uml.py`` runs the tests that need netem (marker ``netem``) and ends with their exit code;
``python lab/uml.py -- COMMAND …`` runs something else. User-mode Linux is a kernel that is an ordinary process: it
boots in about 3 s, needs no privilege and no virtualisation, and its root file system is the host's.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
if str(PROJECT) not in sys.path:  # run as a script
    sys.path.insert(0, str(PROJECT))

from lab.part import LabTrouble  # noqa: E402

INIT = PROJECT / "lab" / "uml_init.py"
MODULES = Path("/usr/lib/uml/modules")
NEEDED = (
    "veth",
    "ifb",
    "sch_netem",
    "sch_ingress",
    "cls_matchall",
    "act_mirred",
    "sch_htb",
    "sch_fq_codel",
    "cls_flower",
    "macvlan",
)
NETEM_TESTS = (sys.executable, "-m", "pytest", "-q", "-m", "netem", "tests/bearers")
_PRIORITY = 10
MISSING = 3
"""Exit code where this machine has no user-mode Linux."""
HOW_TO_GET_IT = "user-mode Linux is not installed: apt-get install user-mode-linux (Debian, Ubuntu)"


def is_available() -> bool:
    """Whether this machine has user-mode Linux and its modules."""
    return shutil.which("linux.uml") is not None and MODULES.is_dir()


def run(command: list[str], timeout_s: float = 180.0, memory: str = "512M", punctual: bool = False) -> tuple[int, str]:
    """Run a command inside user-mode Linux, in the project's folder.

    Args:
        command: what to run.
        timeout_s: for all of it, the boot included.
        memory: of that kernel.
        punctual: for a kernel whose timers are to be exact, see :func:`_give_right_of_way`.

    Returns:
        Its exit code, and what it wrote to standard output and standard error.

    Raises:
        LabTrouble: no user-mode Linux, or it did not boot or end in time.
    """
    if not is_available():
        raise LabTrouble(HOW_TO_GET_IT)
    with tempfile.TemporaryDirectory(prefix="rig-uml-") as name:
        folder = Path(name)
        job, output, code = folder / "job.json", folder / "output", folder / "code"
        # The exit code of the kernel says nothing of the command's: results come by file.
        job.write_text(
            json.dumps(
                {
                    "command": command,
                    "folder": str(PROJECT),
                    "modules": [str(path) for path in _module_files()],
                    "output": str(output),
                    "code": str(code),
                    "environment": _environment(),
                }
            )
        )
        console = _boot(job, timeout_s, memory, punctual)
        said = output.read_text(errors="replace") if output.exists() else ""
        if not code.exists():
            raise LabTrouble(f"the command did not come to an end in user-mode Linux\n{said}\n{console[-2000:]}")
        return int(code.read_text()), said


def kernel_version() -> str:
    """The version of the lab's kernel."""
    return subprocess.run(["linux.uml", "--version"], capture_output=True, text=True, check=True).stdout.strip()


def _boot(job: Path, timeout_s: float, memory: str, punctual: bool) -> str:
    kernel = [
        "linux.uml", f"mem={memory}", "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "rw", "quiet",
        "con=null", "con0=fd:0,fd:1", "ssl=null", f"init={sys.executable}", "--", str(INIT), str(job),
    ]  # fmt: skip
    with subprocess.Popen(
        kernel, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    ) as process:
        if punctual:
            _give_right_of_way(process.pid)
        try:
            console, _ = process.communicate(timeout=timeout_s)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)  # its processes are the kernel's threads: one session, all ours
            console, _ = process.communicate()
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            raise LabTrouble(f"user-mode Linux did not end in {timeout_s:g} s\n{console.decode()[-2000:]}") from None
    return console.decode(errors="replace")


def _give_right_of_way(pid: int) -> None:
    """Let that kernel run before all else, on one processor.

    On one, because it and its processes (which it traces) take turns anyway: a turn from one processor to another
    costs four times as much.
    """
    os.sched_setaffinity(pid, {max(os.sched_getaffinity(0))})
    with contextlib.suppress(PermissionError):  # an ordinary user may not; then the machine should be idle
        os.sched_setscheduler(pid, os.SCHED_RR, os.sched_param(_PRIORITY))


def _module_files() -> list[Path]:
    folder = MODULES / kernel_version()
    found = {path.stem: path for path in folder.rglob("*.ko")}
    return [found[name] for name in NEEDED if name in found]


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTEST_DISABLE_PLUGIN_AUTOLOAD") if name in os.environ}
    return {**kept, "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1", "RIG_LAB": "user-mode Linux"}


def main() -> int:
    """Run the netem tests, or what the command line says, in the lab."""
    command = sys.argv[2:] if sys.argv[1:2] == ["--"] else [*NETEM_TESTS, *sys.argv[1:]]
    try:
        code, said = run(command)
    except LabTrouble as trouble:
        print(f"lab: {trouble}", file=sys.stderr)
        return MISSING
    print(said, end="")
    print(f"lab: exit code {code} on Linux {kernel_version()} (user-mode)", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
