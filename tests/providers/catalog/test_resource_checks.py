from pathlib import Path

import pytest

from providers.catalog.loader import CatalogError, load_entry

ENTRY = """
name = "Acme"
base_url = "https://mcp.acme.example/mcp"
[[params]]
name = "resource"
label = "Resource"
scope = "discovered"
pattern = "^https://.+$"
[authorization_code]
protected_resource = "https://mcp.acme.example/mcp"
discover = true
resource = "{resource}"
"""


def problem_of(tmp_path: Path, text: str) -> str:
    path = tmp_path / "acme.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CatalogError) as caught:
        load_entry(path)
    return str(caught.value)


def test_a_server_may_name_its_issuer_and_its_resource(tmp_path: Path) -> None:
    path = tmp_path / "acme.toml"
    path.write_text(ENTRY, encoding="utf-8")
    method = load_entry(path).authorization_code
    assert method is not None
    assert method.server == "https://mcp.acme.example/mcp"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("discover = true", 'discover = true\nissuer = "https://x.example"', "the server names its issuer"),
        ("discover = true", "", "the server names its issuer"),
        ('resource = "{resource}"', "", "named in each request"),
        (
            "discover = true",
            'discover = true\ntoken_url = "https://x.example/t"',
            "token_url: each authorization server",
        ),
        ('name = "resource"', 'name = "region"', "params.region: nothing fills it"),
        ('protected_resource = "https://mcp.acme.example/mcp"', "", "params.resource: nothing fills it"),
        ('"https://mcp.acme.example/mcp"\ndiscover', '"{resource}"\ndiscover', "not known before the server is asked"),
    ],
)
def test_what_does_not_fit_is_told(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in ENTRY
    assert told in problem_of(tmp_path, ENTRY.replace(old, new))
