"""``bcd-1987``: digits packed two a byte behind a TPDU, as dial-up concentrators routed it. MAC: AES-CMAC.

An odd PAN or track 2 is filled with F. Use of messages as ``ascii-1987-common``.
"""

from rig.wire.iso8583.dialect import Dialect
from rig.wire.iso8583.dialects.ascii_1987_common import USAGE
from rig.wire.iso8583.packing import PAN_AND_TRACKS_WITH_F, packed

DIALECT = Dialect("bcd-1987", packed(PAN_AND_TRACKS_WITH_F), USAGE, mac="aes-cmac")
