"""``unionpay-pos-pad-f``: as ``unionpay-pos``, from terminals that fill an odd track 2 with F instead of 0."""

from dataclasses import replace

from rig.wire.iso8583.dialects.unionpay_pos import DIALECT as PAD_0
from rig.wire.iso8583.dialects.unionpay_pos import DIGITS, KEYS
from rig.wire.iso8583.packing import TRACKS_WITH_F, packed

DIALECT = replace(PAD_0, name="unionpay-pos-pad-f", spec=packed(TRACKS_WITH_F, DIGITS, KEYS))
