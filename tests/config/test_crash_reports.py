"""Crash reports: what arrives at a server over HTTP, and that it holds no value whatsoever."""

import gzip
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import sentry_sdk
import structlog
from celery import shared_task
from django.core.signals import got_request_exception

from config import crash_reports
from config.hidden import HiddenUrl
from connections import entrance
from connections.journal import crashes
from connections.lifecycle.vend import vend
from connections.models import Tenant
from tests.connections.api.stored import make_connection
from tests.factories import Caller
from tests.flows import call
from tests.upstream import Upstream, Wire, ok, upstream

__all__ = ["upstream"]
CANARY = "canary-7e1f"


class Refused(Exception):
    """One whose message, members and notes hold what must not leave."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.token = text
        self.add_note(text)


@pytest.fixture
def reports(upstream: Upstream, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Upstream]:
    def take(wire: Wire) -> None:
        wire.read_body()
        wire.answer(ok(b"{}", "Connection: close"))

    upstream.handle = take
    settings.SENTRY_DSN = HiddenUrl(f"{upstream.url.replace('//', '//public@')}/1")
    monkeypatch.setattr(crashes, "_reporters", [])
    crash_reports.begin()
    yield upstream
    sentry_sdk.init()


def sent(server: Upstream) -> list[dict[str, Any]]:
    """Return the events that came, having looked at every byte of what came."""
    sentry_sdk.flush(timeout=10)
    events = []
    for seen in server.seen:
        body = gzip.decompress(seen.body) if seen.one("content-encoding") == "gzip" else seen.body
        assert CANARY.encode() not in body
        assert CANARY not in f"{seen.line} {seen.headers}"
        lines = [json.loads(line) for line in body.decode().splitlines() if line]
        events += [line for line in lines if "exception" in line]
    return events


def crash(secret: str) -> None:
    local = {"key": secret}
    try:
        try:
            raise ValueError(secret)
        except ValueError as error:
            raise Refused(f"{secret} {local}") from error
    except Refused:
        raise KeyError(secret)  # noqa: B904 (a chained context is what is looked at)


def crashed(secret: str) -> BaseException:
    try:
        crash(secret)
    except KeyError as error:
        return error
    raise AssertionError


def test_a_chain_of_exceptions_is_told_by_classes_and_places(reports: Upstream) -> None:
    entrance.log_crash("/connect/x", crashed(CANARY))
    (event,) = sent(reports)
    values = event["exception"]["values"]
    assert [each["type"] for each in values] == ["ValueError", "Refused", "KeyError"]
    assert set(event) <= {"event_id", "timestamp", "level", "platform", "release", "environment", "exception"}
    for each in values:
        assert set(each) == {"type", "module", "stacktrace"}
        for frame in each["stacktrace"]["frames"]:
            assert set(frame) <= {"filename", "function", "module", "lineno", "in_app"}
    assert values[-1]["stacktrace"]["frames"][-1]["function"] == "crash"


def test_an_exception_group_is_told_likewise(reports: Upstream) -> None:
    crashes.report(ExceptionGroup(CANARY, [crashed(CANARY), Refused(CANARY)]))
    (event,) = sent(reports)
    assert "Refused" in {each["type"] for each in event["exception"]["values"]}


def test_what_libraries_gather_besides_stays_here(reports: Upstream) -> None:
    scope = sentry_sdk.get_isolation_scope()
    scope.set_tag("tag", CANARY)
    scope.set_extra("extra", CANARY)
    scope.set_user({"id": CANARY})
    scope.set_context("context", {"a": CANARY})
    scope.set_transaction_name(CANARY)
    scope.add_attachment(bytes=CANARY.encode(), filename=CANARY)
    sentry_sdk.add_breadcrumb(message=CANARY)
    logging.getLogger("x").error("%s", CANARY, exc_info=crashed(CANARY))
    structlog.get_logger("x").error("event", secret=CANARY)
    crashes.report(crashed(CANARY))
    assert len(sent(reports)) == 1
    scope.clear()


@pytest.mark.django_db(transaction=True)
def test_a_crash_of_the_api_is_reported_without_the_request(
    reports: Upstream, acme: Tenant, backend: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError(CANARY)

    monkeypatch.setattr(vend, "run_vend_statement", fail)
    connection = make_connection(acme)
    body = {"end_user": CANARY, "purpose": CANARY}
    headers = {"x-canary": CANARY, "cookie": f"a={CANARY}"}
    answer = call(backend, "POST", f"/connections/{connection.id}/credential", body, headers=headers)
    assert answer.status_code == 500
    (event,) = sent(reports)
    assert event["exception"]["values"][-1]["type"] == "RuntimeError"
    assert backend.key not in json.dumps(event)


def test_a_task_that_fails_is_reported_without_its_arguments(reports: Upstream) -> None:
    @shared_task(name="tests.fails")
    def fails(given: str) -> None:
        crash(given)

    fails.apply(args=[CANARY], kwargs={})
    (event,) = sent(reports)
    assert event["exception"]["values"][-1]["type"] == "KeyError"


def test_a_view_that_fails_is_reported(reports: Upstream) -> None:
    try:
        crash(CANARY)
    except KeyError:
        got_request_exception.send(sender=None, request=None)
    assert len(sent(reports)) == 1


def test_a_server_that_is_away_keeps_nobody_waiting(reports: Upstream) -> None:
    reports.handle = lambda wire: None
    crashes.report(crashed(CANARY))  # in a thread of the library's


def test_without_an_address_nothing_is_reported(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SENTRY_DSN = ""
    monkeypatch.setattr(crashes, "_reporters", [])
    crash_reports.begin()
    assert crashes._reporters == []
