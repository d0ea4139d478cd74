"""The rotation of client secrets: the earlier ones are tried until their end, and destroyed after it."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from connections.access.secrets import open_client_secrets, open_registration
from connections.access.targets import registrar_of
from connections.database.clock import database_now
from connections.journal.audit import SYSTEM, Actor
from connections.lifecycle.provision.client_secrets import (
    add_client_secret,
    end_others,
    fingerprints,
    remove_client_secret,
    set_end_of_others,
    set_expiry,
)
from connections.lifecycle.provision.provider_apps import Registration, save_provider_app
from connections.models import AuditEvent, OutboxEvent, ProviderApp
from connections.refusals import InvalidRequest
from connections.tasks import sweep_old_rows
from providers.catalog.methods import AuthorizationCodeMethod
from tests.factories import make_tenant

ANN = Actor(operator="ann")
WEEK = timedelta(days=7)
STYLE = AuthorizationCodeMethod.style
ENDED = "provider_app.secrets_ended"


@pytest.fixture
def app(db: None) -> ProviderApp:
    return save_app(["first"])


def save_app(secrets: list[str] | None, *, port: int = 9) -> ProviderApp:
    """Make or replace the app that all tenants share."""
    params = {"issuer": f"http://127.0.0.1:{port}"}
    typed = Registration("sandbox", STYLE, client_id="ours", client_secrets=secrets, params=params)
    saved = save_provider_app(typed, tenant=None, actor=SYSTEM)
    saved.refresh_from_db()
    return saved


def rotate(app: ProviderApp, secret: str, *, ends_in: timedelta | None = WEEK) -> None:
    """Prefer ``secret``, and let the earlier ones end."""
    now = database_now()
    ends = None if ends_in is None else now + ends_in
    add_client_secret(app, secret, preferred=True, others_end_at=ends, now=now, actor=ANN)


def held(app: ProviderApp) -> list[str]:
    app.refresh_from_db()
    return [secret.get_secret_value() for secret in open_client_secrets(app)]


def test_the_earlier_secret_is_tried_until_its_end_and_then_destroyed(app: ProviderApp) -> None:
    rotate(app, "second")
    assert held(app) == ["second", "first"]
    assert app.other_secrets_end_at is not None
    before = app.other_secrets_end_at - timedelta(seconds=1)
    assert end_others(now=before) == 0
    assert held(app) == ["second", "first"]
    assert end_others(now=app.other_secrets_end_at) == 1
    assert (held(app), app.other_secrets_end_at) == (["second"], None)
    assert end_others(now=before + WEEK) == 0


def test_the_end_is_told_once_without_a_secret(app: ProviderApp) -> None:
    rotate(app, "second")
    for _ in range(2):
        end_others(now=database_now() + 2 * WEEK)
    (event,) = OutboxEvent.objects.filter(type="provider_app.client_secrets_ended")
    assert (event.tenant_id, event.payload["provider_app"]) == (None, str(app.id))
    added, ended = AuditEvent.objects.filter(action__startswith="provider_app.secret").order_by("id")
    assert (added.action, added.operator, ended.action) == ("provider_app.secret_added", "ann", ENDED)
    assert not any(word in f"{event.payload}{added.detail}{ended.detail}" for word in ("first", "second"))


def test_the_beat_destroys_what_has_ended(app: ProviderApp) -> None:
    rotate(app, "second")
    ProviderApp.objects.update(other_secrets_end_at=database_now() - timedelta(seconds=1))
    sweep_old_rows()
    assert held(app) == ["second"]


def test_an_end_is_set_moved_and_taken_back(app: ProviderApp) -> None:
    rotate(app, "second", ends_in=None)
    assert app.other_secrets_end_at is None
    now = database_now()
    for ends in (now + WEEK, now + 2 * WEEK, None):
        assert set_end_of_others(app, ends, now=now, actor=ANN)
        assert not set_end_of_others(app, ends, now=now, actor=ANN)
        assert app.other_secrets_end_at == ends
    assert AuditEvent.objects.filter(action="provider_app.secrets_end_set").count() == 3
    assert held(app) == ["second", "first"]


@pytest.mark.parametrize("ends_in", [timedelta(0), timedelta(seconds=-1), timedelta(days=367)])
def test_an_end_is_to_come_and_within_a_year(app: ProviderApp, ends_in: timedelta) -> None:
    now = database_now()
    with pytest.raises(InvalidRequest) as adding:
        add_client_secret(app, "second", preferred=True, others_end_at=now + ends_in, now=now, actor=ANN)
    with pytest.raises(InvalidRequest) as setting:
        set_end_of_others(app, now + ends_in, now=now, actor=ANN)
    assert {one.value.extra["field"] for one in (adding, setting)} == {"others_end_at"}
    assert held(app) == ["first"]


def test_only_secrets_beside_a_preferred_one_end(app: ProviderApp) -> None:
    now = database_now()
    with pytest.raises(InvalidRequest):
        set_end_of_others(app, now + WEEK, now=now, actor=ANN)
    with pytest.raises(InvalidRequest):
        add_client_secret(app, "second", preferred=False, others_end_at=now + WEEK, now=now, actor=ANN)
    assert (held(app), app.other_secrets_end_at) == (["first"], None)


def test_the_expiry_is_the_preferred_secret_s(app: ProviderApp) -> None:
    now = database_now()
    assert set_expiry(app, now + WEEK, now=now, actor=ANN)
    assert not set_expiry(app, now + WEEK, now=now, actor=ANN)
    add_client_secret(app, "second", preferred=False, now=now, actor=ANN)
    assert app.secret_expires_at == now + WEEK
    add_client_secret(app, "third", preferred=True, expires_at=now + 2 * WEEK, now=now, actor=ANN)
    assert (held(app), app.secret_expires_at) == (["third", "first", "second"], now + 2 * WEEK)
    remove_client_secret(app, fingerprints(app)[1], actor=ANN)
    assert app.secret_expires_at == now + 2 * WEEK
    set_end_of_others(app, now + WEEK, now=now, actor=ANN)
    end_others(now=now + WEEK)
    app.refresh_from_db()
    assert (held(app), app.secret_expires_at) == (["third"], now + 2 * WEEK)
    rotate(app, "fourth")
    assert app.secret_expires_at is None, "nobody has said it of this one"
    set_expiry(app, now + WEEK, now=now, actor=ANN)
    remove_client_secret(app, fingerprints(app)[0], actor=ANN)
    assert (held(app), app.secret_expires_at) == (["third"], None)
    set_expiry(app, now + WEEK, now=now, actor=ANN)
    assert save_app(["fifth"]).secret_expires_at is None
    assert AuditEvent.objects.filter(action="provider_app.secret_expiry_set").count() == 3


@pytest.mark.parametrize("expires_in", [timedelta(0), timedelta(seconds=-1)])
def test_an_expiry_is_to_come_and_of_a_secret(app: ProviderApp, expires_in: timedelta) -> None:
    now = database_now()
    with pytest.raises(InvalidRequest) as setting:
        set_expiry(app, now + expires_in, now=now, actor=ANN)
    with pytest.raises(InvalidRequest) as adding:
        add_client_secret(app, "second", preferred=True, expires_at=now + expires_in, now=now, actor=ANN)
    with pytest.raises(InvalidRequest) as behind:
        add_client_secret(app, "second", preferred=False, expires_at=now + WEEK, now=now, actor=ANN)
    app.forget_secrets()
    with pytest.raises(InvalidRequest) as nothing:
        set_expiry(app, now + WEEK, now=now, actor=ANN)
    assert {one.value.extra["field"] for one in (setting, adding, behind, nothing)} == {"expires_at"}


def test_whoever_is_left_alone_has_no_end(app: ProviderApp) -> None:
    rotate(app, "second")
    remove_client_secret(app, fingerprints(app)[1], actor=ANN)
    assert (held(app), app.other_secrets_end_at) == (["second"], None)
    rotate(app, "third")
    app = save_app(["fourth", "fifth"])
    assert app.other_secrets_end_at is None, "they are others than those of which it was said"
    rotate(app, "sixth")
    app.forget_secrets()
    app.refresh_from_db()
    assert app.other_secrets_end_at is None


def test_the_database_lets_nothing_end_that_is_not_there(app: ProviderApp) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        ProviderApp.objects.update(secrets=None, other_secrets_end_at=database_now())


def test_what_is_left_goes_where_it_might_go_before_and_nowhere_else(app: ProviderApp) -> None:
    """Who can change a plain column cannot have the secrets sealed anew for another address."""
    rotate(app, "second")
    meant = registrar_of(app)
    ProviderApp.objects.update(params={"issuer": "http://127.0.0.1:8"})
    app.refresh_from_db()
    assert registrar_of(app) != meant
    end_others(now=database_now() + 2 * WEEK)
    app.refresh_from_db()
    assert open_registration(app).registrar == meant


def test_secrets_that_do_not_open_stay_and_keep_no_other_app_waiting(app: ProviderApp) -> None:
    rotate(app, "second")
    broken = save_provider_app(
        Registration("hubspot", STYLE, client_id="c", client_secrets=["one", "two"]),
        tenant=make_tenant("acme"),
        actor=SYSTEM,
    )
    ProviderApp.objects.filter(id=broken.id).update(secrets=b"no ciphertext", other_secrets_end_at=database_now())
    assert end_others(now=database_now() + 2 * WEEK) == 1
    broken.refresh_from_db()
    assert broken.other_secrets_end_at is not None
