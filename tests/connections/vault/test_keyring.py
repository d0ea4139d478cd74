"""The keyring: rotation, refusals that name no key, and separate roots."""

import base64
import uuid

import pytest

from connections.vault.keyring import (
    DataKey,
    KeyringError,
    check_separate_roots,
    new_data_key,
    parse_keyring,
)


def kek(letter: bytes) -> str:
    return base64.b64encode(letter * 32).decode()


def test_unwraps_what_it_wrapped_and_what_an_older_key_wrapped() -> None:
    old = parse_keyring([f"old:{kek(b'a')}"])
    both = parse_keyring([f"new:{kek(b'b')}", f"old:{kek(b'a')}"])
    data_key = new_data_key()
    kek_id, wrapped = old.wrap(data_key, binding=b"tenant")
    assert kek_id == "old"
    assert both.unwrap(key_id=data_key.id, kek_id="old", wrapped=wrapped, binding=b"tenant") == data_key
    assert both.wrap(data_key, binding=b"tenant")[0] == "new"


def test_does_not_unwrap_for_another_tenant_or_key_id() -> None:
    ring = parse_keyring([f"k:{kek(b'a')}"])
    data_key = new_data_key()
    _, wrapped = ring.wrap(data_key, binding=b"acme")
    with pytest.raises(KeyringError):
        ring.unwrap(key_id=data_key.id, kek_id="k", wrapped=wrapped, binding=b"globex")
    with pytest.raises(KeyringError):
        ring.unwrap(key_id=uuid.uuid4(), kek_id="k", wrapped=wrapped, binding=b"acme")


def test_names_a_missing_kek() -> None:
    ring = parse_keyring([f"k:{kek(b'a')}"])
    with pytest.raises(KeyringError, match="'gone' is not in KEK_KEYS"):
        ring.unwrap(key_id=uuid.uuid4(), kek_id="gone", wrapped=b"x" * 60, binding=b"")


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([], "empty"),
        (["nocolon"], "entry 1"),
        ([f"a:{kek(b'a')}", "b:!!!"], "entry 2 is not valid base64"),
        ([f"a:{base64.b64encode(b'short').decode()}"], "5 bytes"),
        ([f"a:{kek(b'a')}", f"a:{kek(b'b')}"], "same id twice"),
    ],
)
def test_refuses_unusable_material_without_quoting_it(entries: list[str], message: str) -> None:
    with pytest.raises(KeyringError, match=message) as caught:
        parse_keyring(entries)
    for entry in entries:
        assert entry.partition(":")[2] == "" or entry.partition(":")[2] not in str(caught.value)


def test_refuses_roots_that_share_material() -> None:
    ring = parse_keyring([f"k:{kek(b'a')}"])
    good = "f" * 40
    check_separate_roots(fernet_keys=[good], keyring=ring, secret_key="s" * 50, audit_seeds=[b"c" * 32])
    for fernet_keys, secret_key in (([kek(b"a")], "s" * 50), ([good], good), ([good], kek(b"a")), ([], "s" * 50)):
        with pytest.raises(KeyringError):
            check_separate_roots(fernet_keys=fernet_keys, keyring=ring, secret_key=secret_key, audit_seeds=[])
    for seed, fernet_key in ((b"a" * 32, good), (b"c" * 32, kek(b"c"))):
        with pytest.raises(KeyringError, match="AUDIT_KEYS"):
            check_separate_roots(fernet_keys=[fernet_key], keyring=ring, secret_key="s" * 50, audit_seeds=[seed])
    with pytest.raises(KeyringError, match="shorter than 32"):
        check_separate_roots(fernet_keys=["short"], keyring=ring, secret_key="s" * 50, audit_seeds=[])


def test_shows_ids_only_in_its_repr() -> None:
    assert repr(parse_keyring([f"k:{kek(b'a')}"])) == "Keyring(k)"
    assert "zzz" not in repr(DataKey(uuid.uuid4(), b"z" * 32))
