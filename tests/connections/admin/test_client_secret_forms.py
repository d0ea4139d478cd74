"""The client secret of an app is rotated in the admin, and the end of the earlier ones is seen and set there."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from connections.access.secrets import open_client_secrets
from connections.database.clock import database_now
from connections.models import AuditEvent, ProviderApp
from tests.connections.admin.conftest import SECRET, World, messages_of, page_url, press_url

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
