"""Every address of the admin, whatever it is for: nothing typed elsewhere is markup there, nothing secret, no forgery.

The pages are opened once, with text in every column that would be a script if a page let it; then they are judged.
"""

import csv
import io
from html.parser import HTMLParser
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import DatabaseError, models, transaction
from django.test import Client

from connections.models import ApiKey, AuditEvent, DataKey, StaffLimit
from tests.connections.admin.addresses import every_address
from tests.connections.admin.conftest import PASSWORD, World, logged_in, make_world

HOSTILE = "\"'><img src=x onerror=alert(1)><b>{{7*7}}"
ADDRESS = "javascript:alert(1)//https://x.example"
FORMULA = '=HYPERLINK("https://sheet.example","x")'
THIEF = "thief.example"
_NAMES_A_KIND = {"provider", "auth_style", "style", "slug", "host", "key_id", "state", "action", "rule", "kid", "code"}
# JSON with what providers, callers and end users say. Other JSON is our own, with keys that its pages know.
_TOLD_BY_OTHERS = {"params", "metadata", "evidence", "detail", "payload", "own_texts", "answer"}


@pytest.fixture(scope="module")
def world(module_db: None) -> World:
    """One row of everything, with hostile text in each column that takes it."""
    made = make_world("acme")
    staff = User.objects.create_superuser("olga", password=PASSWORD, first_name=HOSTILE[:30])
    StaffLimit.objects.create(user=User.objects.create_user(HOSTILE[:150], is_staff=True)).tenants.add(made.tenant)
    for fields in ({"operator": HOSTILE, "agent": HOSTILE}, {"operator": FORMULA, "subject": FORMULA}):
        AuditEvent.objects.create(
            action="connection.connected",
            decision="allowed",
            tenant_id=made.tenant.id,
            connection_id=made.connection.id,
            purpose=HOSTILE,
            detail={"error": HOSTILE, HOSTILE: [HOSTILE]},
            **fields,
        )
    assert sum(_poison(model) for model in apps.get_app_config("connections").get_models()) > 80
    assert staff.pk
    return made


def _poison(model: type[models.Model]) -> int:
    """Put hostile text into each column of a table that is free text, and return how many took it."""
    taken = 0
    for field in model._meta.concrete_fields:
        is_free = isinstance(field, models.CharField | models.TextField) and not field.choices and not field.primary_key
        is_of_others = isinstance(field, models.JSONField) and field.name in _TOLD_BY_OTHERS
        if field.name in _NAMES_A_KIND or not (is_free or is_of_others):
            continue
        for row in model._default_manager.all()[:5]:
            try:
                with transaction.atomic():
                    value = _hostile(field, getattr(row, field.attname))
                    taken += model._default_manager.filter(pk=row.pk).update(**{field.attname: value})
            except DatabaseError:
                continue  # the database lets no such text in
    return taken


def _hostile(field: Any, value: Any) -> Any:
    text = ADDRESS if "url" in field.name or "uri" in field.name else HOSTILE
    if not isinstance(field, models.JSONField):
        return text[: field.max_length]
    return {**_inside(value), HOSTILE: HOSTILE} if value and isinstance(value, dict) else _inside(value)


