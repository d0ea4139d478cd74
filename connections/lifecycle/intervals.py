"""The probe intervals in force, from the settings."""

from datetime import timedelta

from django.conf import settings

from connections.lifecycle.policy import ProbeIntervals


def probe_intervals() -> ProbeIntervals:
    """Return the intervals of ``LATCHKEY_PROBE_SECONDS``."""
    hot, warm, cold = (timedelta(seconds=seconds) for seconds in settings.PROBE_SECONDS)
    return ProbeIntervals(hot=hot, warm=warm, cold=cold)
