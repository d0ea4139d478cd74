"""The client secret of an app is rotated in the admin, and the end of the earlier ones is seen and set there."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from connections.access.secrets import open_client_secrets
from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.provision.secret_sources import set_source
from connections.models import AuditEvent, ProviderApp, StaffLimit
from tests.connections.admin.conftest import (
    SECRET,
    World,
    make_app,
    messages_of,
    operator_with,
    page_url,
    press_url,
    unproven,
)
from tests.sources import Folder

NEW = "canary-second-secret"


def held(app: ProviderApp) -> list[str]:
    app.refresh_from_db()
    return [secret.get_secret_value() for secret in open_client_secrets(app)]


def in_days(days: float) -> str:
    """Return a moment as a browser's field for date and time sends it."""
    return f"{database_now() + timedelta(days=days):%Y-%m-%dT%H:%M}"


def test_a_secret_is_rotated_and_the_end_of_the_earlier_one_is_seen(olga: Client, world: World) -> None:
    ends = in_days(3)
    assert "New client secret" in olga.get(press_url(world.app, "rotate-secret")).content.decode()
    sent = {"client_secret": NEW, "others_end_at": ends}
    page = olga.post(press_url(world.app, "rotate-secret"), sent, follow=True)
    assert held(world.app) == [NEW, SECRET]
    assert world.app.other_secrets_end_at == datetime.fromisoformat(ends).replace(tzinfo=UTC)
    assert ends.replace("T", " ") in page.content.decode()
    assert ends.replace("T", " ") in messages_of(page)[0]
    assert AuditEvent.objects.get(action="provider_app.secret_added").operator == "olga"


def test_the_end_is_moved_and_taken_back(olga: Client, world: World) -> None:
    olga.post(press_url(world.app, "rotate-secret"), {"client_secret": NEW, "others_end_at": in_days(3)})
    later = in_days(9)
    olga.post(press_url(world.app, "end-secrets"), {"others_end_at": later})
    world.app.refresh_from_db()
    assert world.app.other_secrets_end_at == datetime.fromisoformat(later).replace(tzinfo=UTC)
    assert later in olga.get(press_url(world.app, "end-secrets")).content.decode(), "as it is now"
    olga.post(press_url(world.app, "end-secrets"), {"others_end_at": ""})
    world.app.refresh_from_db()
    assert world.app.other_secrets_end_at is None


def test_the_day_on_which_it_expires_is_noted_and_foretold(olga: Client, world: World) -> None:
    expires = in_days(5)
    olga.post(press_url(world.app, "end-secrets"), {"others_end_at": "", "expires_at": expires})
    world.app.refresh_from_db()
    assert world.app.secret_expires_at == datetime.fromisoformat(expires).replace(tzinfo=UTC)
    assert f"expires at the provider on {expires.replace('T', ' ')}" in olga.get(page_url(world.app)).content.decode()
    assert page_url(world.app) in olga.get(reverse("forecast"), {"days": "30"}).content.decode()
    page = olga.post(press_url(world.app, "rotate-secret"), {"client_secret": NEW, "expires_at": in_days(700)})
    world.app.refresh_from_db()
    assert page.status_code == 302
    assert world.app.secret_expires_at > database_now() + timedelta(days=690)


@pytest.mark.parametrize("ends", ["soon", "0001-01-01T00:00", "9999-12-31T23:59", "2020-01-01T00:00"])
def test_a_moment_that_is_none_or_past_is_refused_at_its_field(olga: Client, world: World, ends: str) -> None:
    page = olga.post(press_url(world.app, "rotate-secret"), {"client_secret": NEW, "others_end_at": ends})
    assert (page.status_code, list(page.context["form"].errors)) == (200, ["others_end_at"])
    assert NEW not in page.content.decode(), "what was typed is not shown again"
    assert held(world.app) == [SECRET]


def test_a_secret_that_no_request_can_carry_is_refused(olga: Client, world: World) -> None:
    page = olga.post(press_url(world.app, "rotate-secret"), {"client_secret": "a\nb", "others_end_at": ""})
    assert page.status_code == 200
    assert page.context["form"].errors
    assert held(world.app) == [SECRET]


