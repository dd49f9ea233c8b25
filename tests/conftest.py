"""What holds for all tests."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# the first text that is drawn builds tables of all of Unicode, which may take seconds
settings.register_profile("rawscope", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("rawscope")
