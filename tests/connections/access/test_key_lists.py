"""The mark of the lists of keys: another one for other keys or another order, and nothing of a key in it."""

import base64
import secrets

import pytest
from pytest_django import Settings

from connections.access.key_lists import mark
from connections.vault.signing import parse_signing_keys


def test_it_tells_keys_and_their_order(settings: Settings) -> None:
    fernet = [*settings.FERNET_KEYS, "a-further-key-of-some-forty-characters-x"]
    kek = [*settings.KEK_KEYS, "further:" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVoxMjM0NTY="]
    marks = {mark(): 0}
    for fernet_keys, kek_keys in ((fernet, kek), (fernet[::-1], kek), (fernet, kek[::-1]), (fernet[1:], kek)):
        settings.FERNET_KEYS, settings.KEK_KEYS = fernet_keys, kek_keys
        marks[mark()] = len(marks)
        assert mark() == mark()
    assert len(marks) == 5
    assert all(len(one) == 12 for one in marks)


@pytest.mark.parametrize("name", ["KEK_KEYS", "AUDIT_KEYS"])
def test_another_key_under_the_same_id_is_another_list(settings: Settings, name: str) -> None:
    before, (first, *others) = mark(), getattr(settings, name)
    other = f"{first.partition(':')[0]}:{base64.b64encode(secrets.token_bytes(32)).decode()}"
    setattr(settings, name, [other, *others])
    assert mark() != before


def test_who_has_but_the_public_half_of_an_earlier_key_follows_the_same_list(settings: Settings) -> None:
    (signs, *others), earlier = settings.AUDIT_KEYS, f"old:{base64.b64encode(secrets.token_bytes(32)).decode()}"
    settings.AUDIT_KEYS = [signs, *others, earlier]
    before = mark()
    settings.AUDIT_KEYS = [signs, *others, parse_signing_keys([earlier]).public_entries()[0]]
    assert mark() == before
