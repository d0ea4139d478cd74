"""Icons: letters well chosen, text that can be read on any colour, and nothing that a name or a colour smuggles in."""

import re
from dataclasses import dataclass
from xml.etree import ElementTree

import pytest
from django.conf import settings
from django.template import Context, Template
from django.test import Client

from connections.monogram import colour_of, icon_address, is_monogram, letters_of, monogram, monogram_of
from providers.catalog.loader import listed

HOSTILE = (
    '"><script>alert(1)</script>',
    "</text></svg><img src=x onerror=alert(1)>",
    "&lt;b&gt;",
    "\x00\x07\ud800",
    "\u202egnp.exe",
    "…",
    "",
    " " * 400,
    "a" * 100_000,
    "👩‍👩‍👧 family",
    "{{ settings.SECRET_KEY }}",
)


@dataclass
class Entry:
    """An entry of an operator's own, as hostile as can be."""

    name: str
    colour: str = ""


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Google Calendar", "GC"),
        ("1Password", "1P"),
        ("HubSpot", "HS"),
        ("Slack", "S"),
        ("Slack (as a person)", "S"),
        ("monday.com", "M"),
        ("Apollo.io", "A"),
        ("Auth0", "A0"),
        ("OpenAI", "OA"),
        ("eBay", "EB"),
        ("JFrog Artifactory", "JA"),
        ("JFrog", "JF"),
        ("SAP Concur", "SC"),
        ("AWS", "A"),
        ("HP", "HP"),
        ("37signals", "3S"),
        ("Gitea / Forgejo", "GF"),
        ("The Bank of England", "BE"),
        ("On", "O"),
        ("Lowe's", "L"),
        ("Яндекс Диск", "ЯД"),
        ("微信", "微"),
        ("straße", "S"),
        ("ßeta", "S"),
        ("e\u0301lan vital", "ÉV"),
        ("ﬁnance", "F"),
        ("(only a remark)", "OR"),
        ("…", "?"),
    ],
)
def test_letters_are_those_that_a_person_would_choose(name: str, letters: str) -> None:
    assert letters_of(name) == letters


def test_every_entry_has_an_icon_whose_text_can_be_read() -> None:
    for entry in listed().values():
        letters, colour = letters_of(entry.name), colour_of(entry)
        assert is_monogram(letters), entry.name
        assert letters != "?", entry.name
        assert contrast_within(monogram(letters, colour)) >= 4.5, entry.name


def contrast_within(svg: str) -> float:
    """Return the contrast between the text of an icon and its ground (WCAG 2.2)."""
    ground, ink = (luminance(colour) for colour in re.findall(r'fill="#([0-9a-f]{6})"', svg))
    return (max(ground, ink) + 0.05) / (min(ground, ink) + 0.05)


def luminance(colour: str) -> float:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4))
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in (red, green, blue)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("grey", range(0, 256, 5))
def test_text_can_be_read_on_every_grey(grey: int) -> None:
    assert contrast_within(monogram("AB", f"#{grey:02x}{grey:02x}{grey:02x}")) >= 4.5


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("colour", ["", "red", '#fff"/><script>', "#12345", "url(https://evil.example)"])
def test_a_hostile_name_or_colour_makes_a_plain_icon(name: str, colour: str) -> None:
    svg = monogram_of(Entry(name, colour))
    root = ElementTree.fromstring(svg)
    assert [part.tag.rpartition("}")[2] for part in root] == ["rect", "text"]
    assert len(root[1].text or "") <= 2
    assert len(svg) < 800
    assert not re.search(r"style|script|href|\bon\w+=", svg)


def test_an_entry_without_a_colour_keeps_the_one_that_it_is_given() -> None:
    first, again = Entry("Acme"), Entry("Acme")
    assert colour_of(first) == colour_of(again)
    assert len({colour_of(Entry(f"Acme {number}")) for number in range(50)}) > 4


@pytest.mark.parametrize("name", ["Google Calendar", "Яндекс Диск", "…", "<script>"])
def test_its_address_serves_the_same_icon_to_anybody_who_keeps_it(name: str) -> None:
    entry = Entry(name, "#1a73e8")
    within = Template("{% load icons %}{% icon entry %}").render(Context({"entry": entry}))
    answer = Client().get(icon_address(entry).removeprefix(settings.WIDGET_URL))
    assert answer.status_code == 200
    assert answer.content.decode() == within
    assert answer["Content-Type"] == "image/svg+xml; charset=utf-8"
    assert answer["Cache-Control"] == "public, max-age=2592000"
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert not answer.cookies
    assert "Cookie" not in answer.get("Vary", "")


@pytest.mark.parametrize(
    "path",
    ["1A73E8/GC", "1a73e8/ABC", "1a73e8/a", "1a73e8/%3C", "1a73e8/A%26", "red/GC", "1a73e8;/GC", "1a73e8/%00"],
)
def test_no_address_makes_another_picture(path: str) -> None:
    assert Client().get(f"/connect/icon/{path}.svg").status_code == 404
