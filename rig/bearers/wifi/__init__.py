"""A Wi-Fi access point of the bench: hostapd and dnsmasq as children of one process, driven over hostapd's own socket.

:mod:`~rig.bearers.wifi.config` says what an access point is, :mod:`~rig.bearers.wifi.access_point` what can be done to
it, :mod:`~rig.bearers.wifi.serve` is the process that owns it, :mod:`~rig.bearers.wifi.client` asks that process.
"""
