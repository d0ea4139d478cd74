"""Sealing: what is changed, moved or sealed under another key does not open."""

import dataclasses
import uuid

import pytest

from connections.vault.keyring import DataKey, new_data_key
from connections.vault.sealing import Place, Unreadable, fingerprint, open_sealed, seal, sealed_under

PLACE = Place(tenant="acme", owner="connection", record="version", field="secrets")


@pytest.fixture
def key() -> DataKey:
    return new_data_key()


def test_opens_what_it_sealed(key: DataKey) -> None:
    assert open_sealed(seal(b"token", key=key, place=PLACE), key=key, place=PLACE) == b"token"


def test_seals_the_same_value_differently_each_time(key: DataKey) -> None:
    assert seal(b"token", key=key, place=PLACE) != seal(b"token", key=key, place=PLACE)


def test_notices_every_flipped_bit(key: DataKey) -> None:
    blob = seal(b"token", key=key, place=PLACE)
    for position in range(len(blob) * 8):
        changed = bytearray(blob)
        changed[position // 8] ^= 1 << position % 8
        with pytest.raises(Unreadable):
            open_sealed(bytes(changed), key=key, place=PLACE)


@pytest.mark.parametrize("part", ["tenant", "owner", "record", "field"])
def test_does_not_open_in_another_place(key: DataKey, part: str) -> None:
    blob = seal(b"token", key=key, place=PLACE)
    with pytest.raises(Unreadable):
        open_sealed(blob, key=key, place=dataclasses.replace(PLACE, **{part: "elsewhere"}))


def test_tells_places_apart_whose_parts_run_together(key: DataKey) -> None:
    blob = seal(b"token", key=key, place=Place(tenant="ab", owner="c", record="r", field="f"))
    with pytest.raises(Unreadable):
        open_sealed(blob, key=key, place=Place(tenant="a", owner="bc", record="r", field="f"))


def test_does_not_open_under_another_key_of_the_same_id(key: DataKey) -> None:
    blob = seal(b"token", key=key, place=PLACE)
    with pytest.raises(Unreadable):
        open_sealed(blob, key=DataKey(key.id, new_data_key().material), place=PLACE)


@pytest.mark.parametrize("cut", [0, 1, 17, 29, 44])
def test_refuses_a_cut_value(key: DataKey, cut: int) -> None:
    blob = seal(b"token", key=key, place=PLACE)
    with pytest.raises(Unreadable):
        open_sealed(blob[:cut], key=key, place=PLACE)


def test_says_which_key_it_is_sealed_under(key: DataKey) -> None:
    assert sealed_under(seal(b"token", key=key, place=PLACE)) == key.id


def test_fingerprints_tell_secrets_apart_without_the_key_being_reusable(key: DataKey) -> None:
    assert fingerprint("a", key=key) == fingerprint("a", key=key)
    assert fingerprint("a", key=key) != fingerprint("b", key=key)
    assert fingerprint("a", key=key) != fingerprint("a", key=new_data_key())


def test_shows_no_key_material_in_its_repr() -> None:
    key = DataKey(uuid.uuid4(), b"k" * 32)
    assert "kkk" not in repr(key)
