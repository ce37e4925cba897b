"""Processes of a bench, started for real: ready, dead at once, or mute."""

from __future__ import annotations

import gc
import os
import signal
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rig.bench.spawn import MARK, Program, Running, spawn, write_private
from rig.errors import DeviceGone, DeviceMute

MODULES = {
    "good": """
        from rig.process import main_config
        started = main_config()
        started.ready(port=started.config["port"])
        started.stop.wait()
        print("ended in good order")
    """,
    "dies": """
        print("looking for the device")
        raise OSError("no device at /dev/nowhere")
    """,
    "dies_without_a_word": """
        raise SystemExit(4)
    """,
    "mute": """
        from rig.process import main_config
        main_config().stop.wait()
    """,
    "stubborn": """
        import signal, threading
        from rig.process import main_config
        started = main_config()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        started.ready()
        threading.Event().wait()
    """,
    "telling": """
        import os
        from rig.process import main_config
        started = main_config()
        started.ready(mark=os.environ["RIG_BENCH"], session=os.getsid(0) == os.getpid(), input=os.read(0, 10).decode())
        started.stop.wait()
    """,
}

Start = Callable[..., Running]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Start one of the modules above."""
    for name, text in MODULES.items():
        lines = [line.removeprefix("        ") for line in text.strip("\n").splitlines()]
        (tmp_path / f"rigtest_{name}.py").write_text("\n".join(lines))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    started: list[Running] = []

    def run(module: str, **settings: Any) -> Running:
        program = Program("device", f"rigtest_{module}", settings)
        started.append(spawn(program, tmp_path, tmp_path, tmp_path / "state"))
        return started[-1]

    yield run
    for running in started:
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait()


def soon() -> float:
    return time.monotonic() + 20


def test_a_process_is_ready_when_it_says_so(start: Start) -> None:
    running = start("good", port=4711)
    running.wait_until_ready(soon())
    assert running.info == {"ready": True, "port": 4711}
    assert running.end() == 0
    assert running.log.read_text() == "ended in good order\n"


def test_a_process_that_dies_at_once_is_gone_with_its_last_words(start: Start, tmp_path: Path) -> None:
    with pytest.raises(DeviceGone) as caught:
        start("dies").wait_until_ready(soon())
    assert caught.value.device == "device"
    assert caught.value.what == "ended at its start: OSError: no device at /dev/nowhere"
    assert caught.value.cure == f"see {tmp_path}/device.log"


def test_a_process_that_dies_without_a_word_is_gone_too(start: Start) -> None:
    running = start("dies_without_a_word")
    with pytest.raises(DeviceGone, match="device: ended at its start: it said nothing"):
        running.wait_until_ready(soon())
    assert running.end() == 4


def test_a_process_that_is_never_ready_is_mute(start: Start) -> None:
    running = start("mute")
    began = time.monotonic()
    with pytest.raises(DeviceMute, match=r"device: not ready in time \(see .*device\.log\)"):
        running.wait_until_ready(time.monotonic() + 0.3)
    assert time.monotonic() - began < 2
    assert running.process.poll() is None


def test_whoever_does_not_end_when_asked_is_ended(start: Start) -> None:
    running = start("stubborn")
    running.wait_until_ready(soon())
    assert running.end(grace_s=0.1) == -signal.SIGKILL


def test_an_end_leaves_no_descriptor_open(start: Start) -> None:
    def descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - counts, and a Path would open one more

    gc.collect()  # what earlier tests left open is closed now, and not in between
    before = descriptors()
    for module in ("good", "dies", "mute"):
        running = start(module, port=1)
        if module == "mute":
            with pytest.raises(DeviceMute):
                running.wait_until_ready(time.monotonic() + 0.01)
        elif module == "dies":
            with pytest.raises(DeviceGone):
                running.wait_until_ready(soon())
        else:
            running.wait_until_ready(soon())
        running.end(grace_s=5)
    assert descriptors() == before


def test_a_process_has_the_benchs_mark_a_session_of_its_own_and_no_input(start: Start, tmp_path: Path) -> None:
    running = start("telling")
    running.wait_until_ready(soon())
    assert running.info == {"ready": True, "mark": str(tmp_path / "state"), "session": True, "input": ""}
    assert f"{MARK}={tmp_path / 'state'}".encode() in Path(f"/proc/{running.process.pid}/environ").read_bytes()


def test_the_settings_of_a_process_are_its_owners_alone(start: Start, tmp_path: Path) -> None:
    start("mute", secret="key")
    assert stat.S_IMODE((tmp_path / "device.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("durable", [False, True])
def test_a_private_file_is_written_anew(tmp_path: Path, durable: bool) -> None:
    path = tmp_path / "file"
    write_private(path, "a long text", durable=durable)
    write_private(path, "short", durable=durable)
    assert path.read_text() == "short"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
