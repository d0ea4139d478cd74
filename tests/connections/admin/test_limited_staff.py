"""Staff who are limited to some tenants see nothing of any other: a crawl of every address of the admin."""

import re
import uuid
from collections.abc import Iterator

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.db.models import CharField, Model
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from connections.access.staff import PATHS, limit_of, visible
from connections.admin import long_list
from connections.admin.base import ChosenRowsAdmin, hidden_columns
from connections.database.clock import database_now
from connections.models import (
    AccessGrant,
    ApiClient,
    AuditEvent,
    AuditSeal,
    AuditVerification,
    Connection,
    CredentialVersion,
    Notice,
    ProviderApp,
    RefreshAttempt,
    Scope,
    StaffLimit,
    Tenant,
    WatchSetting,
)
from connections.models.brand import Brand
from tests.connections.admin.conftest import (
    MODELS,
    World,
    kinds_of_fields,
    list_url,
    logged_in,
    make_app,
    make_connection,
    make_world,
    page_url,
    press_url,
)

CANARY = "zz-canary"
# What an address of the admin may end in, by its name; ``_whole`` are those that name no model.
_OF_A_MODEL = {"changelist", "add", "history", "delete", "change", "press", "export", "order", "test"}
# Tables whose rows are of all tenants at once.
SHUT = {AuditSeal, AuditVerification, Notice, WatchSetting}
OPEN = [model for model in MODELS if model not in SHUT]
_OF_USERS = {"password_change"}
_WHOLE = {
    *("index", "login", "logout", "password_change", "password_change_done", "autocomplete", "jsi18n", "view_on_site"),
    "app_list",
}
REFUSED = {"view_on_site"}


@pytest.fixture(scope="module")
def world(module_db: None) -> World:
    """One row of everything, of the tenant that the account sees."""
    return make_world("acme")


@pytest.fixture(scope="module")
def other(world: World) -> World:
    """Another tenant, with one row of everything, whose every name and id is a canary."""
    return make_world(CANARY, end_user=f"{CANARY}-alice", leaver=f"{CANARY}-zoe")


@pytest.fixture
def lena(world: World, other: World, db: None) -> Client:
    """A browser in which an operator with every right and one tenant is logged in."""
    user = User.objects.create_user("lena", is_staff=True)
    user.user_permissions.set(Permission.objects.all())
    StaffLimit.objects.create(user=user).tenants.add(world.tenant)
    return logged_in(user)


def one_of(model: type[Model], world: World) -> Model:
    row = model._default_manager.filter(**{PATHS[model]: world.tenant.id}).first()
    assert row is not None, f"{model.__name__} has no row of {world.tenant.slug}"
    return row


def canaries(other: World) -> list[str]:
    """Return what no page may hold: the other tenant's names, and the id of each of its rows."""
    ids = [str(one_of(model, other).pk) for model in OPEN]
    return [CANARY, str(other.tenant.id), *(value for value in ids if len(value) > 20)]


def addresses(world: World) -> dict[str, str]:
    """Return every address of the admin that the crawl opens, for the rows of one tenant, by its name."""
    found = {name: reverse(f"admin:{name}") for name in ("index", "password_change", "jsi18n")}
    found["app_list"] = reverse("admin:app_list", args=["connections"])
    found |= {f"catalogue:{name}": reverse(f"catalogue:{name}") for name in ("list",)}
    found["export"] = reverse("admin:connections_auditevent_export", args=["csv"])
    found["search"] = reverse("search") + f"?q={CANARY[:6]}"
    found["catalogue:entry"] = reverse("catalogue:entry", args=["sandbox"])
    for model in OPEN:
        name, row = f"connections_{model.__name__.lower()}", one_of(model, world)
        found[f"{name}_changelist"] = list_url(model)
        found[f"{name}_add"] = reverse(f"admin:{name}_add") + "?provider=sandbox"
        for kind in ("change", "history", "delete"):
            found[f"{name}_{kind}"] = reverse(f"admin:{name}_{kind}", args=[row.pk])
        for button in getattr(site._registry[model], "buttons", ()):
            found[f"{name}_press:{button.verb}"] = press_url(row, button.verb)
    return found


