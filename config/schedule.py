"""The beat schedule: the periodic tasks and their intervals. Every task in it tolerates a second beat."""

from typing import Any

from connections.dispatch import Task


def beat_schedule(sweep_seconds: float, *, recover_seconds: float, webhook_seconds: float) -> dict[str, dict[str, Any]]:
    """Return Celery's schedule: sweeps every ``sweep_seconds``, a look for dead processes every ``recover_seconds``.

    Events reach their webhook endpoints by a look every ``webhook_seconds``.
    """
    return {
        "sweep-refreshes": _every(sweep_seconds, Task.SWEEP_REFRESHES),
        "sweep-probes": _every(sweep_seconds, Task.SWEEP_PROBES),
        "sweep-revocations": _every(sweep_seconds * 2, Task.SWEEP_REVOCATIONS),
        "sweep-webhooks": _every(webhook_seconds, Task.SWEEP_WEBHOOKS),
        "send-notices": _every(15.0, Task.SEND_NOTICES),
        "sweep-pushes": _every(30.0, Task.SWEEP_PUSHES),
        "recover": _every(recover_seconds, Task.RECOVER),
        "reread-changed": _every(30.0, Task.REREAD_CHANGED),
        "discard-expired": _every(60.0, Task.DISCARD_EXPIRED),
        "end-expired": _every(30.0, Task.END_EXPIRED),
        "sweep-old": _every(300.0, Task.SWEEP_OLD),
        "take-figures": _every(30.0, Task.TAKE_FIGURES),
        "delete-tenants": _every(10.0, Task.DELETE_TENANTS),
        "offboard-end-users": _every(10.0, Task.OFFBOARD_END_USERS),
        "continue-imports": _every(5.0, Task.CONTINUE_IMPORTS),
        "continue-bulk": _every(5.0, Task.CONTINUE_BULK),
        "seal-audit": _every(15.0, Task.SEAL_AUDIT),
        "watch-use": _every(2.0, Task.WATCH_USE),  # a canary that is touched is told within 5 s
        "verify-audit": _every(20.0, Task.VERIFY_AUDIT),
        "retry-undecryptable": _every(60.0, Task.RETRY_UNDECRYPTABLE),
        "renew-registrations": _every(60.0, Task.RENEW_REGISTRATIONS),
        "read-client-secrets": _every(15.0, Task.READ_CLIENT_SECRETS),
        "foretell": _every(300.0, Task.FORETELL),
        "look-at-domains": _every(300.0, Task.LOOK_AT_DOMAINS),
        "attend-incidents": _every(60.0, Task.ATTEND_INCIDENTS),
    }


def _every(seconds: float, task: Task) -> dict[str, Any]:
    # A run that no worker begins in time is dropped, so that sweeps never queue up behind a stopped worker. The time is
    # at least 10 s: otherwise two hosts whose clocks differ a little would drop them all.
    return {"task": task.value, "schedule": seconds, "options": {"expires": max(seconds, 10.0)}}
