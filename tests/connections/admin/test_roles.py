"""What each role may do on each page of the admin, button by button and field by field: ``roles.txt`` says it all."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import Group, Permission, User
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from connections.lifecycle.provision.roles import ADDS, Role, save_roles
from tests.connections.admin.conftest import MODELS, World, list_url, logged_in, one_of, page_url, press_url

# A line for each page, each kind of thing on it, and those who may: v is viewer, o operator, s security.
TABLE = (Path(__file__).parent / "roles.txt").read_text(encoding="utf-8")


@pytest.fixture
def browsers(world: World) -> dict[Role, Client]:
    found = {}
    for role in Role:
        user = User.objects.create_user(f"a-{role}", is_staff=True)
        user.groups.add(Group.objects.get(name=role))
        found[role] = logged_in(user)
    return found


def things_on(browser: Client, model: type[Model], row: Model) -> Iterator[str]:
    """Yield what this browser may see, fill in and press on the pages of one model."""
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    pages = {"list": list_url(model), "row": page_url(row), "history": reverse(f"{name}_history", args=[row.pk])}
    answers = {page: browser.get(url) for page, url in pages.items()}
    for page, answer in answers.items():
        if answer.status_code == 200:
            yield f"see {page}"
        if page == "row" and answer.status_code == 200 and answer.context.get("has_change_permission"):
            yield from _fields("change", answer)
    query = "?provider=sandbox" if name.endswith("providerapp") else ""
    if (answer := browser.get(reverse(f"{name}_add") + query)).status_code == 200:
        yield from _fields("add", answer)
    for button in getattr(site._registry[model], "buttons", ()):
        if browser.get(press_url(row, button.verb)).status_code != 403:
            yield f"press {button.verb}"
    for action in site._registry[model].actions or ():
        form = answers["list"].context["action_form"]
        if form and action in dict(form.fields["action"].choices):
            yield f"action {action}"


def _fields(kind: str, answer: object) -> Iterator[str]:
    shown = answer.context  # type: ignore[attr-defined]
    form = shown["adminform"].form if "adminform" in shown else shown["form"]
    yield from (f"{kind} {field}" for field in form.fields)


def table_of(browsers: dict[Role, Client]) -> str:
    lines = []
    for model in sorted(MODELS, key=lambda one: one.__name__):
        rights: dict[str, str] = {}
        for role, browser in browsers.items():
            for thing in things_on(browser, model, one_of(model)):
                rights[thing] = rights.get(thing, "") + role[0]
        lines += _told(model.__name__, rights)
    rights = {}
    for role, browser in browsers.items():
        for page, url in other_pages().items():
            if browser.get(url).status_code == 200:
                rights[f"see {page}"] = rights.get(f"see {page}", "") + role[0]
    return "\n".join([*lines, *_told("Others", rights)])


def other_pages() -> dict[str, str]:
    pages = {"catalogue": reverse("catalogue:list"), "addresses": reverse("catalogue:addresses")}
    pages |= {"entry": reverse("catalogue:entry", args=["sandbox"]), "describe": reverse("catalogue:describe")}
    for name in ("user", "group"):
        pages |= {
            f"{name}s": reverse(f"admin:auth_{name}_changelist"),
            f"new-{name}": reverse(f"admin:auth_{name}_add"),
        }
    return pages | {"first-page": reverse("admin:index")}


def _told(name: str, rights: dict[str, str]) -> Iterator[str]:
    for who in ("vos", "os", "s"):
        kinds: dict[str, list[str]] = {}
        for thing in (thing for thing, held in rights.items() if held == who):
            kind, _, what = thing.partition(" ")
            kinds.setdefault(kind, []).append(what)
        for kind, what in kinds.items():
            yield f"{name:<18} {who.rjust(3, '-')}  {kind}: {' '.join(what)}"
    odd = {thing: held for thing, held in rights.items() if held not in ("vos", "os", "s")}
    assert not odd, f"each role has all that the one before it has: {name}: {odd}"


def test_each_role_may_do_what_the_table_says_and_nothing_else(browsers: dict[Role, Client]) -> None:
    table = table_of(browsers)
    print(table)
    assert table.splitlines() == TABLE.splitlines()


def test_the_roles_name_no_permission_that_is_gone(db: None) -> None:
    known = {
        f"{one.content_type.app_label}.{one.codename}" for one in Permission.objects.select_related("content_type")
    }
    assert frozenset().union(*ADDS.values()) <= known


def test_whoever_is_given_more_by_hand_loses_it_at_the_next_migrate(db: None) -> None:
    viewer = Group.objects.get(name=Role.VIEWER)
    viewer.permissions.add(Permission.objects.get(codename="issue_apikey"))
    own = Group.objects.create(name="support")
    own.permissions.add(Permission.objects.get(codename="issue_apikey"))
    save_roles()
    assert not viewer.permissions.filter(codename="issue_apikey").exists()
    assert own.permissions.count() == 1
