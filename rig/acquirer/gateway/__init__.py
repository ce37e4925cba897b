"""The gateway: stands between a terminal and a real test host, tells the moments, and keeps back what it is told to.

Two ways. *Terminate* (:mod:`rig.acquirer.gateway.relay`): the terminal trusts the bench's authority, and every message
is seen whole; what is told of it holds no card data, and nothing of it is stored. *Pass*
(:mod:`rig.acquirer.gateway.passing`): TLS goes through untouched, and only records are seen. There is no ledger: what
the host booked its operator's export says, and ``rig judge --ledger`` judges by it.
"""

MODES = ("terminate", "pass")

ACTIONS = ("hold", "late", "silent", "twice", "truncated", "trickle", "close", "reset", "lose")
"""The faults of :mod:`rig.acquirer.faults` that one who is not the host can cause."""
