"""``/llms.txt``: public, in the shape of llmstxt.org, and with every operation of the document."""

import json
import re

import pytest
from django.conf import settings

from tests.asgi_client import AsgiClient
from tests.connections.api.operations import documented
from tests.factories import make_tenant


@pytest.fixture
def text(db: None) -> str:
    answer = AsgiClient().get("/llms.txt")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/markdown; charset=utf-8"
    return answer.content.decode()


def test_it_begins_with_a_name_and_a_summary(text: str) -> None:
    first, blank, summary, *_ = text.split("\n")
    assert (first, blank) == ("# Latchkey", "")
    assert summary.startswith("> ")
    assert text.count("\n# ") == 0


def test_sections_are_lists_of_links(text: str) -> None:
    for section in re.split(r"(?m)^## ", text)[1:]:
        items = [line for line in section.split("\n") if line.startswith("- ")]
        assert items, section
        assert all(re.fullmatch(r"- \[[^]]+\]\(\S+\): .+", line) for line in items), section


def test_it_names_every_operation_that_is_documented(text: str) -> None:
    named = {f"{method} {path}" for method, path in re.findall(r"`([A-Z]+) /api/v1(/\S+)`$", text, re.MULTILINE)}
    assert named == documented()


def test_links_lead_to_what_is_there(text: str) -> None:
    links = set(re.findall(r"\]\((\S+?)\)", text))
    document = json.loads(AsgiClient().get("/api/v1/openapi.json").content)
    for link in links:
        assert link.startswith(settings.PUBLIC_URL)
        path, _, pointer = link.removeprefix(settings.PUBLIC_URL).partition("#")
        if pointer:
            found = document
            for step in pointer.strip("/").split("/"):
                found = found[step.replace("~1", "/").replace("~0", "~")]
        elif path.startswith("/static/"):
            assert (settings.BASE_DIR / path.lstrip("/")).is_file(), path
        else:
            assert AsgiClient().get(path).status_code == 200, path


def test_it_says_nothing_of_who_is_here(text: str) -> None:
    make_tenant("secretive")
    again = AsgiClient().get("/llms.txt").content.decode()
    assert again == text
    assert "secretive" not in again


def test_it_is_only_read(db: None) -> None:
    assert AsgiClient().post("/llms.txt").status_code in (403, 405)
