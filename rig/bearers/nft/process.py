"""A long-lived ``nft -i``: commands go in, and each is known to have succeeded, failed, or not been answered.

libnftables is under the GPL and a fresh ``nft`` costs 8 ms a command; a process at arm's length costs 0.4 ms. It reads
a command a line, answers lists on its standard output and errors on its standard error, and says nothing at success
(``nft(8)``). So every command is followed by a word that is none: the complaint about that word is the end of the
answer, and what came before it is all that the command had to say.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import select
import shutil
import signal
import subprocess
import threading
import time
from typing import IO

from rig.errors import BenchTrouble, CallerMistake, DeviceGone, DeviceMute

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)
_ERROR = re.compile(r"^(?:[^\n]*?: )?Error: (?P<what>[^\n]*)", re.MULTILINE)
_CURES = (
    (re.compile("must be root|not permitted", re.IGNORECASE), "needs CAP_NET_ADMIN: run as root"),
    (
        re.compile("Protocol not supported|initialize Netlink", re.IGNORECASE),
        "the kernel has no nf_tables: modprobe nf_tables",
    ),
    (
        re.compile("not supported", re.IGNORECASE),
        "needs Linux 5.16 or newer with nf_tables for this family (NF_TABLES_INET, NF_TABLES_NETDEV)",
    ),
    (re.compile("syntax error", re.IGNORECASE), "needs nftables 1.0.1 or newer"),
)


class NftProcess:
    """One ``nft -i`` in the network namespace of the thread that starts it. Threads may share it.

    It dies with this process, however that ends: it gets SIGKILL from the kernel, and an end of file on its input.

    Raises:
        BenchTrouble: nft is not installed.
    """

    def __init__(self, timeout_s: float = 5.0) -> None:
        program = shutil.which("nft", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        if program is None:
            raise BenchTrouble("nft", "not installed", "apt-get install nftables")
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._count = 0
        self._process = _start(program)
        self.pid: int = self._process.pid

    def run(self, line: str) -> str:
        """Run one line, which is one transaction: all of its commands or none.

        Args:
            line: commands, separated by ``;``.

        Returns:
            What it answered; empty for a command that lists nothing.

        Raises:
            CallerMistake: more than one line, or one that is continued.
            BenchTrouble: nft or the kernel refused; tells what, and nothing of the line was done.
            DeviceMute: no answer in time. The process is ended then, for what it did is unknown.
            DeviceGone: the process has ended.
        """
        if not line.isprintable() or line.rstrip().endswith("\\"):
            # A line that is continued would swallow the word that ends it.
            raise CallerMistake("nft", f"{_shorten(line)!r} is not one line of text", "separate commands by semicolons")
        with self._lock:
            self._count += 1
            said = self._exchange(line, f"pos-rig-end-{self._count}")
        if error := _ERROR.search(said):
            raise BenchTrouble("nft", f"refused {_shorten(line)!r}: {error['what']}", cure_of(said))
        return said

    def close(self) -> None:
        """End the process, and with it every table that it owns."""
        with contextlib.suppress(OSError):
            self._input.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)
        self._process.kill()
        self._process.wait()
        self._output.close()

    def _exchange(self, line: str, end: str) -> str:
        if self._process.poll() is not None:
            raise self._gone(b"")
        try:
            self._input.write(f"{line}\n{end}\n".encode())
        except OSError:
            raise self._gone(b"") from None
        # The complaint: a line with the error, the line complained of, and one that points into it.
        complaint = re.compile(rf"[^\n]*Error: [^\n]*\n[^\n]*{end}[^\n]*\n[ \t~^]*\n".encode())
        deadline = time.monotonic() + self._timeout_s
        said = b""
        while not (found := complaint.search(said)):
            readable, _, _ = select.select([self._output], [], [], max(0.0, deadline - time.monotonic()))
            if not readable:
                self._process.kill()
                raise DeviceMute("nft", f"no answer to {_shorten(line)!r} in {self._timeout_s:g} s", "nft list ruleset")
            chunk = os.read(self._output.fileno(), 65536)
            if not chunk:
                raise self._gone(said)
            said += chunk
        return said[: found.start()].decode(errors="replace")

    def _gone(self, said: bytes) -> BenchTrouble:
        text = (said + self._rest()).decode(errors="replace").strip()
        what = text.splitlines()[0] if text else "no word of why"
        return DeviceGone(
            "nft", f"its process ended: {what}", cure_of(text) or "its tables are gone with it; start again"
        )

    def _rest(self) -> bytes:
        """What it said before it ended, as far as it is there at once."""
        said = b""
        while select.select([self._output], [], [], 0.2)[0] and (chunk := os.read(self._output.fileno(), 65536)):
            said += chunk
        return said

    @property
    def _input(self) -> IO[bytes]:
        assert self._process.stdin is not None
        return self._process.stdin

    @property
    def _output(self) -> IO[bytes]:
        assert self._process.stdout is not None
        return self._process.stdout


def cure_of(said: str) -> str:
    """What usually helps against a complaint of nft."""
    return next((cure for pattern, cure in _CURES if pattern.search(said)), "")


def _start(program: str) -> subprocess.Popen[bytes]:
    """Start nft on a thread that lives as long as it.

    The kernel's death signal comes when the *thread* ends that started the process (``prctl(2)``), and callers come
    from threads that live for one call only. A new thread is in the network namespace of the one that made it.
    """
    started: list[subprocess.Popen[bytes]] = []
    trouble: list[OSError] = []
    known = threading.Event()
    parent = os.getpid()

    def die_with_parent() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)  # it died before the signal was asked for

    def keep() -> None:
        try:
            process = subprocess.Popen(
                [program, "-i"],
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                # Nowhere to keep the history of an interactive session; and no translation.
                env={"PATH": os.environ.get("PATH", ""), "HOME": "/dev/null", "LC_ALL": "C"},
                start_new_session=True,
                preexec_fn=die_with_parent,
            )
        except OSError as error:
            trouble.append(error)
            known.set()
            return
        started.append(process)
        known.set()
        process.wait()

    threading.Thread(target=keep, name="nft", daemon=True).start()
    known.wait()
    if trouble:
        raise BenchTrouble("nft", f"cannot be started: {trouble[0].strerror}", "apt-get install --reinstall nftables")
    return started[0]


def _shorten(line: str) -> str:
    return line if len(line) <= 160 else line[:157] + "…"
