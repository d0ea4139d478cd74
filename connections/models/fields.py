"""The encrypted column: the outer layer of the vault, on top of django-fernet-fields-v2.

The library's own column is not safe enough: it falls back to SECRET_KEY, encrypts the repr of expressions, decrypts on
load (so that one corrupt row breaks a queryset) and writes plaintext into fixtures. This subclass takes bytes and
returns an unopened ``StoredSecret``; opening is an explicit call.
"""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Never

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models
from fernet_fields import EncryptedField
from fernet_fields.hkdf import derive_fernet_key

from connections.vault.sealing import Unreadable


@dataclass(frozen=True, slots=True)
class OuterKey:
    """One key of ``FERNET_KEYS``, and a fingerprint that names it without revealing it."""

    fingerprint: str
    fernet: Fernet = field(repr=False)

    def made_at(self, stored: bytes) -> int | None:
        """Return when ``stored`` was encrypted, in seconds of the epoch; None unless this key has made it. No I/O."""
        try:
            return int(self.fernet.extract_timestamp(stored))
        except InvalidToken:
            return None


@lru_cache(maxsize=8)
def _outer_keys(keys: tuple[str, ...]) -> tuple[OuterKey, ...]:
    derived = [derive_fernet_key(key) for key in keys]
    return tuple(OuterKey(hashlib.sha256(b"fingerprint:" + key).hexdigest()[:12], Fernet(key)) for key in derived)


def outer_keys() -> tuple[OuterKey, ...]:
    """Return the keys of ``FERNET_KEYS``, the one that encrypts first. Cached by the keys themselves."""
    return _outer_keys(tuple(settings.FERNET_KEYS))


def fingerprints(keys: Sequence[str]) -> list[str]:
    """Return the fingerprints of keys as ``FERNET_KEYS`` has them. No I/O."""
    return [key.fingerprint for key in _outer_keys(tuple(keys))]


@lru_cache(maxsize=8)
def _multi_fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([key.fernet for key in _outer_keys(keys)])


def outer_fernet() -> MultiFernet:
    """Return the Fernet of ``FERNET_KEYS``: the first key encrypts, all decrypt. Cached by the keys themselves."""
    return _multi_fernet(tuple(settings.FERNET_KEYS))


class StoredSecret:
    """A column's value as stored: encrypted, and silent about itself until ``open_outer`` is called."""

    __slots__ = ("stored",)

    def __init__(self, stored: bytes) -> None:
        self.stored = stored

    def __repr__(self) -> str:
        return "StoredSecret(…)"

    def open_outer(self) -> bytes:
        """Return the inner sealed value. Raises ``Unreadable`` when no key in FERNET_KEYS opens it."""
        try:
            if base64.urlsafe_b64encode(base64.urlsafe_b64decode(self.stored)) != self.stored:
                raise InvalidToken  # Fernet would not notice bits that its base64 does not use
            try:
                return outer_fernet().decrypt(self.stored)
            except InvalidToken:
                if not settings.KEY_FILES.look():  # another process may have read a newer key already
                    raise
                return outer_fernet().decrypt(self.stored)
        except (InvalidToken, ValueError):
            raise Unreadable("The stored value does not open under any key in FERNET_KEYS.") from None


if TYPE_CHECKING:
    _Column = models.Field[bytes | StoredSecret | None, StoredSecret | None]
else:
    _Column = EncryptedField


class SealedField(_Column):
    """A column of sealed bytes. Assign the bytes that the vault's ``seal`` returned; read a ``StoredSecret``."""

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        if value is None or hasattr(value, "resolve_expression"):
            return value
        if isinstance(value, StoredSecret):
            return connection.Database.Binary(value.stored)
        if not isinstance(value, bytes):
            raise TypeError(f"{self.name} takes sealed bytes, not {type(value).__name__}.")
        return connection.Database.Binary(outer_fernet().encrypt(value))

    def from_db_value(self, value: Any, expression: Any, connection: Any, *args: Any) -> StoredSecret | None:
        return None if value is None else StoredSecret(bytes(value))

    def to_python(self, value: Any) -> Any:
        return value

    def value_to_string(self, obj: models.Model) -> Never:
        raise TypeError(f"{self.name} is a secret and is not written to fixtures: use a database backup.")


def remembered(to: str, *, null: bool = False, unique: bool = False) -> "models.ForeignKey[Any, Any]":
    """Return a foreign key without a constraint, for a reference to a row that may be deleted earlier.

    A version's parent is deleted at the refresh after it, and old attempts are swept. With a constraint, each such
    deletion would also write the rows that refer to it, among them the new version of a refresh. Code that follows the
    reference has to check whether the row is there.
    """
    options: dict[str, Any] = {"null": null, "blank": null, "db_constraint": False, "related_name": "+"}
    if unique:
        return models.OneToOneField(to, on_delete=models.DO_NOTHING, **options)
    return models.ForeignKey(to, on_delete=models.DO_NOTHING, db_index=False, **options)
