"""How many sales a second the host takes on one core, each on the disk before its answer leaves.

50 tills on kept TLS connections (a process on another core) against the host (on one core of its own). In the same run:
what pyiso8583 alone takes to decode such a request and encode such an answer, and what iso8583sim takes for the same
messages, in an environment of its own. Memory is read at the start, at a tenth and at the end.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import iso8583
from iso8583.specs import default_ascii

from benchmarks.acquirer_load import MID, TID, sale
from benchmarks.peer import peer_rate
from rig.acquirer.authority import HOST_NAME
from rig.history import Redactor, TestRange
from rig.history.redaction import luhn_valid
from rig.wire.iso8583 import ASCII87, Message

CONNECTIONS, SALES, WARM_UP = 50, 200_000, 2_000
LIMIT, LIMIT_P99_MS = 3000, 100
ROUNDS = 20_000


def card_number() -> str:
    body = "476173900000000"
    return next(body + str(digit) for digit in range(10) if luhn_valid(body + str(digit)))


class HostUnderLoad:
    """The host process on a core of its own, in a folder of its own."""

    def __init__(self, root: Path, core: int | None) -> None:
        self.root = root
        for folder in ("runtime", "journals", "state", "cards"):
            (root / folder).mkdir(mode=0o700)
        Redactor.with_new_key([TestRange("476173")]).save(root / "redaction.json")
        (root / "cards/card.yaml").write_text(
            f'{{name: card, pan: "{card_number()}", psn: "01", expiry: "3912", bank: north, kind: credit, '
            'service_code: "101", applications: [{scheme: visa}], account: {limit: 10000000000}}'
        )
        config = {
            "name": "acquirer", "runtime": str(root / "runtime"), "journals": str(root / "journals"),
            "redaction": str(root / "redaction.json"), "listen": ["127.0.0.1"], "port": 0, "tls": True,
            "state": str(root / "state"), "cards": str(root / "cards"), "currency": "EUR", "terminals": {TID: MID},
            "ledger": str(root / "ledger.sqlite"),
        }  # fmt: skip
        (root / "acquirer.json").write_text(json.dumps(config))
        read_end, write_end = os.pipe()
        command = [sys.executable, "-m", "rig.acquirer.serve", "--config", str(root / "acquirer.json")]
        self.process = subprocess.Popen([*command, "--ready-fd", str(write_end)], pass_fds=[write_end])
        os.close(write_end)
        with os.fdopen(read_end) as ready:
            self.port = int(json.loads(ready.readline())["port"])
        if core is not None:
            os.sched_setaffinity(self.process.pid, {core})

    def load(self, sales: int, core: int | None) -> dict[str, float]:
        """So many sales as fast as they go; what the load measured."""
        command = [
            sys.executable,
            "-m",
            "benchmarks.acquirer_load",
            str(self.port),
            str(self.root / "state/pki/ca.pem"),
        ]
        command += [HOST_NAME, str(CONNECTIONS), str(sales), card_number()]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as load:
            assert load.stdin is not None
            assert load.stdout is not None
            if core is not None:
                os.sched_setaffinity(load.pid, {core})
            load.stdout.readline()
            load.stdin.write("\n")
            load.stdin.flush()
            told: dict[str, float] = json.loads(load.stdout.readline())
        return told

    @property
    def cpu_s(self) -> float:
        """Processor time so far, seconds."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def memory_kib(self) -> int:
        """Resident memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(20)


def bare_rate() -> float:
    """Round trips a second of pyiso8583 alone: a request decoded, an answer encoded."""
    request = ASCII87.encode(sale(card_number(), "000001"))
    answer = {"t": "0210", **{str(n): v for n, v in answer_fields().items()}}
    began = time.process_time()
    for _ in range(ROUNDS):
        iso8583.decode(request, default_ascii)
        iso8583.encode(dict(answer), default_ascii)
    return ROUNDS / (time.process_time() - began)


def answer_fields() -> dict[int, str]:
    """An answer as the host gives it."""
    request = sale(card_number(), "000001")
    echoed = {number: request.text(number) for number in (3, 4, 7, 11, 12, 13, 41, 42, 49, 60)}
    return echoed | {37: "632712000001", 38: "A00001", 39: "00"}


def measure(sales: int = SALES) -> list[dict[str, Any]]:
    """One line: the host's rate, its latencies, its memory, and the two rates beside it."""
    cores = sorted(os.sched_getaffinity(0))
    host_core, load_core = (cores[0], cores[1]) if len(cores) > 1 else (None, None)
    with tempfile.TemporaryDirectory(prefix="rig-acquirer-") as folder:
        host = HostUnderLoad(Path(folder), host_core)
        try:
            host.load(min(WARM_UP, sales), load_core)
            memory = [host.memory_kib]
            first = host.load(sales // 10, load_core)
            memory.append(host.memory_kib)
            bare, cpu = bare_rate(), host.cpu_s
            told = host.load(sales - sales // 10, load_core)
            cpu = host.cpu_s - cpu
            memory.append(host.memory_kib)
        finally:
            host.end()
    request, answer = Message("0200", sale(card_number(), "000001").fields), Message("0210", answer_fields())
    rate = (sales - sales // 10) / told["seconds"]
    return [
        {
            "benchmark": "acquirer",
            "sales": sales,
            "connections": CONNECTIONS,
            "sales_per_s": round(rate),
            "sales_per_s_first_tenth": round(sales // 10 / first["seconds"]),
            "limit_per_s": LIMIT,
            "host_cpu_us_per_sale": round(cpu / (sales - sales // 10) * 1e6),
            "p50_ms": round(told["p50_ms"], 1),
            "p99_ms": round(told["p99_ms"], 1),
            "limit_p99_ms": LIMIT_P99_MS,
            "pyiso8583_per_s": round(bare),
            "iso8583sim_per_s": peer_rate(request, answer),
            "of_pyiso8583": round(rate / bare, 3),
            "memory_mib": [round(each / 1024, 1) for each in memory],
        }
    ]


if __name__ == "__main__":
    for line in measure(*(int(each) for each in sys.argv[1:2])):
        print(json.dumps(line))
