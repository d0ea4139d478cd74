"""Traces: what arrives at a collector over HTTP, from where to where it leads, and that nothing secret is in it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from config import traces
from connections import tasks
from connections.models import Connection
from providers import spans
from providers.sandbox.client import SandboxProcess
from tests.flows import EndUser, call, completion_code
from tests.upstream import Upstream, Wire, ok, upstream

__all__ = ["upstream"]
TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = f"00-{TRACE}-b7ad6b7169203331-01"


@dataclass
class Collector:
    """A server that takes OTLP."""

    server: Upstream

    @property
    def raw(self) -> bytes:
        return b"".join(seen.body + str(seen.headers).encode() for seen in self.server.seen)

    @property
    def spans(self) -> list[Any]:
        found = []
        for seen in self.server.seen:
            for resource in ExportTraceServiceRequest.FromString(seen.body).resource_spans:
                found += [span for scope in resource.scope_spans for span in scope.spans]
        return found

    def named(self, name: str) -> list[Any]:
        return [span for span in self.spans if span.name == name]


@pytest.fixture
def collector(upstream: Upstream) -> Iterator[Collector]:
    def take(wire: Wire) -> None:
        wire.read_body()
        wire.answer(ok(b"", "Connection: close"))

    upstream.handle = take
    follower = traces.follower_with(SimpleSpanProcessor(OTLPSpanExporter(endpoint=f"{upstream.url}/v1/traces")))
    with spans.followed_by(follower):
        yield Collector(upstream)


def facts_of(span: Any) -> dict[str, Any]:
    return {each.key: each.value.string_value or each.value.int_value for each in span.attributes}


@pytest.mark.django_db(transaction=True)
def test_nothing_secret_is_in_the_traces_of_a_whole_life(alice: EndUser, collector: Collector) -> None:
    invitation = alice.invite()
    callback = alice.authorize(invitation)
    code = completion_code(alice.visit(callback))
    made = alice.complete(invitation, code).json()["connection"]
    first = alice.vend(made["id"]).json()["credential"]
    again = call(alice.backend, "POST", f"/connections/{made['id']}/refresh", {}, headers={"traceparent": CALLER})
    assert again.status_code == 200
    vended = call(
        alice.backend,
        "POST",
        f"/connections/{made['id']}/credential?canary-query=1",
        {"end_user": "alice", "purpose": "canary-purpose"},
        headers={"x-canary": "canary-header", "baggage": "a=canary-baggage", "tracestate": "a=canary-state"},
    )
    second = vended.json()["credential"]["value"] if vended.status_code == 200 else ""
    call(alice.backend, "GET", f"/connections/{made['id']}/proxy/canary-path?key=canary-key")
    call(None, "GET", "/connections/canary-id", headers={"authorization": "Bearer canary-bearer"})
    alice.browser.generic("CANARY", "/connect/canary-page")
    tasks.probe_connections.apply(args=[made["id"]])

    kinds = {span.name for span in collector.spans}
    assert {"POST vend", "POST api", "POST widget", "GET widget", "_OTHER widget", "call", "SELECT"} <= kinds
    secrets = [alice.backend.key, invitation.token, code, first["value"], second]
    secrets += re.findall(r"=([\w~-]{16,})", callback)
    secrets += ["canary", "alice", "lk_", made["id"]]
    raw = collector.raw.decode("latin-1")
    assert len(secrets) > 8
    assert [secret for secret in secrets if secret and secret in raw] == []
    assert "INSERT INTO" not in raw and "WHERE" not in raw


@pytest.mark.django_db(transaction=True)
def test_a_callers_trace_goes_on_to_the_provider_and_ends_there(
    alice: EndUser, collector: Collector, sandbox: SandboxProcess
) -> None:
    made = alice.connect()
    call(alice.backend, "POST", f"/connections/{made['id']}/refresh", {}, headers={"traceparent": CALLER})
    mine = [span for span in collector.spans if span.trace_id.hex() == TRACE]
    (request,) = [span for span in mine if span.name == "POST api"]
    assert request.parent_span_id.hex() == CALLER.split("-")[2]
    assert facts_of(request)["http.response.status_code"] == 200
    calls = [span for span in mine if span.name == "call"]
    assert calls and all(facts_of(span)["server.address"] == "127.0.0.1" for span in calls)
    assert {span.name for span in mine} & {"SELECT", "INSERT", "UPDATE"}
    assert all("traceparent" not in str(each).lower() for each in sandbox.control.log())


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("header", ["nonsense", "00-0-0-01", f"{CALLER}, {CALLER}", "x" * 5000])
def test_a_traceparent_that_is_none_begins_a_new_trace(alice: EndUser, collector: Collector, header: str) -> None:
    assert call(alice.backend, "GET", "/connections", headers={"traceparent": header}).status_code == 200
    (request,) = collector.named("GET api")
    assert request.parent_span_id == b""


@pytest.mark.django_db(transaction=True)
def test_a_page_belongs_to_no_trace_of_its_visitors(alice: EndUser, collector: Collector) -> None:
    alice.browser.get("/connect/v1/connect.js", headers={"traceparent": CALLER})
    (request,) = collector.named("GET widget")
    assert request.parent_span_id == b"" and request.trace_id.hex() != TRACE


@pytest.mark.django_db(transaction=True)
def test_health_checks_leave_no_spans(alice: EndUser, collector: Collector) -> None:
    assert alice.browser.get("/readyz").status_code == 200
    assert collector.spans == []


def test_a_task_goes_on_with_the_trace_that_sent_it(collector: Collector) -> None:
    with spans.root("sender", spans.Kind.SERVER, {}, parent=CALLER):
        headers: dict[str, Any] = {}
        traces.before_task_publish.send(sender="x", headers=headers)
    assert headers["traceparent"].startswith(f"00-{TRACE}-")
    tasks.send_due_notices.apply(headers=headers)
    (task,) = collector.named(tasks.send_due_notices.name)
    assert task.trace_id.hex() == TRACE


def test_a_failure_leaves_its_class_alone(collector: Collector) -> None:
    with pytest.raises(ValueError, match="canary"), spans.root("sender", spans.Kind.SERVER, {}):
        raise ValueError("canary-message")
    (span,) = collector.named("sender")
    assert (facts_of(span), list(span.events), span.status.message) == ({"error.type": "ValueError"}, [], "")
    assert b"canary" not in collector.raw


def test_without_an_endpoint_nobody_follows(settings: Any) -> None:
    settings.TRACES_ENDPOINT = ""
    traces.begin()
    assert not spans.are_followed()
    with spans.root("x", spans.Kind.TASK, {}) as span, spans.statement("SELECT 1"):
        span.note("a", 1)


@pytest.mark.django_db(transaction=True)
def test_a_statement_says_its_first_word_if_that_is_one(collector: Collector) -> None:
    connection.close()
    with spans.root("sender", spans.Kind.SERVER, {}):
        for text in ("SELECT 'canary'", b"  insert into x", "(select 1)", "canary-word", ""):
            with spans.statement(text):
                pass
        Connection.objects.filter(end_user="canary").count()
    names = [span.name for span in collector.spans]
    assert names == ["SELECT", "INSERT", "SELECT", "OTHER", "OTHER", "SELECT", "sender"]
    assert json.dumps([facts_of(span) for span in collector.spans]).count("canary") == 0
