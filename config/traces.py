"""Traces by OpenTelemetry, sent by OTLP over HTTP.

They are off without ``OTEL_EXPORTER_OTLP_ENDPOINT``, and without the extra ``telemetry``.
Nothing is instrumented by a library, since those record addresses, statements and headers. The product says itself
where a span begins (``providers.spans``), and what may be in it. Exceptions leave their class alone.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from importlib.util import find_spec
from typing import Any

import structlog
from celery.signals import before_task_publish, task_failure, task_postrun, task_prerun, worker_init
from django.conf import settings
from django.db.backends.signals import connection_created
from django.dispatch import receiver

from providers import spans

logger = structlog.get_logger(__name__)
TRACEPARENT = "traceparent"
_SERVICE = "latchkey"


def is_installed() -> bool:
    """Whether the extra ``telemetry`` is there."""
    return find_spec("opentelemetry") is not None and find_spec("opentelemetry.sdk") is not None


def begin() -> None:
    """Send this process's traces, if the settings name where to. Call it once, in the process that works."""
    if not settings.TRACES_ENDPOINT:
        return
    if not is_installed():
        logger.warning("traces_off", missing="the extra telemetry")
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 (an extra)
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 (likewise)

    exporter = OTLPSpanExporter(endpoint=f"{settings.TRACES_ENDPOINT.rstrip('/')}/v1/traces")
    spans.follow(follower_with(BatchSpanProcessor(exporter)))


def follower_with(processor: Any) -> spans.Follower:
    """Return who gives spans to ``processor``, one of OpenTelemetry's. ``OTEL_TRACES_SAMPLER`` says which."""
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource  # noqa: PLC0415 (an extra)
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 (likewise)

    named = Resource({SERVICE_NAME: _SERVICE}).merge(Resource.create())
    service = named.attributes.get(SERVICE_NAME, "")
    if str(service).startswith("unknown_service"):  # which OpenTelemetry says where nobody has named it
        named = named.merge(Resource({SERVICE_NAME: _SERVICE}))
    provider = TracerProvider(resource=named)
    provider.add_span_processor(processor)
    return _Follower(provider.get_tracer(_SERVICE))


class _Follower:
    def __init__(self, tracer: Any) -> None:
        from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415 (an extra)
            TraceContextTextMapPropagator,
        )

        self._tracer = tracer
        self._propagator = TraceContextTextMapPropagator()

    @contextmanager
    def begin(
        self, name: str, kind: spans.Kind, facts: Mapping[str, spans.Fact], parent: str | None
    ) -> Iterator[spans.Noted]:
        from opentelemetry import trace  # noqa: PLC0415 (an extra)

        # Only the one header: `tracestate` and `baggage` hold whatever their sender likes.
        context = self._propagator.extract({TRACEPARENT: parent}) if parent else None
        kinds = {
            spans.Kind.SERVER: trace.SpanKind.SERVER,
            spans.Kind.CLIENT: trace.SpanKind.CLIENT,
            spans.Kind.TASK: trace.SpanKind.CONSUMER,
        }
        with self._tracer.start_as_current_span(
            name,
            context=context,
            kind=kinds[kind],
            attributes=dict(facts),
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield _Noted(span)
            except BaseException as error:  # it goes on: the span learns its class
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(trace.StatusCode.ERROR)
                raise

    def current(self) -> str | None:
        from opentelemetry import trace  # noqa: PLC0415 (an extra)

        if not trace.get_current_span().get_span_context().is_valid:
            return None
        carrier: dict[str, str] = {}
        self._propagator.inject(carrier)
        return carrier.get(TRACEPARENT)


class _Noted:
    def __init__(self, span: Any) -> None:
        self._span = span

    def note(self, name: str, value: spans.Fact) -> None:
        self._span.set_attribute(name, value)


@worker_init.connect
def _begin_in_worker(**_: object) -> None:
    begin()


@before_task_publish.connect
def _pass_on(headers: dict[str, Any], **_: object) -> None:
    if (parent := spans.current()) is not None:
        headers[TRACEPARENT] = parent


_of_tasks: dict[str, Any] = {}


@task_prerun.connect
def _begin_task(task_id: str, task: Any, **_: object) -> None:
    if not spans.are_followed():
        return
    parent = (task.request.headers or {}).get(TRACEPARENT)
    parent = parent if isinstance(parent, str) else None
    begun = spans.root(task.name, spans.Kind.TASK, {"messaging.system": "celery"}, parent=parent)
    _of_tasks[task_id] = (begun, begun.__enter__())


@task_failure.connect
def _note_failure(task_id: str, exception: BaseException, **_: object) -> None:
    if (found := _of_tasks.get(task_id)) is not None:
        found[1].note("error.type", type(exception).__name__)


@task_postrun.connect
def _end_task(task_id: str, **_: object) -> None:
    _of_tasks.pop(task_id, (nullcontext(), None))[0].__exit__(None, None, None)


@receiver(connection_created)
def _follow_statements(connection: Any, **_: object) -> None:
    if _around not in connection.execute_wrappers:
        connection.execute_wrappers.append(_around)


def _around(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
    with spans.statement(sql if isinstance(sql, (str, bytes)) else ""):
        return execute(sql, params, many, context)
