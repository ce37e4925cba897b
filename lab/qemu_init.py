"""The first process inside the virtual machine, as a shell script: mounts, modules, one command, its exit code, off.

A shell and not Python: Python's own files lie on the disk that this mounts. Everything is busybox's but ``modprobe``.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.qemu_disk import OVER, Tree

MODULES = (
    "veth", "bridge", "ifb", "sch_netem", "sch_htb", "sch_ingress", "sch_fq_codel", "sch_prio", "sch_tbf",
    "cls_matchall", "cls_flower", "cls_u32", "act_mirred", "act_gact", "nf_tables", "nft_ct", "nft_limit",
    "nft_reject_inet", "nft_reject_ipv4", "nft_redir", "nft_masq", "nft_chain_nat", "nf_dup_netdev", "nft_fwd_netdev",
    "tun", "macvlan",
)  # fmt: skip
"""Loaded at the start. The kernel asks for the others itself, each time with a modprobe of a second."""
HOST_TAG = "host"
"""The 9p tag of this machine's files. (What the machine booted from cannot be mounted again with a cache.)"""
_DISK_MODULES = ("virtio_blk", "ext4", "crc32c_generic")
_RADIO = "mac80211_hwsim"
_CIPHERS = ("ccm", "gcm", "cmac", "ctr")


@dataclass(frozen=True)
class Job:
    """What the machine is to do.

    Attributes:
        command: its words.
        folder: where it runs.
        environment: its whole environment.
        modules: the folder that ``modprobe -d`` is given.
        trees: what lies on the disk.
        writable: folders of this machine that it may write, in the order of their 9p tags; the first is the job's own.
        radios: how many simulated Wi-Fi radios, or none.
    """

    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    modules: Path
    trees: Sequence[Tree]
    writable: Sequence[Path]
    radios: int


def script(job: Job) -> str:
    """The script. It leaves ``output`` and ``code`` in the job's own folder."""
    return "\n".join([*_HEAD, *_root(job), *_mounts(job), *_start(job), *_END, ""])


_HEAD = (
    "#!/bin/busybox sh",
    "b=/bin/busybox; v=$($b uname -r)",
    "$b mount -t proc proc /proc && $b mount -t tmpfs -o mode=755 run /run && $b mount -t sysfs sys /sys",
    "$b mount -t devtmpfs dev /dev; exec >/dev/console 2>&1; $b mkdir -p /dev/pts /dev/shm",
    "$b mount -t devpts -o mode=620,ptmxmode=666 pts /dev/pts && $b mount -t tmpfs shm /dev/shm",
)
_END = ("cd /; $b sync", "$b poweroff -f")


def _root(job: Job) -> list[str]:
    """This machine's files, read-only and cached, under what the guest writes, which is memory."""
    modprobe = f"/sbin/modprobe -d {shlex.quote(str(job.modules))} -a"
    return [
        f"{modprobe} {' '.join(_DISK_MODULES)} overlay",
        "$b mkdir -p /run/host /run/disk /run/new /run/top/up /run/top/work",
        f"$b mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=512000,cache=loose {HOST_TAG} /run/host",
        "$b mount -t ext4 /dev/vda /run/disk",
        f"layers=lowerdir=/run/disk/{OVER}:/run/host,upperdir=/run/top/up,workdir=/run/top/work",
        "$b mount -t overlay -o $layers new /run/new",
    ]


def _mounts(job: Job) -> list[str]:
    lines = [
        line
        for tree in job.trees
        for line in (f"$b mkdir -p {_new(tree.place)}", f"$b mount --bind /run/disk/{tree.name} {_new(tree.place)}")
    ]
    for number, place in enumerate(job.writable):
        lines += [
            f"$b mkdir -p {_new(place)}",
            f"$b mount -t 9p -o rw,trans=virtio,version=9p2000.L,msize=512000 virtme.initmount{number} {_new(place)}",
        ]
    modules = shlex.quote(f"{job.modules}/lib/modules/")
    return [
        *lines,
        # Where the kernel's own modprobe looks for them.
        f"$b mkdir -p /run/new/lib/modules && $b ln -sfn {modules}$v /run/new/lib/modules/$v",
        "for f in proc sys dev; do $b mount --move /$f /run/new/$f; done",
        "$b mkdir -p /run/new/run && $b mount -t tmpfs -o mode=755 run /run/new/run && $b mkdir /run/new/run/.before",
        "cd /run/new && $b pivot_root . run/.before && cd /",
    ]


def _new(place: Path) -> str:
    return shlex.quote(f"/run/new{place}")


def _start(job: Job) -> list[str]:
    own = shlex.quote(str(job.writable[0]))
    modules = [f"/sbin/modprobe -a {' '.join(MODULES)}"]
    if job.radios:
        modules += [f"/sbin/modprobe {_RADIO} radios={job.radios}", f"/sbin/modprobe -a {' '.join(_CIPHERS)}"]
    words = ["env", "-i", *(f"{name}={value}" for name, value in job.environment.items()), *job.command]
    return [
        "$b ip link set lo up; $b hostname rig-lab",
        f"{{ {'; '.join(modules)}; }} >{own}/modules 2>&1",
        f"cd {shlex.quote(str(job.folder))}",
        f"/usr/bin/{shlex.join(words)} </dev/null >{own}/output 2>&1",
        f"echo $? >{own}/code.part && $b mv {own}/code.part {own}/code",
    ]
