"""A staff account with each single permission there is: it reaches no credential, no key and no other tenant."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.db.models import Model
from django.test import Client, RequestFactory
from django.urls import reverse

from connections.access.staff import PATHS
from connections.admin.buttons import ButtonsAdmin
from connections.models import ApiKey, AuditEvent, CredentialVersion, StaffLimit
from tests.connections.admin.conftest import MODELS, World, logged_in, make_world

PERMISSIONS = sorted(
    codename
    for model in apps.get_app_config("connections").get_models()
    for codename in (
        *(f"{way}_{model._meta.model_name}" for way in model._meta.default_permissions),
        *(codename for codename, _ in model._meta.permissions),
    )
)
OTHERS = "zz-other"
# What has rows of keys and of credentials.
HOLDERS: tuple[type[Model], ...] = (CredentialVersion, ApiKey)
# What these buttons do sends a request, for which no transaction may be open as it is here.
SENDS = {"refresh", "probe", "look", "test", "renew", "send-again"}


@pytest.fixture(scope="module")
def own(module_db: None) -> World:
    return make_world("acme")


@pytest.fixture(scope="module")
def other(own: World) -> World:
    return make_world(OTHERS, end_user="zz-eve", leaver="zz-leaver")


def rows_of(model: type[Model], world: World) -> list[Model]:
    """Return the rows of ``model`` that belong to the tenant of ``world``."""
    path = PATHS.get(model)
    return [] if path is None else list(model._default_manager.filter(**{path: world.tenant.id})[:1])


def addresses(model: type[Model], worlds: list[World]) -> Iterator[str]:
    """Yield the pages of ``model``: its list, its form, and of one row of each world the page, history and buttons."""
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    page = admin.site._registry[model]
    for one in ("changelist", "add"):
        yield reverse(f"{name}_{one}")
    for row in (row for world in worlds for row in rows_of(model, world)):
        for one in ("change", "history"):
            yield reverse(f"{name}_{one}", args=[row.pk])
        for button in page.buttons if isinstance(page, ButtonsAdmin) else ():
            if button.verb in SENDS:
                continue
            yield reverse(f"{name}_press", args=[row.pk, button.verb])


def model_of(codename: str) -> list[type[Model]]:
    """Return the models whose pages a permission is about."""
    found = Permission.objects.get(codename=codename, content_type__app_label="connections").content_type.model_class()
    return [model for model in MODELS if model is found]


def limited(world: World, *codenames: str) -> User:
    """An account that sees one tenant, with these permissions alone."""
    user = User.objects.create_user("limited", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames, content_type__app_label="connections"))
    StaffLimit.objects.create(user=user).tenants.add(world.tenant)
    return user


def test_the_list_is_that_of_the_database(db: None) -> None:
    stored = Permission.objects.filter(content_type__app_label="connections").values_list("codename", flat=True)
    assert sorted(stored) == PERMISSIONS


def shows_nothing_of(answer: Any, url: str, own: World, other: World) -> None:
    """Check that a page holds no secret, no key, and nothing of the other tenant but what was typed."""
    text = b"".join(answer.streaming_content).decode() if answer.streaming else answer.content.decode()
    text = text.replace(url, "")
    found = [secret for secret in (*own.secrets, *other.secrets) if secret in text]
    assert not found, f"{url}: a secret"
    assert answer.status_code < 500, url
    if answer.status_code == 200 and 'name="name"' not in text:
        assert OTHERS not in text and "zz-eve" not in text, f"{url}: another tenant's"
    assert not re.search(r"\blk_[A-Za-z0-9_-]{20,}", text), f"{url}: a key"


def look_at(browser: Client, urls: Iterator[str], own: World, other: World) -> None:
    """Open and press all that there is at these addresses: nothing comes of it."""
    keys, versions = ApiKey.objects.count(), CredentialVersion.objects.count()
    last = AuditEvent.objects.latest("id").id
    for url in urls:
        shows_nothing_of(browser.get(url), url, own, other)
        if "/press/" in url:
            shows_nothing_of(browser.post(url, {"confirmed": "yes", "name": OTHERS}), url, own, other)
    assert (ApiKey.objects.count(), CredentialVersion.objects.count()) == (keys, versions)
    done = AuditEvent.objects.filter(id__gt=last, tenant_id=other.tenant.id)
    assert not done.exists(), list(done.values_list("action", flat=True))


def opens(user: User, model: type[Model]) -> bool:
    """Return whether the pages of ``model`` ask for no more than this account has."""
    request = RequestFactory().get("/")
    request.user = user
    return any(admin.site._registry[model].get_model_perms(request).values())


@pytest.mark.parametrize("codename", PERMISSIONS)
def test_one_permission_alone_leads_to_nothing_secret_and_to_no_other_tenant(
    codename: str, own: World, other: World, db: None
) -> None:
    """Its own pages are opened; of those that hold keys and credentials it is asked whether they would."""
    user = limited(own, codename)
    its = model_of(codename)
    assert [model for model in HOLDERS if model not in its and opens(user, model)] == []
    if its:
        look_at(logged_in(user), (url for model in its for url in addresses(model, [own, other])), own, other)


@pytest.mark.parametrize("holder", HOLDERS)
def test_all_other_permissions_together_lead_to_no_key_and_to_no_credential(
    holder: type[Model], own: World, other: World, db: None
) -> None:
    others = [codename for codename in PERMISSIONS if holder not in model_of(codename)]
    assert len(others) > len(PERMISSIONS) - 10
    browser = logged_in(limited(own, *others))
    for url in addresses(holder, [own, other]):
        assert browser.get(url).status_code in (302, 403), url  # elsewhere from a row of another tenant's
    look_at(browser, addresses(holder, [other]), own, other)
