"""The virtual payment terminal: a sound one by default, which can be given defects.

It is a terminal in everything that shows on a wire: a cash-register server that speaks ZVT over TCP or a serial
line, a contactless reader behind a PN532, a chip slot and a magnetic head, an ISO 8583 host client over TLS, a choice
of bearers, and a journal on its own disk that survives a power cut (SIGKILL) at any byte.
``python -m rig.virtual.terminal --config FILE``.

How its modules stand together, from the bottom: :mod:`transaction` and :mod:`store` (what is true of each, on disk),
:mod:`vault` (card data, encrypted); :mod:`bearers`, :mod:`host`, :mod:`messages` (the way to the acquirer);
:mod:`reversals` (what must still be undone) and :mod:`advices` (what the host must still be told); :mod:`emv`,
:mod:`contact` and :mod:`swipe` (the card); :mod:`reader`, :mod:`slot` and :mod:`stripe` (where it comes from), and
:mod:`acceptor`, which takes the first; :mod:`links` and :mod:`ecr` (the cash register); :mod:`sale`, :mod:`endofday`
and :mod:`operations` (what it is all for).
"""