def test_an_app_without_secrets_has_nothing_to_rotate(olga: Client, world: World) -> None:
    world.app.forget_secrets()
    assert "rotate-secret" not in olga.get(page_url(world.app)).content.decode()
    olga.post(press_url(world.app, "rotate-secret"), {"client_secret": NEW, "others_end_at": ""})
    world.app.refresh_from_db()
    assert world.app.secrets is None


@pytest.mark.django_db(transaction=True)
def test_a_secret_is_read_from_elsewhere_and_its_failure_is_seen(olga: Client, world: World, mounted: Folder) -> None:
    reference, refer = mounted.put("ours", NEW), press_url(world.app, "refer-secret")
    assert mounted.path.name in olga.get(refer).content.decode(), "what the settings allow"
    told = messages_of(olga.post(refer, {"client_secret_from": reference}, follow=True))[0]
    assert (held(world.app), NEW in told) == ([NEW, SECRET], False)
    page = olga.get(page_url(world.app)).content.decode()
    assert reference in page
    assert press_url(world.app, "rotate-secret") not in page, "it is rotated where it is kept"
    mounted.put("ours", "canary-third-secret")
    olga.post(press_url(world.app, "read-secret"), follow=True)
    assert held(world.app) == ["canary-third-secret", NEW, SECRET]
    rows = AuditEvent.objects.filter(action__in=("provider_app.secret_source_set", "provider_app.secret_read"))
    assert [row.operator for row in rows] == ["olga"] * 3
    (mounted.path / "ours").unlink()
    told = messages_of(olga.post(press_url(world.app, "read-secret"), follow=True))[0]
    assert "the one read last is in use" in told
    assert "No such file" in olga.get(page_url(world.app)).content.decode()
    olga.post(refer, {"client_secret_from": ""})
    assert (held(world.app)[0], world.app.secret_source) == ("canary-third-secret", "")


@pytest.mark.django_db(transaction=True)
def test_a_reference_that_is_refused_is_told_at_its_field(olga: Client, world: World, mounted: Folder) -> None:
    page = olga.post(press_url(world.app, "refer-secret"), {"client_secret_from": "file:/etc/hostname"})
    assert "LATCHKEY_SECRET_SOURCES does not allow file:/etc/hostname" in page.content.decode()
    assert held(world.app) == [SECRET]


@pytest.mark.django_db(transaction=True)
def test_only_security_says_from_where_a_secret_is_read(world: World, mounted: Folder) -> None:
    sent = {"client_secret_from": mounted.put("ours", NEW)}
    names = ("change_providerapp", "view_providerapp", "refer_secret")
    without, limited = operator_with("otto", *names[:2]), operator_with("lara", *names)
    assert without.post(press_url(world.app, "refer-secret"), sent).status_code == 403
    StaffLimit.objects.create(user=User.objects.get(username="lara")).tenants.add(world.tenant)
    for verb in ("refer-secret", "read-secret"):
        assert limited.post(press_url(world.app, verb), sent).status_code == 403, "it is of all tenants"
    assert held(world.app) == [SECRET]


@pytest.mark.django_db(transaction=True)
def test_staff_of_some_tenants_do_not_learn_where_a_secret_is_kept(world: World, mounted: Folder) -> None:
    app = world.app if world.app.tenant_id else make_app(world.tenant)
    set_source(app, mounted.put("ours", NEW), actor=SYSTEM)
    limited = operator_with("lara", "change_providerapp", "view_providerapp", "view_auditevent", "refer_secret")
    StaffLimit.objects.create(user=User.objects.get(username="lara")).tenants.add(world.tenant)
    page = limited.get(page_url(app)).content.decode()
    assert ("where the operator keeps it" in page, str(mounted.path) in page) == (True, False)


@pytest.mark.django_db(transaction=True)
def test_a_source_is_said_only_by_who_has_just_proven_themselves(world: World, mounted: Folder) -> None:
    browser = unproven(operator_with("otto", "change_providerapp", "view_providerapp", "refer_secret"))
    answer = browser.post(press_url(world.app, "refer-secret"), {"client_secret_from": mounted.put("ours", NEW)})
    assert (answer.status_code, held(world.app)) == (302, [SECRET])
    assert "/prove/" in answer["Location"]
