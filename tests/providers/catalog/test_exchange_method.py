from pathlib import Path

import pytest

from providers.catalog.loader import CatalogError, load_entry

ENTRY = """
name = "Acme"
[token_exchange]
token_url = "https://acme.example/token"
"""


def test_what_microsoft_s_form_cannot_say_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "acme.toml"
    path.write_text(ENTRY + 'form = "on_behalf_of"\n')
    assert load_entry(path).auth_styles == ("oauth2_token_exchange",)
    path.write_text(ENTRY + 'form = "on_behalf_of"\naudience = "acme-api"\nsubject_token_type = "jwt"\n')
    with pytest.raises(CatalogError) as refused:
        load_entry(path)
    assert "token_exchange.audience" in str(refused.value)
    assert "token_exchange.subject_token_type" in str(refused.value)


def test_the_audience_is_a_template(tmp_path: Path) -> None:
    path = tmp_path / "acme.toml"
    path.write_text(ENTRY + 'audience = "api-{region}"\n')
    with pytest.raises(CatalogError, match="region"):
        load_entry(path)
