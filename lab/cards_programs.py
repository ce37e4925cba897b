"""The foreign programs, each called as people call it: emvtool and its library, opensc-tool, scriptor."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from lab.part import LabTrouble
from rig.cards.profile import CardProfile

PSE, PPSE = "315041592E5359532E4444463031", "325041592E5359532E4444463031"
_EMVTOOL = "import sys; from emv.command.client import run; sys.argv[0] = 'emvtool'; run()"
_TIMEOUT_S = 60


def application_names(card: CardProfile) -> list[tuple[str, str]]:
    """AID and label of each application of a profile."""
    return [(each.aid, each.label) for each in card.applications]


def _held(card: CardProfile) -> dict[str, str]:
    """What the records of every application hold, by tag: how their values begin, upper-case hex."""
    return {
        "5A": card.pan + "F" * (len(card.pan) % 2),
        "57": f"{card.pan}D{card.expiry}{card.service_code}",
        "5F24": card.expiry,
        "5F34": card.psn,
        "5F20": card.cardholder.encode().hex().upper(),
    }


class Foreign:
    """The programs, with a Python path and a folder of their own."""

    def __init__(self, emv: Path, folder: Path) -> None:
        self._environment = {**os.environ, "PYTHONPATH": str(emv)}
        self._folder = folder

    def read_all(self, card: CardProfile) -> str:
        """In what `emv`, which selects and reads every application, sees another card; empty for nothing."""
        script = Path(__file__).with_name("cards_emv.py")
        found: list[dict[str, Any]] = json.loads(self._run([sys.executable, str(script)]))
        if sorted((each["aid"], each["label"]) for each in found) != sorted(application_names(card)):
            return "other applications"
        wanted = _held(card)
        differing = [tag for each in found for tag in wanted if not each["tags"].get(tag, "").startswith(wanted[tag])]
        return f"other {', '.join(differing)}" if differing else ""

    def emvtool(self, *words: str) -> str:
        """What ``emvtool`` prints, numbers left out (with them it fails for one with an odd number of digits)."""
        return self._run([sys.executable, "-c", _EMVTOOL, "--redact", *words])

    def opensc_contact(self, names: list[tuple[str, str]]) -> str:
        """What is wrong with the answer to reset, the PSE and the first record of its directory; empty for nothing."""
        return self._opensc("3b:65:00:00:20:63:cb:66:00", names, f"00A404000E{PSE}00", "00B2010C00")

    def opensc_contactless(self, names: list[tuple[str, str]]) -> str:
        """The same with the answer to reset of a contactless card, and the PPSE."""
        return self._opensc("3b:80:80:01:01", names, f"00A404000E{PPSE}00")

    def _opensc(self, reset: str, names: list[tuple[str, str]], *commands: str) -> str:
        told = self._run(["opensc-tool", "--atr"])
        if reset not in told.lower():
            return "another answer to reset"
        sent = [word for command in commands for word in ("--send-apdu", command)]
        told = self._run(["opensc-tool", "--card-driver", "default", *sent])
        if told.count("SW1=0x90, SW2=0x00") != len(commands):
            return "a command is refused"
        received = _dumped(told)
        missing = [aid for aid, _ in names if aid not in received]
        return f"no {', '.join(missing)}" if missing else ""

    def scriptor(self, names: list[tuple[str, str]]) -> str:
        """What is wrong with SELECT of each application and GET CHALLENGE; empty for nothing."""
        commands = [f"00 A4 04 00 {len(aid) // 2:02X} {_spaced(aid)} 00" for aid, _ in names] + ["00 84 00 00 00"]
        script = self._folder / "dialogue.txt"
        script.write_text("\n".join(["reset", *commands]) + "\n")
        told = self._run(["scriptor", "-p", "T=0", str(script)])
        good = told.count("90 00 : Normal processing")
        return "" if good == len(commands) else f"{good} of {len(commands)} commands are answered well"

    def _run(self, command: list[str]) -> str:
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, env=self._environment, cwd=self._folder,
                timeout=_TIMEOUT_S, errors="replace",
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise LabTrouble(f"{command[0]} … {command[-1]} does not end") from None
        if done.returncode:
            raise LabTrouble(f"{command[0]} … {command[-1]} ended with {done.returncode}")
        return done.stdout


def _spaced(digits: str) -> str:
    return " ".join(digits[at : at + 2] for at in range(0, len(digits), 2))


def _dumped(told: str) -> str:
    """The bytes of opensc-tool's dumps, sixteen a line with their characters behind them."""
    lines = re.findall(r"^((?:[0-9A-F]{2} ){1,16})", told, re.MULTILINE)
    return "".join(lines).replace(" ", "")
