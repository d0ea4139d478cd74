"""Own words: a closed list of places, plain text, and no placeholder but those of the place."""

import pytest

from connections.brand.texts import PLACES, fault_of_copy, fault_of_text, filled


@pytest.mark.parametrize("place", PLACES)
def test_plain_words_with_the_placeholders_of_the_place_are_fine(place: str) -> None:
    words = " ".join(["Weiter ✓ 次へ", *(f"{{{name}}}" for name in sorted(PLACES[place].placeholders))])
    assert fault_of_copy(place, words) == ""


@pytest.mark.parametrize(
    ("place", "text", "why"),
    [
        ("warning", "All is well", "There is no text 'warning'"),
        ("fine", "x", "There is no text"),
        ("title", "", "empty"),
        ("title", "x" * 81, "longer than 80"),
        ("continue", "x" * 41, "longer than 40"),
        ("continue", "Go to {tenant}", "Braces stand only in {provider}"),
        ("title", "{provider.__class__}", "Braces"),
        ("title", "{provider!r}", "Braces"),
        ("title", "{0}", "Braces"),
        ("title", "{{provider}}", "Braces"),
        ("title", "{", "Braces"),
        ("title", "}", "Braces"),
        ("title", "{secret}", "Braces"),
        ("title", "Line\nbreak", "control"),
        ("title", "NUL\x00", "control"),
        ("title", "Bell\x07", "control"),
        ("title", "\u202eevil", "direction"),
        ("title", "\u2066evil\u2069", "direction"),
        ("title", "\ud800", "surrogate"),
        ("title", "para\u2029graph", "control"),
        ("title", " padded", "space"),
    ],
)
def test_everything_else_is_refused_with_a_reason(place: str, text: str, why: str) -> None:
    assert why in fault_of_copy(place, text)


def test_names_of_the_world_are_plain() -> None:
    for name in ("Acme", "株式会社アクメ", "شركة أكمي", "O'Neill & Söhne", "👩‍💻 Co.", "नमस्ते"):
        assert fault_of_text(name, longest=120) == ""


def test_only_known_names_are_filled_in_and_none_twice() -> None:
    assert filled("{tenant} and {provider}", {"tenant": "{provider}", "provider": "Slack"}) == "{provider} and Slack"
    assert filled("{other}", {"tenant": "Acme"}) == "{other}"
