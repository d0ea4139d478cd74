"""Forms that no page of the admin makes: each is refused in words, and none ends as a fault of ours."""

from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.contrib.messages import get_messages
from django.db.models import Model
from django.test import Client

from connections.models import AuditEvent, Connection
from tests.connections.admin.conftest import (
    MODELS,
    PASSWORD,
    World,
    list_url,
    make_world,
    messages_of,
    one_of,
    page_url,
    press_url,
)

ACTIONS = ["refresh", "probe", "pause", "unpause", "suspend", "resume", "revoke", "disconnect"]
NO_IDS = ["x", "", "1", "0" * 33, "99999999999999999999", "' OR 1=1 --", "\ud7ff", "é" * 300, "[]"]


@pytest.fixture(scope="module")
def world(module_db: None) -> World:
    return make_world("acme")


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("more", [{}, {"confirmed": "1"}, {"confirmed": "1", "select_across": "1"}])
def test_an_action_on_what_is_no_id_does_nothing(olga: Client, world: World, action: str, more: dict[str, str]) -> None:
    told = "Nothing was done: one of the ids that were sent is none. Choose from the list."
    for no_id in NO_IDS:
        sent = {"action": action, "_selected_action": [str(world.connection.id), no_id], **more}
        answer = olga.post(list_url(Connection), sent)
        assert (answer.status_code, answer["Location"]) == (302, list_url(Connection))
        assert [str(message) for message in get_messages(answer.wsgi_request)] == [told]
        page = olga.cookies.pop("messages")
    olga.cookies["messages"] = page.value
    assert messages_of(olga.get(list_url(Connection))) == [told]
    before = world.connection
    after = Connection.objects.get()
    assert (after.status, after.paused_at, after.suspended_at) == (before.status, None, None)
    assert not AuditEvent.objects.filter(operator="olga").exclude(action="operator.login").exists()


def test_an_action_on_an_id_that_is_gone_does_nothing(olga: Client, world: World) -> None:
    answer = olga.post(
        list_url(Connection), {"action": "pause", "_selected_action": [str(world.tenant.id)]}, follow=True
    )
    assert answer.status_code == 200
    assert Connection.objects.get().paused_at is None


@pytest.mark.parametrize("model", [*MODELS, User, Group], ids=lambda model: model.__name__)
def test_every_list_withstands_an_action_on_what_is_no_id(olga: Client, world: World, model: type[Model]) -> None:
    url = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    # What a list does not offer is refused as such; the other actions look at each id.
    form = olga.get(url).context["action_form"]
    choices = [action for action, _ in form.fields["action"].choices if action] if form else []
    offered = dict.fromkeys((*choices, *(admin.site._registry[model].actions or ())))
    tried = [(action, no_id) for action in offered for no_id in NO_IDS]
    tried += [(action, NO_IDS[0]) for action in ("delete_selected", "refresh", "nonsense", "")]
    for action, no_id in tried:
        answer = olga.post(url, {"action": action, "_selected_action": [no_id], "post": "yes", "index": "0"})
        assert answer.status_code < 500, (action, no_id)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_nul_in_any_field_of_any_form_is_refused(olga: Client, world: World, model: type[Model]) -> None:
    row = one_of(model)
    names = {"_selected_action", "action", "select_across", "index", "password", "_save", "_continue", "_to_field"}
    for url in (f"{list_url(model)}add/", page_url(row)):
        answer = olga.get(url)
        if answer.status_code == 200 and answer.context and "adminform" in answer.context:
            names |= set(answer.context["adminform"].form.fields)
    presses = [press_url(row, button.verb) for button in getattr(admin.site._registry[model], "buttons", ())]
    for url in (f"{list_url(model)}add/", page_url(row), list_url(model), *presses):
        # A name with a NUL is no field's: one of them is as good as another.
        for pair in (*((name, "a\0b") for name in sorted(names)), (f"{min(names)}\0", "a")):
            body = urlencode([("action", "pause"), pair])
            answer = olga.post(url, body, content_type="application/x-www-form-urlencoded")
            assert answer.status_code == 400, (url, pair)
        assert olga.post(url, dict.fromkeys(names, "a\0b")).status_code == 400


@pytest.mark.parametrize("field", ["username", "password", "next"])
def test_a_nul_at_the_login_is_refused(db: None, field: str) -> None:
    User.objects.create_superuser("olga", password=PASSWORD)
    typed = {"username": "olga", "password": PASSWORD, "next": "/admin/", field: "ol\0ga"}
    answer = Client().post("/admin/login/", typed)
    assert answer.status_code in (200, 400)
    assert not AuditEvent.objects.filter(action="operator.login", decision="allowed").exists()