def _inside(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _inside(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_inside(one) for one in value]
    return HOSTILE if isinstance(value, str) else value


class _Markup(HTMLParser):
    """Collects what hostile text would be, if a page let it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.found += [f"{tag}: {name}" for name in given if name.startswith("on")]
        if given.get("src") == "x" or (tag == "script" and not given.get("src")):
            self.found += [tag] if given.get("type") != "application/json" else []
        for name in ("href", "src", "action", "formaction"):
            if (given.get(name) or "").strip().lower().startswith(("javascript:", "data:text")):
                self.found.append(f"{tag}: {name} is a script")


@pytest.fixture(scope="module")
def answers(world: World) -> dict[str, tuple[Any, str]]:
    """What every address answers to an operator with every right, by its pattern, and its text."""
    olga = logged_in(User.objects.get(username="olga"))
    olga.raise_request_exception = False
    found = {}
    for name, url in every_address().items():
        if "/logout/" in url or ("/end" in url and "/account/" in url):
            continue
        answer = olga.get(url, headers={"x-forwarded-host": THIEF, "forwarded": f"host={THIEF}", "x-host": THIEF})
        text = b"".join(answer.streaming_content) if answer.streaming else answer.content
        found[name] = (answer, text.decode())
    return found


def test_the_crawl_opens_the_pages(answers: dict[str, tuple[Any, str]], db: None) -> None:
    codes = [answer.status_code for answer, _ in answers.values()]
    assert len(codes) > 300 and codes.count(200) > 170
    assert {name: answer.status_code for name, (answer, _) in answers.items() if answer.status_code >= 500} == {}


def test_what_anybody_typed_is_no_markup_on_any_page(answers: dict[str, tuple[Any, str]], db: None) -> None:
    shown = 0
    for name, (answer, text) in answers.items():
        if "html" not in answer["Content-Type"]:
            continue
        markup = _Markup()
        markup.feed(text)
        assert markup.found == [], name
        assert "onerror=alert(1)>" not in text, name
        assert "49" not in text.partition("&gt;&lt;b&gt;")[2][:2], f"{name} evaluates what is typed"
        shown += "onerror=alert(1)&gt;" in text
    assert shown > 60, "the pages show the text, as text"


def test_no_page_holds_a_secret(answers: dict[str, tuple[Any, str]], world: World, db: None) -> None:
    secrets = [*world.secrets, *(bytes(key.key_hash).hex() for key in ApiKey.objects.all())]
    secrets += [bytes(key.wrapped).hex() for key in DataKey.objects.all()]
    for name, (_, text) in answers.items():
        assert [secret for secret in secrets if secret in text] == [], name


def test_no_page_leads_to_a_host_that_the_request_made_up(answers: dict[str, tuple[Any, str]], db: None) -> None:
    for name, (answer, text) in answers.items():
        assert THIEF not in text and THIEF not in answer.get("Location", ""), name


def test_every_page_has_the_policy_and_stands_in_no_frame(answers: dict[str, tuple[Any, str]], db: None) -> None:
    for name, (answer, _) in answers.items():
        policy = answer.get("Content-Security-Policy", "")
        assert "frame-ancestors 'none'" in policy and "unsafe" not in policy, name


def test_no_cell_of_the_trail_s_file_is_a_formula(answers: dict[str, tuple[Any, str]], db: None) -> None:
    (text,) = [text for name, (_, text) in answers.items() if name.endswith("/export/csv/")]
    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert [cell for cell in cells if cell.startswith("'=HYPERLINK")]


def test_no_address_takes_a_post_without_the_token_of_its_page(world: World, db: None) -> None:
    olga = logged_in(User.objects.get(username="olga"))
    olga.handler.enforce_csrf_checks = True
    last = AuditEvent.objects.latest("id").id
    taken = {}
    for name, url in every_address().items():
        answer = olga.post(url, {"action": "delete_selected", "post": "yes", "confirmed": "yes"})
        if answer.status_code != 403:
            taken[name] = answer.status_code
    assert taken == {}
    assert not AuditEvent.objects.filter(id__gt=last).exclude(action="operator.session").exists()


def test_a_stranger_is_led_to_the_login_from_every_address(world: World, db: None) -> None:
    open_to_all = ("/admin/login/", "/admin/logout/", "/admin/first/", "/admin/account/webauthn/login/", "jsi18n")
    for name, url in every_address().items():
        answer = Client().get(url)
        if answer.status_code == 200:
            assert any(one in url for one in open_to_all), name
            continue
        assert answer.status_code in (302, 301, 404, 405), name
        if answer.status_code in (301, 302):
            assert answer["Location"].startswith("/admin/"), name
