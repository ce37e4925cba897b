"""The Wi-Fi lab: run a command in a virtual machine with Debian's kernel, on this machine's own files.

``python lab/qemu.py -- COMMAND …`` ends with the command's exit code. That kernel has simulated Wi-Fi radios
(``mac80211_hwsim``), netem and nf_tables; no hardware virtualisation is used, so that it is the same everywhere:
about ten times slower than this machine. What the command writes stays in the machine, except in folders given with
``--writable DIR``. What is missing is fetched first (see :mod:`lab.qemu_kit`).
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
if str(PROJECT) not in sys.path:  # run as a script
    sys.path.insert(0, str(PROJECT))

from lab import qemu_disk, qemu_init, qemu_kit  # noqa: E402
from lab.part import LabTrouble  # noqa: E402

RADIOS = 4
MISSING = 3
"""Exit code where the machine could not be started or did not come to an end."""
_CONSOLE = "console"
_CPUS = 2
_MEMORY = "2G"
_KERNEL_OPTIONS = (
    "quiet loglevel=3 panic=-1 psmouse.proto=exps audit=0 apparmor=0 nowatchdog "
    # What costs time under emulation and protects nothing here; programs at the same addresses are translated once.
    "mitigations=off nokaslr norandmaps init_on_alloc=0 rcupdate.rcu_expedited=1"
)


def is_available() -> bool:
    """Whether all that the machine is made of is at hand; :func:`lab.qemu_kit.obtain` gets it."""
    return not qemu_kit.missing(qemu_kit.find())


def run(
    command: Sequence[str],
    timeout_s: float = 300.0,
    *,
    writable: Sequence[Path] = (),
    radios: int = RADIOS,
) -> tuple[int, str]:
    """Run a command in the virtual machine, in the project's folder.

    Args:
        command: its words.
        timeout_s: how long it may take in all, the boot included.
        writable: folders of this machine that it may write; elsewhere what it writes is thrown away.
        radios: how many simulated Wi-Fi radios it has.

    Returns:
        Its exit code, and what it wrote to standard output and standard error.

    Raises:
        LabTrouble: something is missing, or the machine did not boot or end in time.
    """
    kit = qemu_kit.find()
    if lacks := qemu_kit.missing(kit):
        raise LabTrouble(f"the virtual machine lacks {', '.join(lacks)}: python lab/qemu.py gets them")
    with tempfile.TemporaryDirectory(prefix="job-", dir=kit.folder) as name:
        folder = Path(name)
        image, trees = qemu_disk.build(PROJECT, kit.guest, folder)
        results = folder / "results"
        results.mkdir()
        shared = [results, *(place.resolve() for place in writable)]
        job = qemu_init.Job(
            command=command, folder=PROJECT, environment=_environment(), modules=kit.modules,
            trees=trees, writable=shared, radios=radios,
        )  # fmt: skip
        init = folder / "init"
        init.write_text(qemu_init.script(job))
        init.chmod(0o755)
        ended = _boot(kit, init, image, shared, timeout_s)
        said = _read(results / "modules") + _read(results / "output")
        if not (results / "code").exists():
            how = "did not come to an end" if ended else f"did not come to an end in {timeout_s:g} s"
            console = _read(init.with_name(_CONSOLE))[-4000:]
            raise LabTrouble(f"the command {how} in the virtual machine\n{said}\n{console}")
        return int(_read(results / "code")), said


def kernel_version() -> str:
    """The version of the lab's kernel."""
    return qemu_kit.find().version


def _boot(kit: qemu_kit.Kit, init: Path, image: Path, shared: Sequence[Path], timeout_s: float) -> bool:
    """Start the machine and wait until it switches itself off; whether it did in time."""
    virtme = [
        sys.executable, "-m", "virtme.commands.run", "--kimg", str(kit.image), "--mods", "auto",
        "--disable-kvm", "--disable-microvm", "--force-9p", "--cpus", str(_CPUS), "--memory", _MEMORY,
        *(f"--rwdir={place}" for place in shared),
        "--script-sh", "true", "--show-boot-console",
        "--qemu-opts", "-cpu", "max",
        "-fsdev", "local,id=host,path=/,security_model=none,readonly=on,multidevs=remap",
        "-device", f"virtio-9p-pci,fsdev=host,mount_tag={qemu_init.HOST_TAG}",
        "-drive", f"if=virtio,format=raw,snapshot=on,file={image}",
        "-append", f"console=ttyS0 {_KERNEL_OPTIONS} init={init}",
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(kit.virtme)}
    with (
        init.with_name(_CONSOLE).open("wb") as console,
        subprocess.Popen(
            virtme, stdin=subprocess.DEVNULL, stdout=console, stderr=console, env=environment, start_new_session=True
        ) as process,
    ):
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        finally:
            _kill(process.pid)  # QEMU is its child: one session, all ours
    return True


def _kill(session: int) -> None:
    try:
        os.killpg(session, signal.SIGKILL)
    except ProcessLookupError:
        return


def _read(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("HOME", "PYTEST_DISABLE_PLUGIN_AUTOLOAD") if name in os.environ}
    path = f"{Path(sys.executable).parent}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {**kept, "PATH": path, "LANG": "C.UTF-8", "RIG_LAB": "virtual machine"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line says, and end with its exit code."""
    parser = argparse.ArgumentParser(prog="python lab/qemu.py", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--timeout", type=float, default=300.0, metavar="SECONDS", help="for all of it")
    parser.add_argument("--writable", type=Path, action="append", default=[], metavar="DIR")
    parser.add_argument("--radios", type=int, default=RADIOS)
    parser.add_argument("command", nargs="+", metavar="COMMAND")
    asked = parser.parse_args(arguments)
    try:
        version = qemu_kit.obtain().version
        code, said = run(asked.command, asked.timeout, writable=asked.writable, radios=asked.radios)
    except LabTrouble as trouble:
        print(f"lab: {trouble}", file=sys.stderr)
        return MISSING
    print(said, end="")
    print(f"lab: exit code {code} of {shlex.join(asked.command)} on Linux {version} (QEMU)", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
