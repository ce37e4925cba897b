"""Rendering a run with Allure 3: one file that opens from disk. A report that cannot be rendered changes no verdict."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rig.report.node import find_node

_LIMIT_S = 120
_PROJECT = Path(__file__).resolve().parents[2]
_CURE = "run `make setup`, then `rig report RUN`; the results stay in the run's folder"


@dataclass(frozen=True)
class Rendering:
    """What became of a report.

    Attributes:
        index: the rendered file; None where there is none.
        message: for people: where it is, or why it is not and how to get it.
    """

    index: Path | None
    message: str


def find_allure() -> Path | None:
    """Allure's command-line script: beside the report configuration of this folder or of the project."""
    for folder in (Path.cwd(), _PROJECT):
        script = folder / "reports/node_modules/allure/cli.js"
        if script.is_file():
            return script
    return None


def render(run: Path, name: str, variables: Mapping[str, str], history: Path | None) -> Rendering:
    """Render ``run/allure-results`` to ``run/index.html``.

    Args:
        run: the run's folder.
        name: the report's title.
        variables: shown with the report: what took part.
        history: the file in which Allure keeps the results of earlier runs; None keeps none.
    """
    results = run.resolve() / "allure-results"
    if not results.is_dir():
        return Rendering(None, "no report: nothing ran")
    if os.environ.get("RIG_NO_RENDER"):
        return Rendering(None, f"not rendered, as RIG_NO_RENDER asks; results are in {results}")
    node, allure = find_node(), find_allure()
    if node is None or allure is None:
        missing = "Node 22 or newer" if node is None else "Allure"
        return Rendering(None, f"report not rendered: {missing} is missing; {_CURE}")
    with tempfile.TemporaryDirectory(prefix="rig-allure-") as folder:
        output = Path(folder) / "out"
        environment = {
            **os.environ,
            "PATH": node.path,
            "RIG_REPORT_NAME": name,
            "RIG_REPORT_OUTPUT": str(output),
            "RIG_REPORT_VARIABLES": json.dumps(dict(variables)),
            "ALLURE_NO_ANALYTICS": "1",
            "NO_COLOR": "1",
            **({"RIG_REPORT_HISTORY": str(history.resolve())} if history is not None else {}),
        }
        config = allure.parents[2] / "allurerc.mjs"
        command = [
            str(node.binary),
            str(allure),
            "generate",
            str(results),
            "--config",
            str(config),
            "--output",
            str(output),
        ]
        try:
            done = subprocess.run(
                command,
                env=environment,
                cwd=config.parent,
                capture_output=True,
                text=True,
                timeout=_LIMIT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return Rendering(None, f"report not rendered: {error}; {_CURE}")
        found = sorted(output.rglob("index.html"), key=lambda path: len(path.parts))
        if done.returncode or not found:
            said = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["it said nothing"]
            return Rendering(None, f"report not rendered: Allure ended with {done.returncode}: {said[0]}; {_CURE}")
        shutil.copyfile(found[0], run / "index.html")
    return Rendering(run / "index.html", f"report: {run / 'index.html'}")
