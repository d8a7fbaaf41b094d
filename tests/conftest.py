"""What all tests share."""

import os

from hypothesis import HealthCheck, settings

# The same examples in every run, so that a failure is one for everybody; `deep` looks further and elsewhere.
settings.register_profile(
    "standard",
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "deep", max_examples=1_000, stateful_step_count=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "standard"))
