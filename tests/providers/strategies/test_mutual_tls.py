"""Mutual TLS: what is kept of what was brought, and what else may go along."""

from collections.abc import Callable

import pytest

from providers.catalog.checks import problems_of
from providers.catalog.mutual_tls_method import MutualTlsMethod
from providers.catalog.resolve import Target
from providers.catalog.schema import CatalogEntry
from providers.errors import FieldInvalid, MisconfiguredProvider
from providers.sandbox.mutual_tls import MutualTls as Authority
from providers.strategies.mutual_tls import MutualTls
from providers.values import Credential

STYLE, STRATEGY = MutualTlsMethod.style, MutualTls()
ISSUED = Authority().issue("alice", days=10)
DAY = 86_400


def test_what_is_kept_is_the_chain_the_plain_key_and_the_end(sandbox_target: Callable[..., Target]) -> None:
    brought = {"certificate": ISSUED.certificate + ISSUED.private_key, "private_key": "", "passphrase": ""}
    found = STRATEGY.accept(sandbox_target(STYLE), brought)
    kept = {name: value.get_secret_value() for name, value in found.credential.fields.items()}
    assert kept == {"certificate": ISSUED.certificate, "private_key": ISSUED.private_key}
    assert 9.9 * DAY < (found.lifetime_seconds or 0) <= 10 * DAY


def test_what_else_an_entry_asks_for_goes_where_it_says(sandbox_target: Callable[..., Target]) -> None:
    fields = [*(field.model_dump() for field in MutualTlsMethod().fields), {"name": "user", "label": "User"}]
    shown = {"mutual_tls": {"headers": {"X-User": "{user}"}}}
    target = sandbox_target(STYLE, changes={"mutual_tls": {"fields": fields}, "presentation": shown})
    brought = {"certificate": ISSUED.certificate, "private_key": ISSUED.private_key, "user": "user-12345678"}
    held = STRATEGY.accept(target, brought).credential
    assert held.fields["user"].get_secret_value() == "user-12345678"
    assert STRATEGY.present(target, held).headers == {}


@pytest.mark.parametrize("name", ["certificate", "private_key"])
def test_other_characters_are_a_slip_of_the_clipboard(sandbox_target: Callable[..., Target], name: str) -> None:
    brought = {"certificate": ISSUED.certificate, "private_key": ISSUED.private_key}
    with pytest.raises(FieldInvalid) as caught:
        STRATEGY.accept(sandbox_target(STYLE), brought | {name: brought[name] + "\u00e9"})
    assert caught.value.field == name


def test_a_credential_without_a_certificate_presents_nothing(sandbox_target: Callable[..., Target]) -> None:
    with pytest.raises(MisconfiguredProvider, match="lacks its certificate"):
        STRATEGY.probe(sandbox_target(STYLE), Credential())


def test_an_entry_that_renames_the_certificate_is_told() -> None:
    section = {"fields": [{"name": "pem", "label": "PEM"}]}
    entry = CatalogEntry.model_validate({"slug": "acme", "name": "Acme", "mutual_tls": section})
    assert any("no field called certificate" in each for each in problems_of(entry, "acme"))
