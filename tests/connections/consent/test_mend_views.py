"""The link that heals: where a tenant has no reconnect page, ours says what is wrong and where to mend it."""

import re
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.http import HttpResponse

from connections.consent.words import words_to_mend
from connections.models import REASONS_OF, Brand, Connection, ConnectSession, Reason, Status, Tenant
from tests.asgi_client import AsgiClient
from tests.connections.api.stored import make_connection, overwrite
from tests.factories import Caller, make_tenant
from tests.flows import EndUser, call

BROKEN = [(status, reason) for status in (Status.NEEDS_REAUTH, Status.REVOKED) for reason in REASONS_OF[status]]


def link_to(backend: Caller, connection: Connection) -> str:
    """Return the link that a refused vend carries."""
    body = {"end_user": connection.end_user, "purpose": "test"}
    answer = call(backend, "POST", f"/connections/{connection.id}/credential", body)
    assert answer.status_code == 409
    return str(urlsplit(answer.json()["connect_url"]).path)


def opened(path: str) -> HttpResponse:
    """Open it in a browser that has nothing of ours."""
    answer: HttpResponse = AsgiClient().get(path, headers={"sec-fetch-dest": "document"})
    return answer


def broken(tenant: Tenant, **changes: Any) -> Connection:
    return make_connection(tenant, status=Status.NEEDS_REAUTH, reason=Reason.GRANT_REJECTED, **changes)


@pytest.mark.parametrize(("status", "reason"), BROKEN)
def test_it_says_what_is_wrong_and_leads_to_the_product(
    status: Status, reason: Reason, acme: Tenant, backend: Caller
) -> None:
    connection = make_connection(acme, status=status, reason=reason, end_user="alice-canary")
    page = opened(link_to(backend, connection))
    text = unescape(page.content.decode())
    assert page.status_code == 200
    assert "Your Sandbox account has to be connected again" in text
    assert words_to_mend(connection).advice.split(". ")[0].format(provider="Sandbox") in text
    assert 'id="product" href="https://app.acme.example/"' in text
    assert reason not in text and "alice-canary" not in text
    assert page["Referrer-Policy"] == "no-referrer" and page["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in page["Content-Security-Policy"]


def test_every_cause_has_words_of_its_own(acme: Tenant) -> None:
    advice = {words_to_mend(Connection(status=status, reason=reason)).advice for status, reason in BROKEN}
    assert len(advice) == len(BROKEN)


def test_it_begins_nothing(acme: Tenant, backend: Caller) -> None:
    path = link_to(backend, broken(acme))
    page = opened(path)
    assert "<form" not in page.content.decode()
    assert not page.cookies
    assert AsgiClient().post(path).status_code == 405
    assert ConnectSession.objects.count() == 0


def test_it_leads_to_where_connecting_led_back_while_that_is_on_the_tenants_list(alice: EndUser, acme: Tenant) -> None:
    other = "https://other.acme.example/after?x=1"
    make_tenant("acme", return_urls=[*acme.return_urls, other])
    connection = Connection.objects.get(id=alice.connect(return_url=other)["id"])
    overwrite(connection, status=Status.NEEDS_REAUTH, reason=Reason.GRANT_REJECTED)
    path = link_to(alice.backend, connection)
    assert 'href="https://other.acme.example/"' in opened(path).content.decode()
    make_tenant("acme", return_urls=acme.return_urls)
    assert 'href="https://app.acme.example/"' in opened(path).content.decode()


def test_a_connection_that_was_mended_meanwhile_says_so(acme: Tenant, backend: Caller) -> None:
    connection = broken(acme)
    path = link_to(backend, connection)
    overwrite(connection, status=Status.ACTIVE, reason=Reason.RECONNECTED)
    assert "Nothing is wrong with it now" in opened(path).content.decode()
    overwrite(connection, status=Status.DISCONNECTED, reason=Reason.DISCONNECTED_BY_REQUEST)
    assert "no longer connected" in opened(path).content.decode()


def test_a_link_that_we_did_not_give_out_is_like_any_address_without_a_page(acme: Tenant, backend: Caller) -> None:
    connection, other = broken(acme), broken(acme, end_user="bob")
    path = link_to(backend, connection)
    proof = path.rpartition("/")[2]
    guesses = [
        path[:-1] + ("0" if path[-1] != "0" else "1"),
        path.replace(str(connection.id), str(other.id)),
        f"/connect/mend/00000000-0000-4000-8000-000000000000/{proof}",
        f"{path}x",
        path.replace(proof, "ü"),
    ]
    answers = [opened(guess) for guess in [*guesses, "/nothing", f"{guesses[0]}/logo"]]
    assert {(answer.status_code, answer.content) for answer in answers} == {(404, answers[0].content)}
    assert re.search("acme", answers[0].content.decode(), re.IGNORECASE) is None


def test_it_shows_the_tenants_logo(acme: Tenant, backend: Caller) -> None:
    path = link_to(backend, broken(acme))
    assert opened(f"{path}/logo").status_code == 404
    Brand.objects.filter(tenant=acme).update(logo=b"<svg/>", logo_media_type="image/svg+xml")
    assert f'src="{path}/logo"' in opened(path).content.decode()
    shown = opened(f"{path}/logo")
    assert (shown.content, shown["Content-Type"]) == (b"<svg/>", "image/svg+xml")
    assert "sandbox" in shown["Content-Security-Policy"]
