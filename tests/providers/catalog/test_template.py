import base64

import pytest

from providers.catalog.template import fill, is_plain, names, render


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_fills_what_is_known_and_leaves_the_rest() -> None:
    assert fill("https://{sub}.x/{rest}", {"sub": "eu"}) == "https://eu.x/{rest}"


def test_fills_once_so_that_a_value_is_never_a_template() -> None:
    assert fill("{a}{b}", {"a": "{b}", "b": "secret"}) == "{b}secret"
    assert render("{a}{b}{base64:{a}}", {"a": "{b}", "b": "secret"}) == "{b}secret" + encoded("{b}")


def test_names_every_placeholder() -> None:
    assert names("{a}/{b_2}/{a}") == {"a", "b_2"}
    assert names("plain") == frozenset()
    assert names("Basic {base64:{email}/token:{token}}") == {"email", "token"}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("Basic {base64:{email}/token:{token}}", "Basic " + encoded("ann@x.example/token:t-1")),
        ("Basic {base64:{token}:}", "Basic " + encoded("t-1:")),
        ("{base64:}", ""),
        ("{base64:{token}}}}", encoded("t-1") + "}"),
        ("{base64:é}{token}", encoded("é") + "t-1"),
        ("{{{token}}}", "{t-1}"),
        ("{{token}}", "{token}"),
        ("{unknown}", "{unknown}"),
        ("plain", "plain"),
    ],
)
def test_renders_base64_and_doubled_braces(template: str, text: str) -> None:
    assert render(template, {"email": "ann@x.example", "token": "t-1"}) == text


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("query { viewer { id name } }", "query { viewer { id name } }"),
        ("query { viewer { id name }}", "query { viewer { id name }}"),
        ('mutation { f(id: "{id}") { x } }', 'mutation { f(id: "7") { x } }'),
        ("query{{viewer{{id}}}}", "query{viewer{id}}"),
        ("{{ {id} }}", "{ 7 }"),
        ("{base64:{id}} }", encoded("7") + " }"),
    ],
)
def test_a_loose_text_keeps_its_braces(template: str, text: str) -> None:
    assert render(template, {"id": "7"}, loosely=True) == text


@pytest.mark.parametrize(
    "template",
    [
        "{",
        "}",
        "{}",
        "{A}",
        "{a b}",
        "{a!r}",
        "{a.b}",
        "{{{a}}",
        "{base64:{a}",
        "{base64:{base64:a}}",
        "{base64:{{a}}}",
    ],
)
def test_stray_braces_are_refused(template: str) -> None:
    with pytest.raises(ValueError, match="every other brace double"):
        names(template)


def test_a_loose_text_with_doubled_braces_doubles_them_all() -> None:
    with pytest.raises(ValueError, match="every other brace double"):
        names("query {{ viewer { id } }}", loosely=True)


def test_tells_a_plain_template_from_others() -> None:
    assert is_plain("https://{host}/x")
    assert not is_plain("https://x/{{a}}")
    assert not is_plain("https://x/{base64:{a}}")
