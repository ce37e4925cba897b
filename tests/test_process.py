"""How a process of a bench starts and ends, with a real child."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

CHILD = """

from rig.process import main_config
started = main_config()
started.ready(port=started.config["port"], name=started.config["name"])
print("stopped" if started.stop.wait(20) else "still waiting", flush=True)
"""

WAKING_CHILD = """
import select
from rig.process import main_config, wake_on_signal
started = main_config()
wake = wake_on_signal()
started.ready()
readable, _, _ = select.select([wake], [], [], 20)
print("woken" if readable else "slept on", started.stop.wait(5), flush=True)
"""


class Child:
    def __init__(self, folder: Path, program: str = CHILD) -> None:
        config = folder / "child.json"
        config.write_text(json.dumps({"name": "child", "port": 4711}))
        self.reader, writer = os.pipe()
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, "--config", str(config), "--ready-fd", str(writer)],
            pass_fds=[writer],
            stdout=subprocess.PIPE,
            text=True,
        )
        os.close(writer)

    def ready_line(self) -> str:
        """All that the child says on its ready descriptor: up to the end, which is its own close."""
        with os.fdopen(self.reader) as pipe:
            return pipe.read()

    def last_words(self) -> str:
        words, _ = self.process.communicate(timeout=10)
        return words.strip()


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child]:
    child = Child(tmp_path)
    yield child
    if child.process.poll() is None:
        child.process.kill()
    child.process.communicate()


def test_ready_is_one_line_of_json_and_then_the_end(child: Child) -> None:
    line = child.ready_line()
    assert line.count("\n") == 1
    assert json.loads(line) == {"ready": True, "port": 4711, "name": "child"}
    assert child.process.poll() is None, "the descriptor is closed although the process lives on"


def test_sigterm_asks_it_to_stop(child: Child) -> None:
    child.ready_line()
    began = time.monotonic()
    child.process.send_signal(signal.SIGTERM)
    assert child.last_words() == "stopped"
    assert child.process.returncode == 0
    assert time.monotonic() - began < 5


def test_ctrl_c_does_not_reach_it(child: Child) -> None:
    child.ready_line()
    child.process.send_signal(signal.SIGINT)
    assert child.process.stdout is not None
    assert not select.select([child.process.stdout], [], [], 0.2)[0], "it ended, or said something"
    child.process.send_signal(signal.SIGTERM)
    assert child.last_words() == "stopped"


def test_a_child_that_dies_before_it_is_ready_ends_the_pipe_without_a_line(tmp_path: Path) -> None:
    child = Child(tmp_path, "raise SystemExit(3)")
    assert child.ready_line() == ""
    child.last_words()
    assert child.process.returncode == 3


def test_a_loop_that_waits_for_packets_is_woken_by_sigterm(tmp_path: Path) -> None:
    child = Child(tmp_path, WAKING_CHILD)
    child.ready_line()
    child.process.send_signal(signal.SIGTERM)
    assert child.last_words() == "woken True"


def test_without_a_descriptor_ready_is_silent(tmp_path: Path) -> None:
    config = tmp_path / "child.json"
    config.write_text(json.dumps({"name": "child", "port": 1}))
    program = "from rig.process import main_config; main_config().ready(); print('fine')"
    done = subprocess.run(
        [sys.executable, "-c", program, "--config", str(config)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "fine\n"
