"""Each act of the admin that changes something leaves an audit row: derived from its pages, a new act by itself."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.db.models import Model
from django.test import Client, RequestFactory
from django.urls import reverse

from connections.admin.buttons import ButtonsAdmin
from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.provision.client_secrets import add_client_secret
from connections.lifecycle.provision.push_secrets import add_push_secret
from connections.models import AuditEvent, Bundle, ProviderApp, WatchSetting
from providers.signing.keys import make_key_pair
from providers.vocabulary import SigningAlgorithm
from tests.connections.admin.conftest import PASSWORD, World, logged_in, make_world, one_of, press_url

_AT = datetime(2026, 1, 1, tzinfo=UTC)
NEW_PASSWORD = "another horse, another battery"
_MODELS = {str(model._meta.model_name): model for model in admin.site._registry}
# What is no change of a row of ours, or the trail itself.
_NOT_LOOKED_AT = (AuditEvent, LogEntry)


_OF_A_LIST = " of a list"
# What sends a request, for which no transaction may be open as it is here, or needs more than a row to press it on. The
# test that is named does it, and looks at the trail.
ELSEWHERE = {
    "appkey: certify": "connections/admin/test_app_keys.py",
    **dict.fromkeys(
        ("connection: refresh", "connection: refresh of a list"), "connections/admin/test_connection_actions.py"
    ),
    **dict.fromkeys(
        ("connection: probe", "connection: probe of a list"), "connections/lifecycle/steer/test_on_demand.py"
    ),
    **dict.fromkeys(("connection: reread", "connection: discard-answer"), "field/test_unread_answers.py"),
    **dict.fromkeys(("connectsession: finish", "connectsession: end-trial"), "connections/admin/test_trial.py"),
    **dict.fromkeys(
        ("providerapp: refer-secret", "providerapp: read-secret"), "connections/admin/test_client_secret_forms.py"
    ),
    "registeredclient: renew": "connections/admin/test_registered_clients.py",
    "tenantdomain: look": "connections/admin/test_tenant_domains.py",
    "webhookendpoint: test": "connections/lifecycle/webhooks/test_trial.py",
}
# They show something and change nothing.
SHOWS = {"providerapp: preview", "bulkjob: download"}
_PAIR = make_key_pair(SigningAlgorithm.ES256)
_TERMS = {"algorithm": "ES256", "kid": "k-new"}
# What a person types where the form as it stands is refused, or would change nothing.
TYPED: dict[str, dict[str, Any]] = {
    "accessgrant: add": {"tenant": "acme", "subject_kind": "end_user", "subject": "carol", "provider": "sandbox"},
    "apiclient: add": {"tenant": "acme", "name": "nightly", "permissions": ["read"]},
    "apiclient: change": {"permissions": ["read"]},
    "brand: change": {"accent": "#1f6f54"},
    "finding: settle": {"verdict": "expected", "note": "A load test."},
    "group: add": {"name": "support"},
    "group: change": {"name": "onlookers", "permissions": []},
    "providerapp: add": {"name": "Second", "client_id": "c-2", "param_issuer": "http://127.0.0.1:8091"},
    "providerapp: change": {"name": "Renamed"},
    "providerapp: bring-key": _TERMS | {"private_key": _PAIR.private_key.get_secret_value()},
    "providerapp: end-secrets": {"others_end_at": (datetime.now(UTC) + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M")},
    "providerapp: make-key": _TERMS,
    "providerapp: push-secret": {"secret": "typed-secret-2"},
    "providerapp: rotate-secret": {"client_secret": "typed-secret-1", "others_end_at": ""},
    "providerapp: try": {"sent": "1"},
    "tenant: add": {"slug": "globex", "name": "Globex"},
    "tenant: change": {"name": "Renamed"},
    "tenant: delete": {"slug": "acme"},
    "tenantdomain: add": {"tenant": "acme", "host": "pages.acme.example"},
    "user: add": {"username": "nils", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD},
    "user: change": {"is_staff": ""},
    "user: limit": {"sees": "some", "tenants": "acme"},
    "watchsetting: lay": {"tenant": "acme", "provider_app": "its", "end_user": "zz-nobody"},
    "watchsetting: change": {"is_on": "on", "least": 7, "hold_after": 0},
    "webhookendpoint: add": {"tenant": "acme", "url": "https://hooks.acme.example/other"},
    "webhookendpoint: change": {"url": "https://hooks.acme.example/new"},
    "webhookendpoint: replay": {"hours": "1"},
}


def _set(**values: Any) -> Callable[[Model], object]:
    return lambda row: type(row)._default_manager.filter(pk=row.pk).update(**values)


def _enrolled(row: Model) -> None:
    Authenticator.objects.create(user_id=row.pk, type="totp", data={"secret": "s"})


def _rotated(row: Model) -> None:
    app = ProviderApp.objects.get(pk=row.pk)
    add_client_secret(app, "typed-secret-3", preferred=True, now=database_now(), actor=SYSTEM)


def _came_back(row: Model) -> None:
    Bundle.objects.filter(tenant_id=row.pk).delete()  # what has moved away is not resumed
    _set(suspended_at=_AT)(row)


# What has to be so before something can be done with a row.
PREPARED: dict[str, Callable[[Model], object]] = {
    "apiclient: vouch": _set(restriction="held"),
    "providerapp: end-secrets": _rotated,
    "tenant: resume": _came_back,
    "user: logout": lambda row: UserSession.objects.create(user_id=row.pk, session_key="k", ip="127.0.0.1"),
    "user: reset": _enrolled,
}
# The same of a verb, whatever it is pressed on.
_VERBS: dict[str, Callable[[Model], object]] = {
    "enable": _set(disabled_at=_AT, disabled_reason="operator"),
    "release-used": _set(verdict="used"),
    "resume": _set(suspended_at=_AT),
    "retry": _set(failures=3, failing_since=_AT),
    "unpause": _set(paused_at=_AT),
}


def acts() -> Iterator[str]:
    """Yield whatever a superuser may do on the pages of rows, as "kind: verb"."""
    request = RequestFactory().get("/")
    request.user = User(username="chief", is_superuser=True, is_staff=True)
    for kind, model in _MODELS.items():
        page = admin.site._registry[model]
        may = {
            "add": page.has_add_permission(request),
            "change": page.has_change_permission(request),
            "delete": page.has_delete_permission(request),
        }
        verbs = [button.verb for button in page.buttons] if isinstance(page, ButtonsAdmin) else []
        listed = [f"{name}{_OF_A_LIST}" for name in page.get_actions(request)]
        for verb in [*(way for way, is_allowed in may.items() if is_allowed), *verbs, *listed]:
            yield f"{kind}: {verb}"


@pytest.fixture(scope="module")
def world(module_db: None) -> World:
    """One row of everything, and an account that is not the operator's own."""
    made = make_world("acme")
    User.objects.create_user("nina", password=PASSWORD, is_staff=True)
    add_push_secret(made.app, "earlier-secret-1", actor=SYSTEM)
    return made


