"""The window in which a request may leave: nothing goes out after it, however long the connection took."""

import time
from typing import Any

import pytest
import trustme

from providers import egress, send_window
from providers.errors import NotSentInTime
from tests.providers.wire import server_context


def test_a_request_that_is_too_late_does_not_leave(egress_policy: Any, provider: Any) -> None:
    now = time.monotonic()
    with send_window.open_until(now - 0.01, others_by=now + 60), pytest.raises(NotSentInTime) as raised:
        egress.request("POST", provider.url, form={"refresh_token": "canary"})
    assert not raised.value.sent
    assert provider.requests == []
    assert egress.request("GET", provider.url).status == 404, "the window ends with its block"


def test_the_time_that_connecting_takes_counts(trusting: Any, authority: trustme.CA, make_provider: Any) -> None:
    context = server_context(authority.issue_cert("127.0.0.1"))
    context.sni_callback = lambda *_: time.sleep(0.5)
    server = make_provider(context)
    now = time.monotonic()
    with send_window.open_until(now + 0.3, others_by=now + 60), pytest.raises(NotSentInTime):
        egress.request("GET", server.url)
    assert server.requests == []


def test_requests_after_the_first_have_a_window_of_their_own(egress_policy: Any, provider: Any) -> None:
    now = time.monotonic()
    with send_window.open_until(now + 60, others_by=now - 0.01):
        egress.request("GET", provider.url)
        with pytest.raises(NotSentInTime):
            egress.request("GET", provider.url)
    with send_window.open_until(now + 60, others_by=now + 60):
        egress.request("GET", provider.url)
        egress.request("GET", provider.url)
    assert len(provider.requests) == 3
