"""``ascii-1987-common``: the variant met most in the field. Digits as text, bitmaps and binary elements as they are.

No TPDU; refund 0200/200000 and void 0200/020000 as ISO 8583:1987 has the processing codes (20 returns, 02 adjustment);
MAC after ANSI X9.9.
"""

from rig.wire.iso8583.dialect import Dialect
from rig.wire.iso8583.packing import TEXT
from rig.wire.iso8583.usage import COMMON, Form, Usage
from rig.wire.tpdu import Framing

USAGE = Usage(
    forms=(
        *COMMON,
        Form("void", "0200", "02"),
        Form("refund", "0200", "20"),
        Form("cancel", "0100", "02"),
    )
)

DIALECT = Dialect("ascii-1987-common", TEXT, USAGE, Framing(tpdu=False), mac="x9.9")
