"""Access grants in the admin: given with a proof, shown, and revoked."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from connections.models import AccessGrant, AuditEvent
from tests.connections.admin.conftest import (
    World,
    list_url,
    messages_of,
    operator_with,
    page_url,
    press_url,
    unproven,
)
from tests.factories import make_caller

ADD = reverse("admin:connections_accessgrant_add")


def give(browser: Client, world: World, **changes: Any) -> Any:
    data = {
        "tenant": str(world.tenant.id),
        "subject_kind": "end_user",
        "subject": "carol",
        "provider": "sandbox",
        **changes,
    }
    return browser.post(ADD, {name: value for name, value in data.items() if value is not None})


def test_a_grant_is_given_within_its_limits(olga: Client, world: World) -> None:
    answer = give(
        olga,
        world,
        provider="",
        connection=str(world.connection.id),
        allowed_scopes="profile.read\n\nfiles.read\n",
        readonly="on",
        allowed_paths="-",
        note="until the audit",
    )
    assert answer.status_code == 302
    grant = AccessGrant.objects.get(subject="carol")
    assert (grant.connection_id, grant.provider) == (world.connection.id, "")
    assert (grant.scopes, grant.methods, grant.paths) == (["files.read", "profile.read"], ["GET", "HEAD"], [])
    assert AuditEvent.objects.filter(action="access_grant.given", operator="olga").count() == 1
    html = olga.get(page_url(grant)).content.decode()
    for shown in ("carol", "None at all", "until the audit", "Standing"):
        assert shown in html
    assert "carol" in olga.get(list_url(AccessGrant)).content.decode()


def test_without_limits_there_are_none(olga: Client, world: World) -> None:
    assert give(olga, world).status_code == 302
    grant = AccessGrant.objects.get(subject="carol")
    assert (grant.scopes, grant.methods, grant.paths) == (None, None, None)
    assert "No limit" in olga.get(page_url(grant)).content.decode()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"provider": ""}, "connection"),
        ({"provider": "unheard-of"}, "provider"),
        ({"allowed_paths": "contacts"}, "allowed_paths"),
        ({"allowed_methods": "get"}, "allowed_methods"),
        ({"allowed_methods": "GET", "readonly": "on"}, "readonly"),
        ({"subject_kind": "api_client", "subject": "x"}, "subject"),
        ({"expires_at": "2020-01-01T00:00"}, "expires_at"),
    ],
)
def test_a_form_that_contradicts_itself_says_where(
    olga: Client, world: World, changes: dict[str, Any], field: str
) -> None:
    answer = give(olga, world, **changes)
    assert answer.status_code == 200
    assert field in answer.context["adminform"].form.errors
    assert not AccessGrant.objects.filter(subject="carol").exists()


def test_a_grant_needs_a_proof_of_who_gives_it(olga: Client, world: World) -> None:
    answer = give(unproven(olga), world)
    assert "Prove it in another window" in answer.content.decode()
    assert not AccessGrant.objects.filter(subject="carol").exists()


@pytest.mark.parametrize("kind", ["agent", "api_client"])
def test_acting_without_a_user_needs_a_right_of_its_own(world: World, kind: str) -> None:
    subject = str(make_caller(world.tenant, "robot").client.id) if kind == "api_client" else "crm-sync"
    nina = operator_with("nina", "add_accessgrant", "view_accessgrant", "view_tenant", "view_connection")
    assert give(nina, world, subject_kind=kind, subject=subject).status_code == 200
    assert not AccessGrant.objects.filter(subject=subject).exists()
    assert give(nina, world).status_code == 302
    rights = ("add_accessgrant", "view_accessgrant", "view_tenant", "view_connection", "entrust_apiclient")
    assert give(operator_with("omar", *rights), world, subject_kind=kind, subject=subject).status_code == 302


def test_a_grant_is_revoked_after_a_question(olga: Client, world: World) -> None:
    grant = AccessGrant.objects.get(subject="bob")
    assert "next request on" in olga.get(press_url(grant, "revoke")).content.decode()
    assert "allows nothing" in messages_of(olga.post(press_url(grant, "revoke"), follow=True))[0]
    grant.refresh_from_db()
    assert grant.revoked_at is not None
    assert "not possible any more" in messages_of(olga.post(press_url(grant, "revoke"), follow=True))[0]
    assert "Revoked" in olga.get(page_url(grant)).content.decode()
