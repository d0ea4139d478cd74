"""The buttons of the switches: suspend and resume, pause and unpause."""

from typing import Any

from django.http import HttpRequest

from connections.admin.base import operator_behind
from connections.admin.buttons import Button
from connections.database.clock import database_now
from connections.lifecycle.steer import switches
from connections.lifecycle.steer.on_demand import Told


def suspend_buttons(asks: str) -> tuple[Button[Any], Button[Any]]:
    """Return the two buttons of the kill switch. Suspending first asks the question ``asks``."""
    return (
        Button(
            "suspend",
            "Suspend",
            _suspend,
            lambda row: row.suspended_at is None,
            asks=asks,
            tone="danger",
            needs_proof=True,
        ),
        Button(
            "resume",
            "Resume",
            _resume,
            lambda row: row.suspended_at is not None,
            tone="primary",
            needs_proof=True,  # what was cut off may have been stolen
        ),
    )


def pause_buttons(asks: str = "") -> tuple[Button[Any], Button[Any]]:
    """Return the two buttons of the switch that stops refreshes and probes.

    Where it stops those of many connections, ``asks`` says what comes of it, and a proof is needed.
    """
    return (
        Button("pause", "Pause", _pause, lambda row: row.paused_at is None, asks=asks, needs_proof=bool(asks)),
        Button("unpause", "Unpause", _unpause, lambda row: row.paused_at is not None, tone="primary"),
    )


def _suspend(request: HttpRequest, row: Any) -> Told:
    changed = switches.suspend(row, now=database_now(), actor=operator_behind(request))
    return Told(changed, "suspended", "Suspended: in force from the next vend on." if changed else _ALREADY)


def _resume(request: HttpRequest, row: Any) -> Told:
    changed = switches.resume(row, actor=operator_behind(request))
    return Told(changed, "resumed", "Resumed." if changed else _ALREADY)


def _pause(request: HttpRequest, row: Any) -> Told:
    changed = switches.pause(row, now=database_now(), actor=operator_behind(request))
    return Told(changed, "paused", "Paused: neither refreshed nor probed until unpaused." if changed else _ALREADY)


def _unpause(request: HttpRequest, row: Any) -> Told:
    changed = switches.unpause(row, actor=operator_behind(request))
    return Told(changed, "unpaused", "Unpaused: what is due meanwhile is done next." if changed else _ALREADY)


_ALREADY = "Somebody else has turned this switch already."