def everything() -> dict[str, list[str]]:
    """Return every row of the tables that staff can change as text, but for the trail and login sessions."""
    labels = ("connections", "auth", "mfa", "usersessions")
    tables = [
        table
        for label in labels
        for table in apps.get_app_config(label).get_models(include_auto_created=True)
        if table not in _NOT_LOOKED_AT
    ]
    return {
        table.__name__: [str(row) for row in table._default_manager.order_by("pk").values_list()] for table in tables
    }


def typed_into(answer: Any) -> dict[str, Any]:
    """Return what the form of a page would send as it stands."""
    shown = answer.context or {}
    if "adminform" in shown:
        forms = [shown["adminform"].form]
        forms += [one.formset.management_form for one in shown["inline_admin_formsets"]]
    else:
        forms = [shown["form"]] if "form" in shown else []
    found: dict[str, Any] = {}
    for field in (field for form in forms for field in form):
        value = field.value()
        if value not in (None, False):
            found[field.html_name] = value
    return found


def row_of(act: str) -> Model:
    """Return the row that ``act`` is tried on."""
    model = _MODELS[act.partition(": ")[0]]
    if model is User:
        return User.objects.get(username="nina")
    return WatchSetting.objects.get(rule="canary_used") if act == "watchsetting: lay" else one_of(model)


