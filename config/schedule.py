"""The beat schedule: what runs by itself, and how often. Every task in it tolerates a second beat."""

from typing import Any


def beat_schedule(sweep_seconds: float, *, recover_seconds: float) -> dict[str, dict[str, Any]]:
    """Return Celery's schedule for sweeps every ``sweep_seconds``, and looks for dead processes that often."""
    return {
        "sweep-refreshes": _every(sweep_seconds, "connections.sweep_refreshes"),
        "sweep-probes": _every(sweep_seconds, "connections.sweep_probes"),
        "sweep-revocations": _every(sweep_seconds * 2, "connections.sweep_revocations"),
        "recover": _every(recover_seconds, "connections.recover"),
        "reread-changed": _every(30.0, "connections.reread_changed"),
        "discard-expired": _every(60.0, "connections.discard_expired"),
        "end-expired": _every(30.0, "connections.end_expired"),
        "sweep-old": _every(300.0, "connections.sweep_old"),
        "delete-tenants": _every(10.0, "connections.delete_tenants"),
        "retry-undecryptable": _every(60.0, "connections.retry_undecryptable"),
        "close-quiet-incidents": _every(300.0, "connections.close_quiet_incidents"),
    }


def _every(seconds: float, task: str) -> dict[str, Any]:
    # A run that nobody began in time is dropped: sweeps never queue up behind a stopped worker. The time is never so
    # short that two hosts whose clocks differ a little would drop them all.
    return {"task": task, "schedule": seconds, "options": {"expires": max(seconds, 10.0)}}
