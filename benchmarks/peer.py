"""iso8583sim doing the host's codec work, as a peer to measure beside: parse a request, build an answer.

It is AGPL and so is never imported by the rig: it lives in an environment of its own under ``.cache``, made at first
use, and is run as a program there.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from rig.wire.iso8583 import ASCII87, Message

PLACE = Path(__file__).resolve().parent.parent / ".cache/iso8583sim"
VERSION = "iso8583sim"
_PROGRAM = """
import json, sys, time
from iso8583sim.core.builder import ISO8583Builder
from iso8583sim.core.parser import ISO8583Parser
from iso8583sim.core.types import ISO8583Message
told = json.load(sys.stdin)
parser, builder = ISO8583Parser(), ISO8583Builder()
fields = {int(n): v for n, v in told["answer"].items()}
parsed = parser.parse(told["request"])
assert parsed.fields[11] == told["stan"], parsed
rounds = 5000
began = time.process_time()
for _ in range(rounds):
    parser.parse(told["request"])
    builder.build(ISO8583Message(mti="0210", fields=dict(fields)))
print(rounds / (time.process_time() - began))
"""


def peer_rate(request: Message, answer: Message) -> int | str:
    """Its round trips a second; in words why there is no figure where it cannot be had."""
    try:
        python = _environment()
        told = {
            "request": ASCII87.encode(request).decode(),
            "stan": request.text(11),
            "answer": {str(number): value for number, value in answer.fields.items()},
        }
        ran = subprocess.run(
            [python, "-c", _PROGRAM], input=json.dumps(told), capture_output=True, text=True, check=True
        )
    except (subprocess.CalledProcessError, OSError) as error:
        detail = getattr(error, "stderr", "") or str(error)
        return f"not measured: {detail.strip().splitlines()[-1][:160]}"
    return round(float(ran.stdout))


def _environment() -> str:
    python = PLACE / "bin/python"
    if not (PLACE / ".ready").exists():
        subprocess.run([sys.executable, "-m", "venv", str(PLACE)], check=True, capture_output=True, text=True)
        install = [str(python), "-m", "pip", "install", "-q", VERSION]
        subprocess.run(install, check=True, capture_output=True, text=True)
        (PLACE / ".ready").touch()
    return str(python)
