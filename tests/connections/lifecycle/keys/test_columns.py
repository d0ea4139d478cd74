"""Every encrypted column is known, so that none is forgotten when keys rotate."""

import re
from pathlib import Path

from connections.lifecycle.keys.columns import Column, all_columns
from connections.models import CredentialVersion
from connections.models.fields import StoredSecret

MODELS = Path(__file__).parents[4] / "connections" / "models"


def test_all_sealed_columns_are_there() -> None:
    declared = sum(len(re.findall(r"= SealedField\(", path.read_text())) for path in MODELS.glob("*.py"))
    names = [column.name for column in all_columns()]
    assert len(names) == len(set(names)) == declared + 1
    assert "mfa_authenticator.data" in names


def test_pages_have_each_row_once(stored: list[str]) -> None:
    column = Column(CredentialVersion, "secrets")
    pages = list(column.pages(size=2))
    keys = [key for page in pages for key, _ in page]
    assert [len(page) for page in pages] == [2, 2, 2, 1]
    assert len(set(keys)) == len(stored)
    assert keys == sorted(keys)


def test_a_change_reaches_each_ciphertext_and_nothing_else() -> None:
    column = Column(CredentialVersion, "secrets")
    assert column.changed(StoredSecret(b"a"), bytes.upper).stored == b"A"
    data = {"secret": "a", "migrated_codes": ["b", "c"], "used_mask": 3}
    assert column.ciphertexts(data) == [b"a", b"b", b"c"]
    assert column.changed(data, bytes.upper) == {"secret": "A", "migrated_codes": ["B", "C"], "used_mask": 3}
    passkey = {"name": "d", "credential": {"id": "e"}}
    assert column.ciphertexts(passkey) == []
    assert column.changed(passkey, bytes.upper) == passkey
