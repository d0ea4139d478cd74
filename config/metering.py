"""Metering: lets processes be asked for what they have measured (``connections.journal.meters``).

The web processes of one server answer for each other: whichever is asked adds up what all of them keep in a shared
folder. A worker answers for itself, at a port of its own. Nothing of it happens while metrics are off.
"""

import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from socketserver import ThreadingMixIn
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import structlog
from celery.signals import before_task_publish, task_prerun, worker_init
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from connections.dispatch import SENT_AT
from connections.journal import meters

_SILENT_SECONDS = 5.0  # so long may one who asks say nothing

logger = structlog.get_logger(__name__)


def share() -> None:
    """Have this web process keep what it measures where its siblings find it. Call it before anything is measured.

    The folder is named after the server that began them all, so it begins empty with each start of the server, and a
    sibling that has died goes on to count. Folders of servers that are gone are removed.
    """
    if not settings.METRICS_TOKEN:
        return
    root = _own_folder(Path(settings.METRICS_DIR or f"{tempfile.gettempdir()}/latchkey-metrics-{os.getuid()}"))
    server = _server(os.getppid())
    for folder in root.iterdir():
        pid = folder.name.partition("-")[0]
        if pid.isdecimal() and _server(int(pid)) != folder.name:
            shutil.rmtree(folder, ignore_errors=True)
    (root / server).mkdir(mode=0o700, exist_ok=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(root / server)


def _own_folder(folder: Path) -> Path:
    """Make ``folder`` if there is none. Raises ``ImproperlyConfigured`` if another user could write there."""
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700, parents=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise ImproperlyConfigured(f"LATCHKEY_METRICS_DIR: {folder} has to be a folder that is this user's alone.")
    return folder


def _server(pid: int) -> str:
    """Return a name for the process ``pid`` that no later process has, as far as the system tells when it began."""
    try:
        began = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        began = "ended"
    return f"{pid}-{began}"


@before_task_publish.connect
def _say_when(headers: dict[str, Any], **_: object) -> None:
    headers[SENT_AT] = time.time()


@task_prerun.connect
def _count_wait(task: Any, **_: object) -> None:
    sent_at = (task.request.headers or {}).get(SENT_AT)
    queue = (task.request.delivery_info or {}).get("routing_key")
    if isinstance(sent_at, float) and isinstance(queue, str):
        meters.task_waited(queue, seconds=time.time() - sent_at)


@worker_init.connect
def _answer_in_worker(**_: object) -> None:
    """Answer at the worker's own port, in a thread, as long as the worker lives."""
    if not settings.METRICS_TOKEN or not settings.METRICS_PORT:
        return
    server = make_server(settings.METRICS_HOST, settings.METRICS_PORT, _answer, _Server, _Quiet)
    Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    logger.info("metrics_served", port=settings.METRICS_PORT)


class _Server(ThreadingMixIn, WSGIServer):
    """Answers each scraper in a thread of its own, so that one who says nothing keeps nobody waiting."""

    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    timeout = _SILENT_SECONDS

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (as the library names it)
        """Write nothing: a scrape is no event."""


def _answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    from connections.api.metrics import CONTENT_TYPE, is_allowed, measured  # noqa: PLC0415 (the apps are ready now)

    if environ["PATH_INFO"] != "/metrics":
        start_response("404 Not Found", [("Content-Length", "0")])
        return [b""]
    if not is_allowed(environ.get("HTTP_AUTHORIZATION", "")):
        start_response("401 Unauthorized", [("WWW-Authenticate", "Bearer"), ("Content-Length", "0")])
        return [b""]
    body = measured(of_installation=False)
    start_response("200 OK", [("Content-Type", CONTENT_TYPE), ("Content-Length", str(len(body)))])
    return [body]
