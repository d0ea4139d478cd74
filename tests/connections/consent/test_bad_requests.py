"""What nobody's browser sends: it gets a page that says so, and leaves no error in the log."""

import io
import logging
import uuid
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings as project
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connections.models import ProviderApp, SessionState
from tests.asgi_client import AsgiClient
from tests.connections.consent.observed import session_of
from tests.flows import SAME_ORIGIN, EndUser, failure_of

CHARSETS = ["unicode_escape", "utf-16", "utf-7", "idna", "punycode", "base64", "latin-1", "rot13", "nonsense", "utf-8"]
MEDIA_TYPES = [
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "application/json",
    "",
]

STEPS = ["landing", "start", "choose", "method", "outcome", "outcome/x", "workspace", "finish", "logo", "favicon"]
STEPS += ["callback", "callback/x"]


def errors_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.levelno >= logging.ERROR or record.exc_info is not None
    ]


def ask(method: str, path: str, *, query: str = "", body: bytes = b"", **meta: str) -> tuple[int, dict[str, str]]:
    """Send a request as it is written; return the status and the headers of the answer."""
    answer = AsgiClient().request(
        REQUEST_METHOD=method,
        PATH_INFO=path,
        QUERY_STRING=query,
        CONTENT_LENGTH=str(len(body)),
        HTTP_HOST=urlsplit(project.PUBLIC_URL).netloc,
        **{"wsgi.input": io.BytesIO(body), "wsgi.url_scheme": urlsplit(project.PUBLIC_URL).scheme, **meta},
    )
    return answer.status_code, dict(answer.items())


def test_no_encoding_of_the_senders_choice_makes_an_error(app: ProviderApp, caplog: pytest.LogCaptureFixture) -> None:
    path = f"/connect/callback/{app.id}"
    for charset in CHARSETS:
        for query in ("state=%5Cud800", "state=%ED%A0%80&code=c", "state=%00", "state=%FF%FE", "\x00", "a=b&" * 1500):
            status, headers = ask("GET", path, query=query, CONTENT_TYPE=f"text/plain; charset={charset}")
            assert status == 303, (charset, query[:20])
            assert ask("GET", headers["Location"])[0] == 400
    assert errors_in(caplog) == []


def test_a_form_with_too_much_in_it_is_told_so(alice: EndUser, app: ProviderApp, caplog: Any) -> None:
    invitation = alice.invite()
    many = "&".join(f"f{number}=x" for number in range(1001))
    form = "application/x-www-form-urlencoded"
    for path in (f"/connect/{invitation.id}/start", f"/connect/callback/{app.id}"):
        for body, failure, status in (
            (many, "malformed_request", 400),
            ("x=" + "y" * 3_000_000, "request_too_large", 413),
        ):
            page = alice.browser.generic("POST", path, body, form, headers={"origin": "null"})
            assert (page.status_code, failure_of(page)) == (status, failure), path
    posted = alice.browser.generic("POST", f"/connect/callback/{app.id}", "code=" + "y" * 2_000_000, form)
    assert (posted.status_code, failure_of(posted)) == (413, "request_too_large")
    for named in ("", "; charset=utf-16"):
        asked = alice.browser.generic("POST", f"/connect/{invitation.id}/start", "token=x", form + named)
        assert asked.status_code == 200 and "please confirm once more" in asked.content.decode()
    assert session_of(invitation).state == SessionState.CREATED
    assert errors_in(caplog) == []


def test_nothing_typed_makes_an_error(alice: EndUser, app: ProviderApp, caplog: pytest.LogCaptureFixture) -> None:
    invitation = alice.invite()
    alice.start(invitation)
    for typed in ({"shop": "\x00"}, {"\x00": "x"}, {"token": "\ud7ff￿"}, {"form_proof": "ß"}):
        for step in ("start", f"method/{app.id}", "workspace"):
            alice.browser.post(f"/connect/{invitation.id}/{step}", typed, headers=SAME_ORIGIN)
    assert errors_in(caplog) == []


@pytest.mark.django_db(transaction=True)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    step=st.sampled_from(
        [
            "callback",
            "callback/x",
            "",
            "start",
            "choose",
            "method",
            "outcome",
            "outcome/x",
            "workspace",
            "finish",
            "logo",
            "favicon",
        ]
    ),
    method=st.sampled_from(["GET", "POST", "HEAD", "PUT", "OPTIONS"]),
    media_type=st.sampled_from(MEDIA_TYPES),
    charset=st.sampled_from(CHARSETS),
    query=st.binary(max_size=60),
    body=st.binary(max_size=200) | st.sampled_from([b"--x\r\n", b"--x--", b"token=%ED%A0%80", b"a=\x00"]),
    headers=st.dictionaries(
        st.sampled_from(["origin", "sec-fetch-site", "sec-fetch-dest", "cookie", "referer"]),
        st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=40),
        max_size=3,
    ),
)
def test_no_request_makes_an_error(
    step: str,
    method: str,
    media_type: str,
    charset: str,
    query: bytes,
    body: bytes,
    headers: dict[str, str],
    alice: EndUser,
    app: ProviderApp,
    caplog: pytest.LogCaptureFixture,
) -> None:
    invitation = getattr(alice, "fuzzed", None) or alice.invite()
    alice.fuzzed = invitation  # type: ignore[attr-defined]  # one session will do
    path = {
        "callback": f"callback/{app.id}",
        "callback/x": f"callback/{uuid.uuid4()}/x",
        "landing": f"{invitation.id}",
        "method": f"{invitation.id}/method/{app.id}",
    }.get(step, f"{invitation.id}/{step}")
    given_headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    content_type = f"{media_type}; charset={charset}" if media_type else ""
    text = query.decode("latin-1")
    status, _ = ask(method, f"/connect/{path}", query=text, body=body, CONTENT_TYPE=content_type, **given_headers)
    assert status < 500
    assert errors_in(caplog) == []
