"""Finds the driver of a cash-register protocol, ours or one from another distribution.

A foreign driver is a class like :class:`rig.terminals.base.Terminal`, named in its distribution's metadata::

    [project.entry-points."rig.terminals"]
    my-protocol = "my_package.driver:MyTerminal"
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import cast

from rig.errors import CallerMistake
from rig.terminals.base import Terminal

GROUP = "rig.terminals"


def terminal_protocols() -> list[str]:
    """The protocols that a bench file may name."""
    return sorted(entry_points(group=GROUP).names)


def terminal_driver(protocol: str) -> type[Terminal]:
    """The driver class of a protocol.

    Raises:
        CallerMistake: nobody offers this protocol, or its package does not load.
    """
    found = entry_points(group=GROUP, name=protocol)
    if not found:
        raise CallerMistake(
            protocol,
            "no installed driver speaks this terminal protocol",
            f"known are {', '.join(terminal_protocols()) or 'none'}; install the driver's package",
        )
    try:
        return cast(type[Terminal], next(iter(found)).load())
    except (ImportError, AttributeError) as error:
        raise CallerMistake(protocol, f"its driver does not load: {error}", "reinstall its package") from error
