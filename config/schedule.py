"""The beat schedule: what runs by itself, and how often. Every task in it tolerates a second beat."""

from typing import Any


def beat_schedule(sweep_seconds: float) -> dict[str, dict[str, Any]]:
    """Return Celery's schedule for sweeps every ``sweep_seconds``."""
    return {
        "sweep-refreshes": _every(sweep_seconds, "connections.sweep_refreshes"),
        "sweep-probes": _every(sweep_seconds, "connections.sweep_probes"),
        "sweep-revocations": _every(sweep_seconds * 2, "connections.sweep_revocations"),
        "recover": _every(sweep_seconds * 2, "connections.recover"),
        "discard-expired": _every(60.0, "connections.discard_expired"),
    }


def _every(seconds: float, task: str) -> dict[str, Any]:
    # A run that was not begun before the next one is due is dropped: sweeps never queue up behind a stopped worker.
    return {"task": task, "schedule": seconds, "options": {"expires": seconds}}
