"""Swapping: what changed since it was read is left as it is, and nobody waits while values are made."""

from typing import Any

from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from connections.lifecycle.keys.columns import SEEDS
from connections.lifecycle.keys.swap import Swap, swap
from connections.models import Connection, CredentialVersion
from tests.connections.lifecycle.sessions import session


def read() -> dict[Any, Swap]:
    """Return the swaps that write each version's sealed value anew, with another mark."""
    return {
        version.pk: Swap(version.secrets, {"secrets": version.secrets, "fingerprint": b"another"})
        for version in CredentialVersion.objects.order_by("pk")
    }


def marked() -> set[Any]:
    return set(CredentialVersion.objects.filter(fingerprint=b"another").values_list("pk", flat=True))


def test_what_is_as_it_was_read_is_changed(stored: list[str]) -> None:
    swaps = read()
    assert swap(CredentialVersion, "secrets", swaps) == set(swaps) == marked()


def test_two_statements_for_however_many_rows(stored: list[str]) -> None:
    with CaptureQueriesContext(database) as ran:
        swap(CredentialVersion, "secrets", read())
    kinds = [query["sql"].split()[0] for query in ran.captured_queries[1:]]
    assert kinds.count("SELECT") <= 2, "one of them reads the clock"
    assert kinds.count("UPDATE") == 1


def test_what_was_changed_or_deleted_since_is_left(stored: list[str]) -> None:
    swaps = read()
    changed, deleted, *others = swaps
    CredentialVersion.objects.filter(pk=changed).update(secrets=b"what a refresh has brought")
    Connection.objects.filter(current_version_id=deleted).delete()
    assert swap(CredentialVersion, "secrets", swaps) == set(others) == marked()
    assert CredentialVersion.objects.get(pk=changed).secrets.open_outer() == b"what a refresh has brought"


def test_what_is_locked_is_left(stored: list[str]) -> None:
    swaps = read()
    locked, *others = swaps
    with session("") as other:
        other.execute("BEGIN")
        other.execute("SELECT 1 FROM connections_credentialversion WHERE id = %s FOR UPDATE", [locked])
        assert swap(CredentialVersion, "secrets", swaps) == set(others)
        other.execute("ROLLBACK")


def test_a_value_of_several_parts_is_compared_whole(stored: list[str]) -> None:
    (pk, seen), (other, data) = SEEDS.rows().order_by("pk").values_list("pk", "data")
    SEEDS.rows().filter(pk=other).update(data=data | {"used_mask": 1})
    swaps = {pk: Swap(seen, {"data": seen | {"new": True}}), other: Swap(data, {"data": {}})}
    assert swap(SEEDS.model, "data", swaps) == {pk}
    assert SEEDS.rows().get(pk=pk).data == seen | {"new": True}


def test_nothing_to_change_is_nothing_asked() -> None:
    assert swap(CredentialVersion, "secrets", {}) == set()
