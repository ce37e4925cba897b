"""Anonymous network namespaces: kept alive by a file descriptor, gone with it, invisible to everyone else.

Facts: ``namespaces(7)``, ``user_namespaces(7)``, ``setns(2)``. A namespace is entered by a thread, not by a process;
so whatever must be done inside another one is done by a thread that lives no longer than that.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from rig.bearers.interface import set_up
from rig.errors import BenchTrouble, CallerMistake

_CLONE_NEWUSER, _CLONE_NEWNET = 0x1000_0000, 0x4000_0000
_libc = ctypes.CDLL(None, use_errno=True)
T = TypeVar("T")


@dataclass(frozen=True)
class Isolation:
    """How this process can get a network of its own.

    Attributes:
        way: ``root`` (CAP_NET_ADMIN and CAP_SYS_ADMIN at hand), ``user namespace`` or ``impossible``.
        reason: why not the ways before it; empty for ``root``.
        cure: what an administrator can do about it; empty where nothing is missing.
    """

    way: Literal["root", "user namespace", "impossible"]
    reason: str = ""
    cure: str = ""

    def __bool__(self) -> bool:
        return self.way != "impossible"


def can_isolate() -> Isolation:
    """Try both ways in a child process, and say which one works."""
    as_root = _trial(user_namespace=False)
    if not as_root:
        return Isolation("root")
    in_user_namespace = _trial(user_namespace=True)
    if not in_user_namespace:
        return Isolation("user namespace", as_root)
    return Isolation("impossible", f"{as_root}; {in_user_namespace}", _cure())


def unshare_network(user_namespace: bool) -> None:
    """Give this process a network of its own, in which only a loopback is, up.

    Args:
        user_namespace: also a user namespace, in which this user is root. Works without any privilege, where the
            system allows it.

    Raises:
        CallerMistake: the process has several threads; a namespace is entered by one.
        BenchTrouble: the system does not allow it; the cure names what to set.
    """
    if len(list(Path("/proc/self/task").iterdir())) > 1:
        raise CallerMistake("network namespace", "this process has several threads", "isolate before starting threads")
    uid, gid = os.getuid(), os.getgid()
    if _libc.unshare(_CLONE_NEWNET | (_CLONE_NEWUSER if user_namespace else 0)):
        what = "user and network namespace" if user_namespace else "network namespace"
        raise BenchTrouble(what, f"the kernel refused: {os.strerror(ctypes.get_errno())}", _cure())
    if user_namespace:
        _map_to_root(uid, gid)
    set_up("lo", True)


def new_namespace() -> int:
    """A fresh network namespace: a descriptor that keeps it alive. Close it, and it is gone with its interfaces.

    Raises:
        BenchTrouble: the system does not allow it.
    """

    def make() -> int:
        if _libc.unshare(_CLONE_NEWNET):
            raise BenchTrouble("network namespace", f"the kernel refused: {os.strerror(ctypes.get_errno())}", _cure())
        return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    return _in_thread(make)


def in_namespace(namespace: int, function: Callable[[], T]) -> T:
    """Run a function inside a network namespace, in a thread of its own; a process it starts lives there too.

    Raises:
        BenchTrouble: the namespace cannot be entered. And whatever the function raises.
    """

    def inside() -> T:
        _set_namespace(namespace, _CLONE_NEWNET)
        return function()

    return _in_thread(inside)


def enter_namespace(namespace: int) -> None:
    """Move the calling thread into a network namespace, for good. Fit for a child between fork and exec.

    Raises:
        BenchTrouble: the namespace cannot be entered.
    """
    _set_namespace(namespace, _CLONE_NEWNET)


def enter(pid: int) -> None:
    """Move this process into the user namespace (if it is another) and the network namespace of a process.

    Raises:
        BenchTrouble: the process is gone, or its namespaces may not be entered.
    """
    folder = Path(f"/proc/{pid}/ns")
    try:
        other_user = (folder / "user").readlink() != Path("/proc/self/ns/user").readlink()
        for name, kind in (("user", _CLONE_NEWUSER), ("net", _CLONE_NEWNET)):
            if name == "net" or other_user:
                descriptor = os.open(folder / name, os.O_RDONLY | os.O_CLOEXEC)
                try:
                    _set_namespace(descriptor, kind)
                finally:
                    os.close(descriptor)
    except OSError as error:
        raise BenchTrouble(f"process {pid}", f"its namespaces cannot be entered: {error.strerror}") from error


def _set_namespace(descriptor: int, kind: int) -> None:
    if _libc.setns(descriptor, kind):
        raise BenchTrouble("namespace", f"cannot be entered: {os.strerror(ctypes.get_errno())}", "needs CAP_SYS_ADMIN")


def _in_thread(function: Callable[[], T]) -> T:
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(function())
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            errors.append(error)

    thread = threading.Thread(target=run, name="in namespace")
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def _map_to_root(uid: int, gid: int) -> None:
    try:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
        Path("/proc/self/gid_map").write_text(f"0 {gid} 1")
    except OSError as error:
        raise BenchTrouble("user namespace", f"no mapping to root: {error.strerror}", _cure()) from error


def _trial(user_namespace: bool) -> str:
    """Isolate a child process; returns why it failed, empty where it did not."""
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        # Only this thread lives in the child: unshare_network's rule holds whatever the parent runs.
        message = ""
        try:
            unshare_network(user_namespace)
        except BaseException as error:  # noqa: BLE001 - the parent reads it
            message = str(error.args[1] if len(error.args) > 1 else error)
        os.write(tell, message.encode())
        os._exit(0)
    os.close(tell)
    with os.fdopen(told) as answer:
        message = answer.read()
    os.waitpid(child, 0)
    way = "in a user namespace" if user_namespace else "without a user namespace"
    return f"{way}: {message}" if message else ""


_SWITCHES = (
    ("/proc/sys/kernel/unprivileged_userns_clone", "0", "sysctl kernel.unprivileged_userns_clone=1"),
    ("/proc/sys/user/max_user_namespaces", "0", "sysctl user.max_user_namespaces=10000"),
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "sysctl kernel.apparmor_restrict_unprivileged_userns=0, or an AppArmor profile that allows userns",
    ),
)


def _cure() -> str:
    """What this system would have to set, as far as it can be seen."""
    for path, closed, command in _SWITCHES:
        with contextlib.suppress(OSError):
            if Path(path).read_text().strip() == closed:
                return f"run as root: {command}"
    return "run as root, or in a container with --cap-add NET_ADMIN --cap-add SYS_ADMIN"
