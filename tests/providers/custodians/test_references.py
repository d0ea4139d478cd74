"""References: one spelling, no way out of the places that the settings allow."""

import pytest

from providers.custodians.references import (
    LONGEST,
    BadReferenceError,
    allowing_place,
    fault_of_place,
    parse_reference,
)

AZURE = "azure-key-vault:https://acme.vault.azure.net/"
GOOD = [
    "file:/run/secrets/hubspot",
    "file:/run/secrets/apps.json#hubspot",
    "vault:secret/data/latchkey/hubspot#client_secret",
    "vault:team-a/secret/data/auth/hubspot#client_secret",
    "aws-secrets-manager:latchkey/hubspot",
    "aws-secrets-manager:arn:aws:secretsmanager:eu-central-1:111122223333:secret:hubspot-AbCdEf#client_secret",
    "google-secret-manager:projects/acme/secrets/hubspot",
    "google-secret-manager:projects/acme/secrets/hubspot/versions/3",
    "azure-key-vault:https://acme.vault.azure.net/secrets/hubspot",
]
BAD = [
    "",
    "hubspot",
    "/run/secrets/hubspot",
    "env:HUBSPOT",
    "https://example.com/secret",
    "FILE:/run/secrets/hubspot",
    *(f"file:{path}" for path in ("", "run/secrets/x", "/", "//run/secrets/x", "/run//secrets/x", "/run/secrets/")),
    *(f"file:{path}" for path in ("/run/../etc/shadow", "/run/secrets/..", "/run/./secrets/x", "/run/secrets/a\\b")),
    *(f"file:{path}" for path in ("/proc/self/environ", "/proc/1/fd/3", "/sys/x", "/dev/stdin", "/proc")),
    *(f"file:/run/secrets/{name}" for name in ("a\x00b", "a\nb", "a\x1bb", "a#", "a#b#c", "#b")),
    *("vault:secret/data/hubspot", "vault:secret#x", "vault:/secret/data/x#y", "vault:secret/../sys/x#y"),
    *(
        "vault:auth/token/lookup-self#id",
        "vault:sys/raw/core#value",
        "vault:cubbyhole/x#y",
        "vault:identity/oidc/key#y",
    ),
    *("vault:team-a/auth/token/lookup-self#id", "vault:team-a/sys/raw/core#value"),
    *("vault:secret/data/x?version=1#y", "vault:secret/%2e%2e/sys/x#y", "vault:secret/data/x y#z", "vault:secret//x#y"),
    *(
        "aws-secrets-manager:arn:aws:kms:eu-central-1:111122223333:key/x",
        "aws-secrets-manager:",
        "aws-secrets-manager:é",
    ),
    *("google-secret-manager:hubspot", "google-secret-manager:projects/p/secrets/x:destroy"),
    *("azure-key-vault:acme", "azure-key-vault:https://u@acme.vault.azure.net/secrets/x"),
    *("azure-key-vault:https://acme.vault.azure.net/keys/x", "azure-key-vault:https://a/secrets/x?y=z"),
    f"file:/{'a' * LONGEST}",
]


@pytest.mark.parametrize("text", GOOD)
def test_a_reference_is_written_as_it_was_read(text: str) -> None:
    assert str(parse_reference(text)) == text


@pytest.mark.parametrize("text", BAD)
def test_anything_else_is_refused_with_how_to_write_it(text: str) -> None:
    with pytest.raises(BadReferenceError, match=r"\w"):
        parse_reference(text)


@pytest.mark.parametrize(
    ("text", "allowed", "is_allowed"),
    [
        ("file:/run/secrets/a", (), False),
        ("file:/run/secrets/a", ("file:/run/secrets/",), True),
        ("file:/run/secrets/b/a", ("file:/run/secrets/",), True),
        ("file:/run/secrets-of-others/a", ("file:/run/secrets/",), False),
        ("file:/run/secrets/ab", ("file:/run/secrets/a",), False),
        ("file:/run/secrets/a#member", ("file:/run/secrets/a",), True),
        ("vault:secret/data/latchkey/a#b", ("file:/", "vault:secret/data/latchkey/"), True),
        ("vault:secret/data/latchkey2/a#b", ("vault:secret/data/latchkey/",), False),
        ("azure-key-vault:https://acme.vault.azure.net/secrets/a", (AZURE,), True),
        ("azure-key-vault:https://acme.vault.azure.net.evil/secrets/a", (AZURE,), False),
        ("azure-key-vault:http://acme.vault.azure.net/secrets/a", (AZURE,), False),
    ],
)
def test_a_place_allows_itself_and_what_is_below_its_slash(
    text: str, allowed: tuple[str, ...], is_allowed: bool
) -> None:
    assert (allowing_place(parse_reference(text), allowed) is not None) is is_allowed


@pytest.mark.parametrize(
    ("place", "is_right"),
    [
        ("file:/run/secrets/", True),
        ("file:/run/secrets/hubspot", True),
        ("vault:secret/data/latchkey/", True),
        ("vault:secret/data/latchkey/hubspot", True),
        ("aws-secrets-manager:latchkey/", True),
        ("azure-key-vault:https://acme.vault.azure.net/", True),
        ("file:/", False),
        ("file:", False),
        ("vault:", False),
        ("vault:/", False),
        ("azure-key-vault:https://", False),
        ("azure-key-vault:https://acme.vault.azure.net", False),
        ("file:/run/../", False),
        ("file:/proc/", False),
        ("file:run/secrets/", False),
        ("file:/run/secrets/a#b", False),
        ("env:/", False),
        ("/run/secrets/", False),
        ("*", False),
    ],
)
def test_the_settings_name_places_and_never_everything(place: str, is_right: bool) -> None:
    assert (fault_of_place(place) == "") is is_right
