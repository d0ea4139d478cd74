import pytest

from providers.catalog.template import fill, names


def test_fills_what_is_known_and_leaves_the_rest() -> None:
    assert fill("https://{sub}.x/{rest}", {"sub": "eu"}) == "https://eu.x/{rest}"


def test_fills_once_so_that_a_value_is_never_a_template() -> None:
    assert fill("{a}{b}", {"a": "{b}", "b": "secret"}) == "{b}secret"


def test_names_every_placeholder() -> None:
    assert names("{a}/{b_2}/{a}") == {"a", "b_2"}
    assert names("plain") == frozenset()


@pytest.mark.parametrize("template", ["{", "}", "{}", "{A}", "{a b}", "{{a}}", "{a!r}", "{a.b}"])
def test_stray_braces_are_refused(template: str) -> None:
    with pytest.raises(ValueError, match="placeholders"):
        names(template)
