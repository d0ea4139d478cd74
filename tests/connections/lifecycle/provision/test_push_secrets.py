"""Push secrets: two at a time, sealed at their place, changed by an operator alone, and never lost by a race."""

import pytest

from connections.access.secrets import open_push_secrets
from connections.journal.audit import SYSTEM
from connections.lifecycle.provision.push_secrets import add_push_secret, push_fingerprints, retire_push_secret
from connections.models import AuditEvent, ProviderApp, Tenant
from connections.refusals import InvalidRequest, NotFound
from connections.vault.sealing import Unreadable
from tests.pushing import BY_SLUG, SANDBOX, app_of

pytestmark = pytest.mark.django_db(transaction=True)


def known(app: ProviderApp) -> list[str]:
    return [secret.get_secret_value() for secret in open_push_secrets(ProviderApp.objects.get(id=app.id))]


def test_the_newest_two_are_known(acme: Tenant) -> None:
    app = app_of(SANDBOX, acme, secret="secret-one")
    stale = ProviderApp.objects.get(id=app.id)
    assert add_push_secret(app, "secret-two", actor=SYSTEM)
    assert known(app) == ["secret-two", "secret-one"]
    assert add_push_secret(stale, "secret-three", actor=SYSTEM)  # read before the second came
    assert known(app) == ["secret-three", "secret-two"]
    assert not add_push_secret(app, "secret-three", actor=SYSTEM)
    assert add_push_secret(app, "secret-two", actor=SYSTEM)
    assert known(app) == ["secret-two", "secret-three"]


def test_one_is_retired_by_its_fingerprint(acme: Tenant) -> None:
    app = app_of(SANDBOX, acme, secret="secret-one")
    add_push_secret(app, "secret-two", actor=SYSTEM)
    newest, earlier = push_fingerprints(app)
    assert newest != earlier
    retire_push_secret(app, earlier, actor=SYSTEM)
    assert known(app) == ["secret-two"]
    with pytest.raises(NotFound):
        retire_push_secret(app, earlier, actor=SYSTEM)
    retire_push_secret(app, newest, actor=SYSTEM)
    assert ProviderApp.objects.get(id=app.id).push_secrets is None
    actions = AuditEvent.objects.filter(action__contains="push_secret").values_list("action", flat=True)
    assert sorted(actions) == ["provider_app.push_secret_added"] * 2 + ["provider_app.push_secret_retired"] * 2


@pytest.mark.parametrize("secret", ["", "short", "a\nsecret-of-two-lines", "with-\x00-nul", "é" * 20, "x" * 1001])
def test_what_no_provider_shows_is_refused(acme: Tenant, secret: str) -> None:
    app = app_of(SANDBOX, acme)
    with pytest.raises(InvalidRequest):
        add_push_secret(app, secret, actor=SYSTEM)
    assert known(app) == [SANDBOX.secret]


@pytest.mark.parametrize("slug", ["hubspot", "google", "notion", "gone"])
def test_an_app_that_needs_none_takes_none(acme: Tenant, slug: str) -> None:
    app = app_of(SANDBOX, acme)
    ProviderApp.objects.filter(id=app.id).update(provider=slug)
    with pytest.raises(InvalidRequest):
        add_push_secret(ProviderApp.objects.get(id=app.id), "secret-of-theirs", actor=SYSTEM)


def test_a_public_key_has_to_be_one(acme: Tenant) -> None:
    discord = BY_SLUG["discord"]
    app = app_of(discord, acme)
    for wrong in ("ab" * 31, "zz" * 32, "ab" * 33):
        with pytest.raises(InvalidRequest):
            add_push_secret(app, wrong, actor=SYSTEM)
    assert known(app) == [discord.secret]


def test_a_secret_that_was_moved_to_another_app_or_column_does_not_open(acme: Tenant, globex: Tenant) -> None:
    app, other = app_of(SANDBOX, acme), app_of(SANDBOX, globex)
    stolen = ProviderApp.objects.get(id=app.id).push_secrets
    ProviderApp.objects.filter(id=other.id).update(push_secrets=stolen)
    with pytest.raises(Unreadable):
        open_push_secrets(ProviderApp.objects.get(id=other.id))
    assert add_push_secret(other, "a-fresh-secret", actor=SYSTEM)  # what opens nothing is replaced
    assert known(other) == ["a-fresh-secret"]
