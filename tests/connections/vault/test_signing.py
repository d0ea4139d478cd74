"""The keys that sign seals: rotation, what an auditor needs, and refusals that name no key."""

import base64

import pytest

from connections.vault.keyring import KeyringError
from connections.vault.signing import Signature, parse_signing_keys


def seed(letter: bytes) -> str:
    return base64.b64encode(letter * 32).decode()


def test_the_first_key_signs_and_an_older_one_still_verifies() -> None:
    old = parse_signing_keys([f"old:{seed(b'a')}"])
    both = parse_signing_keys([f"new:{seed(b'b')}", f"old:{seed(b'a')}"])
    signature = old.sign(b"message")
    assert (signature.key_id, both.sign(b"message").key_id) == ("old", "new")
    assert both.verifies(b"message", signature)
    assert not both.verifies(b"other", signature)
    assert not both.verifies(b"message", Signature("new", signature.value))
    assert not old.verifies(b"message", both.sign(b"message"))


def test_a_retired_key_verifies_by_its_public_half_alone() -> None:
    old = parse_signing_keys([f"old:{seed(b'a')}"])
    auditor = parse_signing_keys([f"new:{seed(b'b')}", *old.public_entries()])
    assert auditor.verifies(b"message", old.sign(b"message"))
    assert len(auditor.seeds) == 1
    assert seed(b"a") not in "".join(auditor.public_entries())


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([], "no key that can sign"),
        (["nonsense"], "entry 1 is not of the form"),
        ([f"k:{seed(b'a')}", f"k:{seed(b'b')}"], "same id twice"),
        (["k:@@"], "entry 1 is not valid base64"),
        (["k:c2hvcnQ="], "entry 1 has 5 bytes"),
        ([f"k:public:{seed(b'a')}"], "no key that can sign"),
    ],
)
def test_refuses_unusable_material_without_quoting_it(entries: list[str], message: str) -> None:
    with pytest.raises(KeyringError, match=message) as caught:
        parse_signing_keys(entries)
    assert not any(entry.rpartition(":")[2] in str(caught.value) for entry in entries if ":" in entry)


def test_shows_no_secret_in_its_repr() -> None:
    keys = parse_signing_keys([f"k:{seed(b'a')}"])
    assert seed(b"a") not in repr(keys)
    assert repr(b"a" * 32) not in repr(keys)
