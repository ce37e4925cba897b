"""The layout of netem's options, whole, as pyroute2 wants a layout told.

pyroute2 0.9 knows no loss models, distribution tables, 64-bit rates, slots or seeds. Not derived from its classes:
the compiled map is cached on the class, and a derived one would inherit it. The little
structures go as bytes: all their fields or none.

Facts: ``linux/pkt_sched.h`` (TCA_NETEM_*, struct tc_netem_*).
"""

from __future__ import annotations

import struct
from typing import Any

from pyroute2.netlink import NLA_F_NESTED, nla

CORRELATIONS = struct.Struct("=III")
"""struct tc_netem_corr: of delay, loss, duplication."""

CHANCE = struct.Struct("=II")
"""struct tc_netem_reorder, struct tc_netem_corrupt: a probability and its correlation."""

RATE = struct.Struct("=IiIi")
"""struct tc_netem_rate: bytes per second, overhead of a packet, size of a cell, overhead of a cell."""

SLOT = struct.Struct("=qqiiqq")
"""struct tc_netem_slot: delays of a slot, packets, bytes, distribution."""

MODEL = struct.Struct("=IIII")
"""struct tc_netem_gemodel: p, r, h, k1."""


class options(nla):  # noqa: N801 - the name that pyroute2 looks for
    """struct tc_netem_qopt and the attributes behind it."""

    fields: Any = (("delay", "I"), ("limit", "I"), ("loss", "I"), ("gap", "I"), ("duplicate", "I"), ("jitter", "I"))
    nla_map: Any = (
        ("TCA_NETEM_UNSPEC", "none"),
        ("TCA_NETEM_CORR", "cdata"),
        ("TCA_NETEM_DELAY_DIST", "cdata"),
        ("TCA_NETEM_REORDER", "cdata"),
        ("TCA_NETEM_CORRUPT", "cdata"),
        ("TCA_NETEM_LOSS", "loss_model"),
        ("TCA_NETEM_RATE", "cdata"),
        ("TCA_NETEM_ECN", "uint32"),
        ("TCA_NETEM_RATE64", "uint64"),
        ("TCA_NETEM_PAD", "hex"),
        ("TCA_NETEM_LATENCY64", "int64"),
        ("TCA_NETEM_JITTER64", "int64"),
        ("TCA_NETEM_SLOT", "cdata"),
        ("TCA_NETEM_SLOT_DIST", "cdata"),
        ("TCA_NETEM_PRNG_SEED", "uint64"),
    )

    class loss_model(nla):  # noqa: N801
        """A model of loss other than plain chance: Gilbert-Elliott, or one of four states, which the rig never sets."""

        nla_flags = NLA_F_NESTED
        nla_map: Any = (("NETEM_LOSS_UNSPEC", "none"), ("NETEM_LOSS_GI", "cdata"), ("NETEM_LOSS_GE", "cdata"))
