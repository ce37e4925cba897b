"""Mini-Circuits programmable attenuators by HTTP: the command set of :mod:`rig.instruments.minicircuits`.

.. code-block:: yaml

    attenuators:
      rf:
        dialect: mini-circuits-http
        resource: http://192.168.9.61        # or http://HOST:PORT
        settings: {password: "1234"}         # only where the box has one

For a box whose telnet is switched off, or taken. Source: Mini-Circuits, "Programming Manual, Programmable
Attenuators", the chapter on Ethernet control (HTTP "Get/Post"):
https://www.minicircuits.com/softwaredownload/Prog_Manual-6-Programmable_Attenuator.pdf. A command is the path of a
GET; a password goes before it as ``PWD=…;``; what the box does not know it answers with its web page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from rig.errors import CallerMistake
from rig.instruments.attenuator import known_settings
from rig.instruments.http_line import HttpLine
from rig.instruments.minicircuits import MiniCircuits
from rig.instruments.transcript import Observe, unobserved

_PASSWORD = re.compile(r"[!-~]{1,20}")


class MiniCircuitsHttp(MiniCircuits):
    """The same boxes, asked by their web server."""

    @staticmethod
    def check(settings: Mapping[str, Any]) -> None:
        """``password`` alone.

        Raises:
            CallerMistake: another setting, or a password that the box cannot have.
        """
        known_settings(settings, {"password"})
        password = settings.get("password")
        if password is None:
            return
        if not isinstance(password, str) or not _PASSWORD.fullmatch(password) or set(password) & set(";/?#%"):
            raise CallerMistake(
                "attenuator settings.password",
                "is none that a box can have",
                "write up to 20 ASCII characters in quotes, none of them a space or one of ; / ? # %",
            )

    @classmethod
    def open(
        cls,
        address: str,
        *,
        name: str,
        lock_folder: Path,
        timeout_s: float = 1.0,
        observe: Observe = unobserved,
        settings: Mapping[str, Any] | None = None,
    ) -> Self:
        """Connect to the box at a URL and identify it."""
        password = (settings or {}).get("password") or ""
        line = HttpLine(
            address, name=name, lock_folder=lock_folder, timeout_s=timeout_s, password=password, observe=observe
        )
        try:
            return cls(line)
        except BaseException:
            line.close()
            raise
