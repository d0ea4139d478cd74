"""The generated halves are what the OpenAPI document says, now."""

from config.local.clients.__main__ import HINT, modules


def test_they_are_what_the_document_says() -> None:
    stale = [path.name for path, text in modules().items() if path.read_text(encoding="utf-8") != text]
    assert stale == [], HINT