def test_every_address_of_the_admin_is_in_the_crawl() -> None:
    """A new one has to be told apart here: what it shows to limited staff, and who looks."""
    models = {f"{model._meta.app_label}_{model._meta.model_name}" for model in site._registry}
    for name in _names(get_resolver("config.urls")):
        model = next((one for one in models if name.startswith(f"{one}_")), None)
        kind = name.removeprefix(f"{model}_") if model else name
        assert kind in (_OF_A_MODEL | _OF_USERS if model else _WHOLE) or kind.endswith("_password_change"), name


def _names(resolver: URLResolver, *, inside: bool = False) -> Iterator[str]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from _names(pattern, inside=inside or pattern.namespace == "admin")
        elif isinstance(pattern, URLPattern) and pattern.name and inside:
            yield pattern.name


def test_every_model_with_pages_has_a_rule_or_is_shut() -> None:
    assert set(MODELS) - set(PATHS) == SHUT
    for page in site._registry.values():
        assert isinstance(page, ChosenRowsAdmin), f"{page} shows every row to everybody"


def test_no_page_shows_anything_of_another_tenant(lena: Client, olga: Client, world: World, other: World) -> None:
    secret, seen = canaries(other), 0
    for name, url in addresses(world).items():
        answer = lena.get(url)
        html = (answer.getvalue() if answer.streaming else answer.content).decode()
        assert [word for word in secret if word in html] == [], f"{name}: {url}"
        seen += answer.status_code == 200
    assert seen > 100, "the crawl opens the pages, and is not refused at each of them"
    assert any(CANARY in olga.get(list_url(model)).content.decode() for model in OPEN)


