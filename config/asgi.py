"""The ASGI entry point of the web processes, for pages and API alike. The tests of both call it like a server."""

# isort: off
from config import loading  # before all else
# isort: on

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler

from config.wsgi import application as django  # makes the apps ready

# isort: split
import config.urls  # noqa: F401 (all pages and the API are loaded before the first request)
from config import crash_reports, metering, traces
from config.web.front import Front
from config.web.hosts import WATCHED_PATHS
from config.web.lanes import Lane
from config.web.processors import keep_to_one
from connections.api import vend_desk
from connections.api.mcp.first_message import LateDesk
from connections.api.proxy_desk import ProxyDesk
from connections.api.vend_desk import VendDesk
from connections.lifecycle.proxy.carry import Carrier
from connections.lifecycle.proxy.turns import Turns
from connections.lifecycle.proxy.watch import Watch
from connections.lifecycle.refresh.waits import Refreshes
from connections.lifecycle.throttle.bulkhead import Bulkhead


def make_front(executor: Executor | None = None, *, handler: WSGIHandler = django) -> Front:
    """Return an application for one event loop. ``executor`` runs everything in place of the lanes' own threads.

    ``handler`` is Django's, which is made for the settings of its time.
    """
    plain = Lane("plain", threads=settings.PLAIN_THREADS, executor=executor)
    provider = Lane("provider", threads=settings.PROVIDER_THREADS, executor=executor)
    run_query = _in(executor or ThreadPoolExecutor(1, thread_name_prefix="query"))
    refreshes = Refreshes(run_refresh=provider.run, run_query=run_query)
    desk = VendDesk(
        run_vend=_in(executor or ThreadPoolExecutor(vend_desk.THREADS, thread_name_prefix="vend")),
        run_lookup=plain.run,
        refreshes=refreshes,
    )
    run_proxy = Lane("proxy", threads=settings.PROXY_THREADS, executor=executor).run
    carrier = Carrier(
        run=run_proxy,
        run_exchange=provider.run,
        turns=Turns(run_proxy),
        refreshes=refreshes,
        watch=Watch(run_query),
        places=Bulkhead(settings.PROXY_STREAMS),
    )
    return Front(
        handler,
        desk=desk,
        proxy=ProxyDesk(carrier, run_proof=provider.run),
        mcp=LateDesk(carrier, run=plain.run, run_proof=provider.run),
        plain=plain,
        provider=provider,
        watching={path: Lane("watching", threads=1, executor=executor) for path in WATCHED_PATHS},
    )


def _in(executor: Executor) -> Callable[..., Awaitable[Any]]:
    """Return what runs a function in ``executor``. Its threads keep their database connections."""

    def run(function: Callable[..., Any], /, *arguments: Any) -> Awaitable[Any]:
        return asyncio.get_running_loop().run_in_executor(executor, function, *arguments)

    return run


metering.share()
traces.begin()
crash_reports.begin()
application = make_front()
if settings.PIN_WEB:
    keep_to_one()
loading.end()
