"""What operators see of pushes, and how the secret comes in by which these are known."""

import time

import pytest
from django.test import Client

from connections.access.secrets import open_push_secrets
from connections.models import AuditEvent, ProviderApp, ReceivedPush
from tests.connections.admin.conftest import World, list_url, page_url, press_url
from tests.pushing import SANDBOX, post, push, sent_to

pytestmark = pytest.mark.django_db(transaction=True)


def known(app: ProviderApp) -> list[str]:
    return [secret.get_secret_value() for secret in open_push_secrets(ProviderApp.objects.get(id=app.id))]


def test_a_secret_is_entered_never_shown_and_the_one_before_stays(olga: Client, world: World) -> None:
    before = known(world.app)
    page = olga.post(press_url(world.app, "push-secret"), {"secret": "typed-secret-1"}, follow=True)
    assert "Pushes are known by it from now on." in page.content.decode()
    assert "typed-secret-1" not in page.content.decode()
    assert known(world.app) == ["typed-secret-1", *before]
    olga.post(press_url(world.app, "push-secret"), {"secret": "typed-secret-2"})
    assert known(world.app) == ["typed-secret-2", "typed-secret-1"]
    olga.post(press_url(world.app, "retire-push-secret"))
    assert known(world.app) == ["typed-secret-2"]
    told = AuditEvent.objects.filter(action__startswith="provider_app.push_secret").order_by("id")
    assert [row.action.rpartition("_")[2] for row in told][-3:] == ["added", "added", "retired"]
    assert {row.operator for row in told} >= {"olga"}


@pytest.mark.parametrize("typed", ["short", "with\na line", "é" * 20, "x" * 2000])
def test_what_no_provider_shows_is_refused_without_being_shown(olga: Client, world: World, typed: str) -> None:
    before = known(world.app)
    page = olga.post(press_url(world.app, "push-secret"), {"secret": typed})
    assert page.status_code == 200
    assert "Copy it again" in page.content.decode()
    assert typed not in page.content.decode()
    assert known(world.app) == before


def test_the_page_of_an_app_says_what_to_register_and_what_went_wrong(olga: Client, world: World) -> None:
    page = olga.get(page_url(world.app)).content.decode()
    assert f"/pushes/{world.app.id}" in page
    forged = sent_to(world.app, SANDBOX, {"type": "grant.revoked"}, secret="another-secret-of-8")
    ReceivedPush.objects.all().delete()
    post(world.app.id, forged)
    page = olga.get(page_url(world.app)).content.decode()
    assert "The last push was refused." in page
    assert "It was not signed with the secret that we have." in page


def test_the_list_says_what_came_and_what_came_of_it(olga: Client, world: World) -> None:
    olga.post(press_url(world.app, "push-secret"), {"secret": SANDBOX.secret})
    push(world.app, SANDBOX, {"id": "1", "type": "grant.revoked", "account": "nobody", "occurred_at": time.time()})
    page = olga.get(list_url(ReceivedPush)).content.decode()
    assert "About nothing that we know." in page
    assert (
        olga.get(
            page_url(
                ReceivedPush.objects.get(
                    connections=0, state="done", event_types=["grant.revoked"], done_at__isnull=False
                )
            )
        ).status_code
        == 200
    )
