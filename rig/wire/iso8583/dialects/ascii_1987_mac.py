"""``ascii-1987-mac``: as ``ascii-1987``, and every message but network management has a retail MAC (ANSI X9.19)."""

from dataclasses import replace

from rig.wire.iso8583.dialects.ascii_1987 import DIALECT as PLAIN

DIALECT = replace(PLAIN, name="ascii-1987-mac", mac="x9.19")
