"""``unionpay-pos``: UnionPay's POS dialect. TPDU, a header of six bytes, packed digits, MAC in DE64 (ECB method).

DE60 is type (2 digits), batch (6) and network management code (3); DE61 points at the original by batch, STAN and
date; keys come in DE62; a repeat is the same message again; a reversal has the numbers of its original. As shipped
terminals have it: pre-authorisation 0100, completion 0200 or 0220 with condition code 06, refund 0220/200000, void
0200/200000, the end of a batch upload 0320 with code 207.
"""

from rig.wire.iso8583.dialect import Dialect
from rig.wire.iso8583.packing import NO_FILL, packed
from rig.wire.iso8583.usage import COMMON, Form, Usage

DIGITS = frozenset({48, 60, 61})
KEYS = frozenset({62})
HEADER = bytes.fromhex("603100000000")

USAGE = Usage(
    forms=(
        Form("upload_end", "0320", code="207"),
        *COMMON,
        Form("void", "0200", "20"),
        Form("refund", "0220", "20"),
        Form("cancel", "0100", "20"),
    ),
    batch=(2, 8),
    code=(60, 8, 11),
    codes={
        "001": "sign-on",
        "003": "sign-on",
        "004": "sign-on",
        "002": "sign-off",
        "101": "key-change",
        "301": "echo",
    },
    original=61,
    reversal_is_own=True,
    repeats_unchanged=True,
    unionpay_totals=True,
    types={
        "sale": "22",
        "void": "23",
        "refund": "25",
        "authorisation": "10",
        "cancel": "11",
        "completion": "20",
        "advice": "30",
        "reversal": "22",
    },
)

DIALECT = Dialect(
    "unionpay-pos",
    packed(NO_FILL, DIGITS, KEYS),
    USAGE,
    header=HEADER,
    mac="unionpay-ecb",
    digits=DIGITS,
    binary=KEYS,
)
