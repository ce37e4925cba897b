"""``ascii-1987``: the private dialect of the virtual terminal. All is text, binary elements are hexadecimal.

Void 0200/200000, refund 0220/200000, the batch in DE60, totals in DE48, the original in DE90.
"""

from rig.wire.iso8583.dialect import Dialect
from rig.wire.iso8583.packing import HEXADECIMAL
from rig.wire.iso8583.usage import COMMON, Form, Usage

USAGE = Usage(
    forms=(
        *COMMON,
        Form("void", "0200", "20"),
        Form("refund", "0220", "20"),
        Form("cancel", "0100", "20"),
    )
)

DIALECT = Dialect("ascii-1987", HEXADECIMAL, USAGE)
