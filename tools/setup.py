"""Set the project up: ``python3 -m tools.setup``, called by make.

A virtual environment in ``.venv`` with the locked dependencies and the project itself, then Allure (and a Node for
it where the machine has none that will do). Allure may be missing: runs and verdicts do not need it.

This file must load under any Python 3, so that an old one can be told to step aside.
"""
# ruff: noqa: RUF005, UP032 - an old Python reads this file

import os
import shutil
import subprocess
import sys

OLDEST = (3, 11)
NEWER = ("python3.14", "python3.13", "python3.12", "python3.11")


def newer_python():
    # type: () -> str | None
    """A Python on the path that is new enough, asked for its version: a pyenv shim may point nowhere."""
    question = "import sys; sys.exit(sys.version_info < {!r})".format(OLDEST)
    for name in NEWER:
        found = shutil.which(name)
        if found and subprocess.call([found, "-c", question], stderr=subprocess.DEVNULL) == 0:
            return found
    return None


def step_aside():
    # type: () -> None
    """Hand over to a newer Python, or say that there is none."""
    found = newer_python()
    if found:
        os.execv(found, [found, "-m", "tools.setup"] + sys.argv[1:])
    sys.exit(
        "Set-up needs Python {}.{} or newer; {} is {}.{}.\n"
        "  Cure: install one (Debian, Ubuntu: apt install python3.11), "
        "or name it: make setup PYTHON=/path/to/python3".format(*OLDEST, sys.executable, *sys.version_info[:2])
    )


def main():
    # type: () -> None
    """Set everything up, or say in two lines what stands in the way."""
    if sys.version_info < OLDEST:
        step_aside()
    from tools.steps import SetupError, everything, renderer_only

    try:
        renderer_only() if "--renderer" in sys.argv[1:] else everything()
    except SetupError as trouble:
        sys.exit(f"Set-up failed: {trouble}")
    except KeyboardInterrupt:
        sys.exit("Set-up interrupted: run make again, it goes on from here.")


if __name__ == "__main__":
    main()
