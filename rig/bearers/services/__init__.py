"""The bench's own servers on a bearer: names (DNS), addresses (DHCP), time (SNTP), and an impostor of the host.

``python -m rig.bearers.services`` serves them (:mod:`rig.bearers.services.__main__`); normally they are right, and
each failure is a rule that makes one of them wrong until it is cleared.
"""
