"""The layout of netem's options, whole, as pyroute2 wants a layout told.

pyroute2 0.9 knows no loss models, distribution tables, 64-bit rates, slots or seeds. Not derived from its classes:
the compiled map is cached on the class, and a derived one would inherit it.

Facts: ``linux/pkt_sched.h`` (TCA_NETEM_*, struct tc_netem_*).
"""

from __future__ import annotations

from typing import Any

from pyroute2.netlink import NLA_F_NESTED, nla

SLOT_FIELDS = ("min_delay", "max_delay", "max_packets", "max_bytes", "dist_delay", "dist_jitter")


class options(nla):  # noqa: N801 - the name that pyroute2 looks for
    """struct tc_netem_qopt and the attributes behind it."""

    fields: Any = (("delay", "I"), ("limit", "I"), ("loss", "I"), ("gap", "I"), ("duplicate", "I"), ("jitter", "I"))
    nla_map: Any = (
        ("TCA_NETEM_UNSPEC", "none"),
        ("TCA_NETEM_CORR", "corr"),
        ("TCA_NETEM_DELAY_DIST", "cdata"),
        ("TCA_NETEM_REORDER", "reorder"),
        ("TCA_NETEM_CORRUPT", "corrupt"),
        ("TCA_NETEM_LOSS", "loss_model"),
        ("TCA_NETEM_RATE", "rate"),
        ("TCA_NETEM_ECN", "uint32"),
        ("TCA_NETEM_RATE64", "uint64"),
        ("TCA_NETEM_PAD", "hex"),
        ("TCA_NETEM_LATENCY64", "int64"),
        ("TCA_NETEM_JITTER64", "int64"),
        ("TCA_NETEM_SLOT", "slot"),
        ("TCA_NETEM_SLOT_DIST", "cdata"),
        ("TCA_NETEM_PRNG_SEED", "uint64"),
    )

    class corr(nla):  # noqa: N801
        """struct tc_netem_corr."""

        fields: Any = (("delay_corr", "I"), ("loss_corr", "I"), ("dup_corr", "I"))

    class reorder(nla):  # noqa: N801
        """struct tc_netem_reorder."""

        fields: Any = (("prob_reorder", "I"), ("corr_reorder", "I"))

    class corrupt(nla):  # noqa: N801
        """struct tc_netem_corrupt."""

        fields: Any = (("prob_corrupt", "I"), ("corr_corrupt", "I"))

    class rate(nla):  # noqa: N801
        """struct tc_netem_rate."""

        fields: Any = (("rate", "I"), ("packet_overhead", "i"), ("cell_size", "I"), ("cell_overhead", "i"))

    class loss_model(nla):  # noqa: N801
        """A model of loss other than plain chance: one of the two."""

        nla_flags = NLA_F_NESTED
        nla_map: Any = (("NETEM_LOSS_UNSPEC", "none"), ("NETEM_LOSS_GI", "gi"), ("NETEM_LOSS_GE", "ge"))

        class gi(nla):  # noqa: N801
            """struct tc_netem_gimodel; never sent, told where a stranger set it."""

            fields: Any = (("p13", "I"), ("p31", "I"), ("p32", "I"), ("p14", "I"), ("p23", "I"))

        class ge(nla):  # noqa: N801
            """struct tc_netem_gemodel."""

            fields: Any = (("p", "I"), ("r", "I"), ("h", "I"), ("k1", "I"))

    class slot(nla):  # noqa: N801
        """struct tc_netem_slot."""

        fields: Any = (
            ("min_delay", "q"),
            ("max_delay", "q"),
            ("max_packets", "i"),
            ("max_bytes", "i"),
            ("dist_delay", "q"),
            ("dist_jitter", "q"),
        )