def do(browser: Client, act: str, world: World) -> Any:
    """Fill in and send what does ``act``, as a person would: its page, its button, or the form above a list."""
    kind, _, verb = act.partition(": ")
    row = row_of(act)
    page = admin.site._registry[type(row)]
    name = f"admin:{row._meta.app_label}_{kind}"
    typed = TYPED.get(act, {})
    if "tenant" in typed:
        typed = typed | {"tenant": str(world.tenant.pk)}
    if "provider_app" in typed:
        typed = typed | {"provider_app": str(world.app.pk)}
    if verb.endswith(_OF_A_LIST):
        chosen = {"action": verb.removesuffix(_OF_A_LIST), "_selected_action": [str(row.pk)]}
        return browser.post(reverse(f"{name}_changelist"), {**chosen, "confirmed": "1", "post": "yes"})
    if isinstance(page, ButtonsAdmin) and verb in (button.verb for button in page.buttons):
        url = press_url(row, verb)
    elif verb == "delete":
        return browser.post(reverse(f"{name}_delete", args=[row.pk]), {"post": "yes"})
    else:
        query = "?provider=sandbox&auth_style=oauth2_authorization_code" if act == "providerapp: add" else ""
        url = (reverse(f"{name}_add") if verb == "add" else reverse(f"{name}_change", args=[row.pk])) + query
    return browser.post(url, typed_into(browser.get(url)) | typed)


@pytest.mark.parametrize("act", [act for act in acts() if act not in ELSEWHERE])
def test_what_changes_something_leaves_a_row_of_who_did_it(act: str, world: World, db: None, settings: Any) -> None:
    settings.EMAIL_URL, settings.OPERATOR_MAIL = "smtp://127.0.0.1:1", ["ops@example.com"]
    olga = logged_in(User.objects.create_superuser("olga", password=PASSWORD))
    if (prepare := PREPARED.get(act, _VERBS.get(act.partition(": ")[2].removesuffix(_OF_A_LIST)))) is not None:
        prepare(row_of(act))
    last, before = AuditEvent.objects.latest("id").id, everything()
    answer = do(olga, act, world)
    has_changed = everything() != before
    written = AuditEvent.objects.filter(id__gt=last)
    if act in SHOWS:
        assert not has_changed, "it is said to change nothing"
        return
    assert has_changed, f"it changed nothing here: say what to type, or where it is looked at: {said(answer)}"
    assert written.filter(operator="olga").exists(), f"it changed something, and the trail has {list(written)}"


def test_a_password_is_changed_with_its_row(olga: Client) -> None:
    mine = {"old_password": PASSWORD, "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    assert olga.post(reverse("own_password"), mine | {"old_password": "wrong"}).status_code == 200
    assert not AuditEvent.objects.filter(action="operator.password").exists()
    assert olga.post(reverse("admin:password_change"), mine).status_code == 302
    assert AuditEvent.objects.get(action="operator.password").operator == "olga"
    assert User.objects.get(username="olga").check_password(NEW_PASSWORD)


def test_a_password_that_another_is_given_is_told_and_not_shown(olga: Client) -> None:
    noor = User.objects.create_user("noor", password=PASSWORD, is_staff=True)
    given = {"usable_password": "true", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    assert olga.post(reverse("admin:auth_user_password_change", args=[noor.pk]), given).status_code == 302
    row = AuditEvent.objects.get(action="operator.account")
    assert (row.operator, row.decision, row.detail) == ("olga", "changed", {"of": "noor", "fields": ["password"]})


def said(answer: Any) -> object:
    """Return why a form was refused, or what the next page says."""
    shown = answer.context or {}
    form = shown["adminform"].form if "adminform" in shown else shown.get("form")
    return dict(form.errors) if form is not None else [str(one) for one in get_messages(answer.wsgi_request)]


@pytest.mark.parametrize("act", sorted(ELSEWHERE))
def test_what_is_looked_at_elsewhere_is(act: str) -> None:
    looking = (Path(__file__).parents[2] / ELSEWHERE[act]).read_text(encoding="utf-8")
    assert act in set(acts()), "nobody can do it any more"
    assert "AuditEvent" in looking


def test_the_tables_name_acts_that_there_are() -> None:
    assert {*TYPED, *PREPARED, *SHOWS} <= set(acts())
