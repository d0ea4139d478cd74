"""A staff account with each single permission there is: it reaches no credential, no key and no other tenant."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.db.models import Model
from django.test import Client
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


def limited(codename: str, world: World) -> Client:
    """A browser of an account that sees one tenant, with this permission alone."""
    user = User.objects.create_user(f"only-{codename}"[:150], is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename=codename, content_type__app_label="connections"))
    StaffLimit.objects.create(user=user).tenants.add(world.tenant)
    return logged_in(user)


def test_the_list_is_that_of_the_database(db: None) -> None:
    stored = Permission.objects.filter(content_type__app_label="connections").values_list("codename", flat=True)
    assert sorted(stored) == PERMISSIONS


@pytest.mark.parametrize("codename", PERMISSIONS)
def test_one_permission_alone_leads_to_nothing_secret_and_to_no_other_tenant(
    codename: str, own: World, other: World, db: None
) -> None:
    keys, versions = ApiKey.objects.count(), CredentialVersion.objects.count()
    browser = limited(codename, own)
    last = AuditEvent.objects.latest("id").id
    its = model_of(codename)
    for model in [*its, *(one for one in (CredentialVersion, ApiKey) if one not in its)]:
        for url in addresses(model, [own, other] if model in its else [other]):
            answers = [browser.get(url)]
            if "/press/" in url:
                answers.append(browser.post(url, {"confirmed": "yes", "name": OTHERS}))
            answer: Any
            for answer in answers:
                text = b"".join(answer.streaming_content).decode() if answer.streaming else answer.content.decode()
                text = text.replace(url, "")
                found = [secret for secret in (*own.secrets, *other.secrets) if secret in text]
                assert not found, f"{url}: a secret"
                assert answer.status_code < 500, url
                if answer.status_code == 200 and 'name="name"' not in text:
                    assert OTHERS not in text and "zz-eve" not in text, f"{url}: another tenant's"
                assert not re.search(r"\blk_[A-Za-z0-9_-]{20,}", text), f"{url}: a key"
    assert (ApiKey.objects.count(), CredentialVersion.objects.count()) == (keys, versions)
    done = AuditEvent.objects.filter(id__gt=last, tenant_id=other.tenant.id)
    assert not done.exists(), list(done.values_list("action", flat=True))
