"""Browsers that do not say which site a form came from: its own people get through, and no other site's form does."""

import re
import uuid

import pytest
from django.http import HttpResponse

from connections.consent.sender import form_proof
from connections.models import ProviderApp, SessionState, Tenant
from providers.catalog.methods import ApiKeyMethod
from providers.sandbox.client import SandboxProcess
from tests.connections.consent.choosing import fields_of
from tests.connections.consent.observed import session_of, token_requests
from tests.factories import make_sandbox_app
from tests.flows import EndUser, Invitation, completion_code, failure_of, provider_link

# What they send with a form of ours under `Referrer-Policy: no-referrer`, and with one of an attacker's page, if it so
# wants.
OLD = [{"origin": "null"}, {}]
IDS = ["null", "none"]


def send(user: EndUser, path: str, typed: dict[str, str], headers: dict[str, str]) -> HttpResponse:
    answer: HttpResponse = user.browser.post(path, typed, headers=headers)
    return answer


def start(invitation: Invitation) -> str:
    return f"/connect/{invitation.id}/start"


def confirm(user: EndUser, invitation: Invitation, headers: dict[str, str]) -> HttpResponse:
    """Take the click on the landing page, and the one on the page that asks again."""
    asked = send(user, start(invitation), {"token": invitation.token}, headers)
    assert asked.status_code == 200
    return send(user, start(invitation), fields_of(asked), headers)


@pytest.mark.parametrize("headers", OLD, ids=IDS)
def test_an_old_browser_gets_through_with_one_more_click(headers: dict[str, str], alice: EndUser) -> None:
    invitation = alice.invite()
    left = confirm(alice, invitation, headers)
    code = completion_code(alice.visit(alice.person.authorize(provider_link(left))))
    assert alice.complete(invitation, code).status_code == 200


@pytest.mark.parametrize("headers", OLD, ids=IDS)
def test_an_old_browser_gets_through_the_choice_and_the_fields(
    headers: dict[str, str], alice: EndUser, app: ProviderApp, acme: Tenant, sandbox: SandboxProcess
) -> None:
    keys = make_sandbox_app(sandbox, tenant=acme, style=ApiKeyMethod.style)
    invitation = alice.invite()
    choices = alice.visit(confirm(alice, invitation, headers)["Location"])
    by_oauth = send(alice, f"/connect/{invitation.id}/method/{app.id}", fields_of(choices), headers)
    assert provider_link(by_oauth)
    path = f"/connect/{invitation.id}/method/{keys.id}"
    form = alice.visit(path)
    wrong = send(alice, path, fields_of(form) | {"api_key": "short"}, headers)
    assert wrong.status_code == 422
    right = send(alice, path, fields_of(wrong) | {"api_key": sandbox.control.api_key("alice")}, headers)
    assert alice.complete(invitation, completion_code(right)).status_code == 200


@pytest.mark.parametrize("headers", OLD, ids=IDS)
def test_another_site_cannot_begin_a_session_unseen(
    headers: dict[str, str], alice: EndUser, mallory: EndUser, sandbox: SandboxProcess
) -> None:
    """The attacker knows the token of a session of their own, and may have seen any page of it."""
    invitation = mallory.invite()
    seen = fields_of(send(mallory, start(invitation), {"token": invitation.token}, headers))
    for forged in (
        {"token": invitation.token},
        {"token": invitation.token, "form_proof": ""},
        {"token": invitation.token, "form_proof": "0" * 64},
        {"token": invitation.token, "form_proof": "é"},
        seen,
    ):
        page = send(alice, start(invitation), forged, headers)
        assert page.status_code == 200
        assert "Acme asks to use your Sandbox account" in page.content.decode()
        assert "If somebody sent you this link, close the page." in page.content.decode()
        assert not re.search(r"<script|http-equiv", page.content.decode()), "nothing but a click goes on"
        assert page["X-Frame-Options"] == "DENY"
        assert {name for name in page.cookies if "click" not in name} == set()
        assert session_of(invitation).state == SessionState.CREATED
    assert sandbox.control.log(endpoint="authorize") == token_requests(sandbox) == []


@pytest.mark.parametrize("headers", OLD, ids=IDS)
def test_another_site_cannot_send_a_later_form(
    headers: dict[str, str], alice: EndUser, mallory: EndUser, app: ProviderApp
) -> None:
    """Where the cookie comes along all the same: an old browser, or a sibling of our own host."""
    invitation, own = alice.invite(), mallory.invite()
    alice.start(invitation)
    mallory.start(own)
    path = f"/connect/{invitation.id}/method/{app.id}"
    seen = fields_of(mallory.visit(f"/connect/{own.id}/method/{app.id}"))
    before = session_of(invitation).state_hash
    for forged in ({}, {"form_proof": ""}, {"form_proof": "0" * 64}, seen):
        page = send(alice, path, forged, headers)
        assert (page.status_code, failure_of(page)) == (403, "foreign_form")
    assert session_of(invitation).state_hash == before
    proof = fields_of(alice.visit(path))
    assert failure_of(send(mallory, path, proof, headers)) == "foreign_form"
    assert provider_link(send(alice, path, proof, headers))


def test_a_proof_is_no_way_past_a_browser_that_says_it_is_another_site(alice: EndUser, app: ProviderApp) -> None:
    invitation = alice.invite()
    alice.start(invitation)
    path = f"/connect/{invitation.id}/method/{app.id}"
    proof = fields_of(alice.visit(path))
    for headers in (
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": "http://testserver"},
        {"origin": "https://testserver"},
        {"origin": "http://testserver:8000"},
        {"origin": "http://[broken"},
    ):
        assert failure_of(send(alice, path, proof, headers)) == "foreign_form"


@pytest.mark.parametrize("origin", ["http://testserver", "http://testserver:80"])
def test_a_browser_that_names_our_origin_needs_no_proof(origin: str, alice: EndUser) -> None:
    invitation = alice.invite()
    assert provider_link(send(alice, start(invitation), {"token": invitation.token}, {"origin": origin}))


def test_asking_again_is_no_oracle_and_repeats_no_more_than_a_token(alice: EndUser) -> None:
    invitation = alice.invite()
    page = send(alice, start(invitation), {"token": '"><script>' + "x" * 10_000}, {"origin": "null"})
    text = page.content.decode()
    assert "<script>" not in text
    assert len(text) < 5_000
    unknown = send(alice, "/connect/00000000-0000-4000-8000-000000000000/start", {"token": "x"}, {})
    assert (unknown.status_code, failure_of(unknown)) == (404, "unknown")


def test_a_proof_is_of_one_session_and_of_one_browser() -> None:
    first, second = uuid.uuid4(), uuid.uuid4()
    proofs = {form_proof(first, "a"), form_proof(first, "b"), form_proof(second, "a")}
    assert len(proofs) == 3
    assert form_proof(first, "a") in proofs
    assert form_proof(first, None) == form_proof(first, "") == ""
