"""What all tests share."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# Two test workers, their benches and whatever else the machine does share its processors: how long an example took
# says nothing of the code.
settings.register_profile("rig", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("rig")
