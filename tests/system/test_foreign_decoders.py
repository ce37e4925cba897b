"""Wireshark reads what really went over a run's wires: ZVT as it was, ISO 8583 from a temporary decrypted export."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import dpkt as untyped_dpkt
import pytest

from rig.wire.tpdu import FrameReader
from tests.system.rigs import Rig
from tests.wire.iso8583_capture import read_iso8583, write_iso8583_capture

dpkt: Any = untyped_dpkt
CASES = "approve or void or decline or end_of_day or (silent and wifi)"
TYPES = {"0200", "0210", "0400", "0410", "0500", "0510", "0800", "0810"}

pytestmark = pytest.mark.skipif(
    shutil.which("tshark") is None, reason="tshark is not installed (apt-get install tshark)"
)


def tshark(*arguments: str) -> str:
    return subprocess.run(["tshark", *arguments], check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The capture of a run, and the TLS keys of its host, which no run ever keeps."""
    folder = tmp_path_factory.mktemp("decoders")
    keys = folder / "tls-keys"
    rig = Rig.make(folder)
    rig.environment["SSLKEYLOGFILE"] = str(keys)
    code, _ = rig.run(CASES)
    assert code == 0
    run = rig.newest_run()
    assert run is not None
    assert not [p for p in run.rglob("*") if p.is_file() and b"CLIENT_TRAFFIC_SECRET" in p.read_bytes()]
    return run / "wire.pcapng", keys


def test_zvt(capture: tuple[Path, Path]) -> None:
    packets, _ = capture
    zvt = ["-r", str(packets), "-d", "tcp.port==20007,zvt"]
    assert len(tshark(*zvt, "-Y", "zvt").splitlines()) > 100
    complaints = "zvt && (_ws.malformed || _ws.expert.severity >= 0x600000)"
    assert tshark(*zvt, "-Y", complaints, "-V") == ""


def test_iso8583(capture: tuple[Path, Path], tmp_path: Path) -> None:
    packets, keys = capture
    bodies = decrypted(packets, keys)
    assert len(bodies) >= 20
    export = tmp_path / "iso8583.pcap"
    write_iso8583_capture(export, bodies)
    layers = read_iso8583(export)
    assert len(layers) == len(bodies)
    assert {layer["iso8583.mti"] for layer in layers} == TYPES
    assert "_ws.expert" not in json.dumps(layers)
    assert "malformed" not in json.dumps(layers)


def decrypted(packets: Path, keys: Path) -> list[bytes]:
    """Every message between terminal and host, without its length and its TPDU, conversation by conversation."""
    tls = ["-r", str(packets), "-d", "tcp.port==5000,tls", "-o", f"tls.keylog_file:{keys}"]
    streams = {int(line) for line in tshark(*tls, "-Y", "tls", "-T", "fields", "-e", "tcp.stream").split()}
    bodies = []
    for stream in sorted(streams):
        followed = tshark(*tls, "-q", "-z", f"follow,tls,raw,{stream}")
        for side in ("", "\t"):
            lines = [line for line in followed.splitlines() if line.startswith("\t") == (side == "\t")]
            data = b"".join(bytes.fromhex(line.strip()) for line in lines if _is_hex(line.strip()))
            bodies += [body for _, body in FrameReader().feed(data)]
    return bodies


def _is_hex(text: str) -> bool:
    return bool(text) and len(text) % 2 == 0 and all(c in "0123456789abcdef" for c in text)
