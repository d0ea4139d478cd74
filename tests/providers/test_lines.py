"""What people write as one line, and what is none."""

import pytest

from providers.lines import plain_line


@pytest.mark.parametrize(
    "text",
    ["Work", "Büro № 1", "仕事用", "👨\u200d👩\u200d👧", "\u0645\u06cc\u200c\u062e", "क्\u200dष", "❤\ufe0f"],
    ids=ascii,
)
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert plain_line(text) == text


@pytest.mark.parametrize("space", [" ", "\u3000", "\xa0", "\u202f", "\u2009"])
def test_every_space_is_a_plain_one(space: str) -> None:
    assert plain_line(f"{space}a{space}b{space}") == "a b"


def test_what_looks_the_same_is_the_same() -> None:
    assert plain_line("Cafe\u0301") == plain_line("Café") == "Café"


@pytest.mark.parametrize(
    "text",
    [
        *(f"a{mark}b" for mark in "\n\r\t\v\f\x00\x1c\x1f\x85\x7f\u2028\u2029\u200b\u200c\u200d\u202e\u2066\ufeff\xad"),
        "\u200d仕",
        "仕\u200d",
        "仕\u200d\u200d事",
        "\U000e0041",
        "\ud800",
    ],
    ids=ascii,
)
def test_marks_that_nobody_sees_make_no_line(text: str) -> None:
    assert plain_line(text) is None
