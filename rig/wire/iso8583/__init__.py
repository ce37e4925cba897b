"""ISO 8583 messages: types, data elements, dialects. Their frames are in :mod:`rig.wire.tpdu`.

The dialects are in :mod:`rig.wire.iso8583.dialects`, one a file, and found by name in
:mod:`rig.wire.iso8583.registry`. :data:`ASCII87`, the virtual terminal's own, is ASCII throughout: digits and text as
they are, bitmaps and binary elements as upper-case hexadecimal. So Wireshark's ``iso8583`` dissector reads it in its
default settings but for the length, which is big-endian; it skips no TPDU.
"""

from rig.wire.iso8583.dialect import Dialect
from rig.wire.iso8583.dialects.ascii_1987 import DIALECT as ASCII87
from rig.wire.iso8583.elements import Original, Totals, de61, de90, parse_de61, parse_de90
from rig.wire.iso8583.message import (
    BINARY,
    NUMERIC,
    Message,
    is_advice,
    is_repeat,
    is_response,
    message_name,
    mti_class,
    response_mti,
)
from rig.wire.iso8583.usage import FLOWS, Flow, Management, Usage
from rig.wire.tpdu import MAX_FRAME, FrameReader, Framing, Tpdu, frame

__all__ = [
    "ASCII87", "BINARY", "FLOWS", "MAX_FRAME", "NUMERIC", "Dialect", "Flow", "FrameReader", "Framing", "Management",
    "Message", "Original", "Totals", "Tpdu", "Usage", "de61", "de90", "frame", "is_advice", "is_repeat", "is_response",
    "message_name", "mti_class", "parse_de61", "parse_de90", "response_mti",
]  # fmt: skip
