"""ZVT, the cash-register protocol of German-speaking countries: messages, fields, serial framing. No I/O.

Source: "ZVT-Kassenschnittstelle", PA00P015 (commands, BMPs) and PA00P016 (transport), public at
https://www.terminalhersteller.de/downloads.aspx
"""

from rig.wire.zvt.apdu import POSITIVE, Apdu, ApduReader, Command, negative
from rig.wire.zvt.commands import (
    PrintedLine,
    RegistrationConfig,
    encode_print_block,
    encode_print_line,
    encode_with_password,
    printed_lines,
    split_password,
)
from rig.wire.zvt.fields import Bmp, FieldValue, decode_fields, encode_fields
from rig.wire.zvt.serial import BadFrame, Frame, FrameReader, LinkAck, LinkNak, crc16, encode_frame
from rig.wire.zvt.texts import intermediate_text, result_text

__all__ = [
    "POSITIVE",
    "Apdu",
    "ApduReader",
    "BadFrame",
    "Bmp",
    "Command",
    "FieldValue",
    "Frame",
    "FrameReader",
    "LinkAck",
    "LinkNak",
    "PrintedLine",
    "RegistrationConfig",
    "crc16",
    "decode_fields",
    "encode_fields",
    "encode_frame",
    "encode_print_block",
    "encode_print_line",
    "encode_with_password",
    "intermediate_text",
    "negative",
    "printed_lines",
    "result_text",
    "split_password",
]
