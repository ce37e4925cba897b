"""Finds a dialect by its name: ours, or one from another distribution.

A foreign dialect is one :class:`~rig.wire.iso8583.Dialect`, named in its distribution's metadata::

    [project.entry-points."rig.dialects"]
    my-host = "my_package.dialect:DIALECT"
"""

from __future__ import annotations

from importlib.metadata import entry_points

from rig.errors import CallerMistake
from rig.wire.iso8583.dialect import Dialect

GROUP = "rig.dialects"


def dialect_names() -> list[str]:
    """The dialects that a bench file may name."""
    return sorted(entry_points(group=GROUP).names)


def find_dialect(name: str) -> Dialect:
    """A dialect by its name.

    Raises:
        CallerMistake: nobody offers it, or what is offered is no dialect.
    """
    found = next(iter(entry_points(group=GROUP, name=name)), None)
    if found is None:
        what = "no installed package has this dialect of ISO 8583"
        raise CallerMistake(name, what, f"known are {', '.join(dialect_names()) or 'none'}; install the package")
    try:
        dialect = found.load()
    except (ImportError, AttributeError) as error:
        raise CallerMistake(name, f"its package does not load: {error}", "reinstall it") from error
    if not isinstance(dialect, Dialect):
        raise CallerMistake(name, f"{found.value} is no dialect", "its entry point names a rig.wire.iso8583.Dialect")
    return dialect
