"""Reports of crashes in Sentry's protocol. Off without ``SENTRY_DSN`` or the extra ``telemetry``.

A report is made anew from what may leave the house: classes of exceptions, and the places in the code that they passed.
No message, variable, source, request, argument, log line or breadcrumb is in it, whatever the library has gathered.
"""

import sys
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

import structlog
from celery.signals import task_failure, worker_init
from django.conf import settings
from django.core.signals import got_request_exception
from django.dispatch import receiver

from connections.journal import crashes

logger = structlog.get_logger(__name__)
_KEPT = ("event_id", "timestamp", "level", "platform", "release", "environment")
_KEPT_OF_FRAMES = ("filename", "function", "module", "lineno", "in_app")


def is_installed() -> bool:
    """Whether the extra ``telemetry`` is there."""
    return find_spec("sentry_sdk") is not None


def begin() -> None:
    """Report this process's crashes, if the settings say to whom. Call it once, in the process that works."""
    if not settings.SENTRY_DSN:
        return
    if not is_installed():
        logger.warning("crash_reports_off", missing="the extra telemetry")
        return
    import sentry_sdk  # noqa: PLC0415 (an extra)

    sentry_sdk.init(
        dsn=str(settings.SENTRY_DSN),
        before_send=_before_send,
        default_integrations=False,  # they listen to logs, arguments, threads and the command line
        auto_enabling_integrations=False,
        include_local_variables=False,
        include_source_context=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        send_client_reports=False,
        auto_session_tracking=False,
        server_name="",
    )
    crashes.report_to(sentry_sdk.capture_exception)


def _before_send(event: Any, hint: dict[str, Any]) -> Any:
    hint.get("attachments", []).clear()  # they would go beside the event
    return scrubbed(event)


def scrubbed(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return what may leave the house of a report."""
    kept = {name: event[name] for name in _KEPT if name in event}
    exceptions = (event.get("exception") or {}).get("values") or []
    return kept | {"exception": {"values": [_exception(each) for each in exceptions]}}


def _exception(found: Mapping[str, Any]) -> dict[str, Any]:
    frames = (found.get("stacktrace") or {}).get("frames") or []
    return {
        "type": found.get("type"),
        "module": found.get("module"),
        "stacktrace": {"frames": [{name: frame.get(name) for name in _KEPT_OF_FRAMES} for frame in frames]},
    }


@worker_init.connect
def _begin_in_worker(**_: object) -> None:
    begin()


@task_failure.connect
def _report_task(exception: BaseException, **_: object) -> None:
    crashes.report(exception)


@receiver(got_request_exception)
def _report_view(**_: object) -> None:
    if (error := sys.exc_info()[1]) is not None:
        crashes.report(error)
