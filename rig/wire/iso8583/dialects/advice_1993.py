"""``advice-1993``: reversals as the 1993 edition has them, advices 0420 that are repeated as 0421 until acknowledged.

Otherwise digits as text, binary elements as they are; the other messages as ``ascii-1987``.
"""

from rig.wire.iso8583.dialect import Dialect
from rig.wire.iso8583.dialects.ascii_1987 import USAGE as PLAIN
from rig.wire.iso8583.packing import TEXT
from rig.wire.iso8583.usage import Form, Usage

USAGE = Usage(forms=(*(form for form in PLAIN.forms if form.flow != "reversal"), Form("reversal", "0420")))

DIALECT = Dialect("advice-1993", TEXT, USAGE)