def test_what_belongs_to_another_tenant_is_as_if_it_were_not_there(
    lena: Client, world: World, other: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """The table: of each model, the rows in the list, what a search and a filter find, and the row's own pages."""
    lines = []
    for model in OPEN:
        row = one_of(model, other)
        listed = lena.get(list_url(model)).context["cl"].queryset
        ours = {str(key) for key in visible_ids(model, world)}
        assert {str(one.pk) for one in listed} == ours, model
        found = {}
        for how, query in {
            "search": {"q": CANARY},
            "search id": {"q": str(row.pk)},
            "filter": {"tenant": CANARY},
        }.items():
            answer = lena.get(list_url(model), query)
            found[how] = answer.context["cl"].queryset.count() if answer.status_code == 200 else 0
        pages = {kind: lena.get(url).status_code for kind, url in _pages_of(row).items()}
        verbs = [button.verb for button in getattr(site._registry[model], "buttons", ())]
        buttons = [lena.post(press_url(row, verb)).status_code for verb in verbs]
        assert set(pages.values()) | set(buttons) <= {302, 403}, f"{model}: {pages} {buttons}"
        if model is not AuditEvent:  # a search by the tenant's slug among one's own rows
            assert not any(found.values()), f"{model}: {found}"
        lines.append(
            f"{model.__name__:<18} own {len(ours):>3}  foreign 0  found {found}  pages {pages}  buttons {buttons}"
        )
    print("\n".join(lines))
    assert Connection.objects.get(id=other.connection.id).suspended_at is None


def visible_ids(model: type[Model], world: World) -> list[object]:
    return list(model._default_manager.filter(**{PATHS[model]: world.tenant.id}).values_list("pk", flat=True))


def _pages_of(row: Model) -> dict[str, str]:
    name = f"admin:connections_{type(row).__name__.lower()}"
    return {kind: reverse(f"{name}_{kind}", args=[row.pk]) for kind in ("change", "history", "delete")}


def test_an_action_on_rows_of_another_tenant_does_nothing(lena: Client, other: World) -> None:
    before = AuditEvent.objects.count()
    for action in ("suspend", "pause", "revoke", "disconnect", "refresh", "probe"):
        data = {"action": action, "_selected_action": [str(other.connection.id)], "confirmed": "1"}
        answer = lena.post(list_url(Connection), data, follow=True)
        assert CANARY not in answer.content.decode()
        everything = data | {"select_across": "1", "_selected_action": [str(other.connection.id)], "asked": "*"}
        lena.post(list_url(Connection), everything | {"asked_at": database_now().isoformat(), "key": str(uuid.uuid4())})
    other.connection.refresh_from_db()
    assert (other.connection.suspended_at, other.connection.paused_at) == (None, None)
    assert other.connection.status == "active"
    assert AuditEvent.objects.filter(connection_id=other.connection.id, operator="lena").count() == 0
    assert AuditEvent.objects.count() >= before


def test_what_a_form_offers_to_choose_from_is_the_account_s_own(lena: Client, world: World, other: World) -> None:
    """Whatever table an address names, by whichever column of whichever model."""
    secret, offered = canaries(other), set()
    for model in MODELS:
        for field in kinds_of_fields(model):
            query = {"app_label": "connections", "model_name": model._meta.model_name, "field_name": field}
            answer = lena.get(reverse("admin:autocomplete"), query | {"term": ""})
            assert answer.status_code in (200, 403, 404), query
            assert [word for word in secret if word in answer.content.decode()] == [], query
            offered |= {one["id"] for one in answer.json()["results"]} if answer.status_code == 200 else set()
    assert {str(world.tenant.id), str(world.app.id)} <= offered


def test_a_form_that_comes_back_does_not_say_what_another_s_id_is_of(lena: Client, other: World) -> None:
    url = reverse("admin:connections_accessgrant_add")
    told = {}
    for kind, key in {"another's": other.connection.id, "nobody's": uuid.uuid4()}.items():
        given = {"subject_kind": "end_user", "subject": "bob", "connection": str(key), "tenant": str(other.tenant.id)}
        told[kind] = lena.post(url, given).content.decode().replace(str(key), "")
    pages = [re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", page) for page in told.values()]
    assert pages[0] == pages[1]


def test_no_query_string_shows_or_counts_a_row_of_another_tenant(lena: Client, world: World, other: World) -> None:
    """Filters by any column and by what it refers to, other keys, windows to choose from, and orders."""
    secret = canaries(other)
    for model in OPEN:
        ours = {str(key) for key in visible_ids(model, world)}
        keys = [model._meta.pk.name, *hidden_columns(model)]
        queries = [{"_popup": "1"}, {"o": "1.-2"}, *({"_to_field": name} for name in keys)]
        for field in model._meta.get_fields():
            related = field.related_model if field.is_relation else None
            if related in PATHS and related not in SHUT:
                column = next(one for one in related._meta.concrete_fields if isinstance(one, CharField))
                queries.append({f"{field.name}__exact": str(one_of(related, other).pk)})
                queries.append({f"{field.name}__{column.name}__startswith": CANARY})
        for query in queries:
            answer = lena.get(list_url(model), query)
            assert answer.status_code in (200, 302, 400, 404), (model, query)
            if answer.status_code == 200:
                assert {str(one.pk) for one in answer.context["cl"].queryset} <= ours, (model, query)
                shown = answer.content.decode()
                for value in query.values():
                    shown = shown.replace(value, "")
                assert [word for word in secret if word in shown] == [], (model, query)


def test_what_is_seen_on_another_site_is_no_way_in(lena: Client, other: World) -> None:
    for model, row in ((Tenant, other.tenant), (Connection, other.connection)):
        kind = ContentType.objects.get_for_model(model).pk
        assert lena.get(f"/admin/r/{kind}/{row.pk}/").status_code == 403


@pytest.mark.parametrize("tenant", ["other", "none"])
def test_nothing_is_made_for_another_tenant_or_for_all(tenant: str, lena: Client, other: World) -> None:
    given = {"tenant": str(other.tenant.id) if tenant == "other" else ""}
    before = [model.objects.count() for model in (ApiClient, ProviderApp, AccessGrant, Tenant)]
    posts = {
        "apiclient": {"name": "spy", "permissions": ["read"], "password": ""},
        "providerapp": {"name": "spy", "client_id": "x", "param_issuer": "http://127.0.0.1:1"},
        "accessgrant": {"subject_kind": "end_user", "subject": "bob", "connection": str(other.connection.id)},
        "tenantdomain": {"host": "spy.example"},
        "webhookendpoint": {"url": "https://spy.example/in"},
        "tenant": {"slug": "spy", "name": "Spy"},
        "brand": {"name": "Spy"},
    }
    for model, data in posts.items():
        url = reverse(f"admin:connections_{model}_add") + "?provider=sandbox"
        answer = lena.post(url, given | data)
        assert answer.status_code in (200, 403), f"{model} was made: {answer['Location']}"
    assert [model.objects.count() for model in (ApiClient, ProviderApp, AccessGrant, Tenant)] == before


def test_the_preview_shows_no_brand_of_another_tenant(lena: Client, world: World, other: World) -> None:
    for brand, status in ((world, 200), (other, 404)):
        row = Brand.objects.get(tenant=brand.tenant)
        answer = lena.get(reverse("connect:preview"), {"preview_brand": str(row.id), "preview_screen": "landing"})
        assert answer.status_code == status


def test_an_account_whose_tenants_are_gone_sees_nothing_rather_than_everything(lena: Client, other: World) -> None:
    StaffLimit.objects.get(user__username="lena").tenants.clear()
    assert {lena.get(list_url(model)).context["cl"].queryset.count() for model in OPEN} == {0}
    assert limit_of(User.objects.get(username="lena")) == frozenset()


def test_a_search_finds_the_account_s_own_rows_however_many_others_have(
    lena: Client, world: World, other: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(long_list, "_MOST_CONNECTIONS", 1)
    own = one_of(Connection, world)
    assert isinstance(own, Connection)
    app = make_app(other.tenant)
    for number in range(3):
        make_connection(app, other.tenant, f"{own.end_user}-{number}")
    for model in (Connection, CredentialVersion, RefreshAttempt, Scope):
        page = lena.get(list_url(model), {"q": own.end_user}).content.decode()
        assert page_url(one_of(model, world)) in page, model.__name__


def test_a_model_without_a_rule_shows_nothing_and_its_pages_are_shut(lena: Client) -> None:
    user = User.objects.get(username="lena")
    assert not visible(user, User.objects.all()).exists()
    for model in SHUT:
        assert lena.get(list_url(model)).status_code == 403
        assert not visible(user, model._default_manager.all()).exists()
    for own in ("auditverification_order", "notice_test"):
        assert lena.post(reverse(f"admin:connections_{own}")).status_code == 403
    for name in ("auth_user", "auth_group"):
        assert lena.get(reverse(f"admin:{name}_changelist")).status_code == 403
        assert lena.get(reverse(f"admin:{name}_change", args=[user.pk])).status_code == 403
    assert not visible(None, Tenant.objects.all()).exists()
    assert Group.objects.exists()


def test_what_is_of_all_tenants_is_out_of_sight(lena: Client, world: World) -> None:
    shared = make_app(None)
    assert str(shared.id) not in lena.get(list_url(ProviderApp)).content.decode()
    assert lena.get(page_url(shared)).status_code == 302
    for url in ("catalogue:describe", "catalogue:addresses"):
        assert lena.get(reverse(url)).status_code == 403
    assert uuid.UUID(str(world.tenant.id)) in (limit_of(User.objects.get(username="lena")) or ())
