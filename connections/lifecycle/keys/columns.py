"""Every column that ``FERNET_KEYS`` encrypts: the sealed ones of our tables, and the seeds of second factors."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from allauth.mfa.models import Authenticator
from django.apps import apps
from django.db.models import Model, Q, QuerySet

from connections.models.fields import SealedField, StoredSecret

PAGE = 100
_SEEDS = ("secret", "seed")
Change = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Column:
    """One column. A value of it holds ciphertexts: a sealed one holds one, the data of a second factor a few."""

    model: type[Model]
    field: str

    @property
    def name(self) -> str:
        """The table and the column, as people read them."""
        return f"{self.model._meta.db_table}.{self.field}"

    def rows(self) -> QuerySet[Any]:
        """Return the rows that have a value."""
        return self.model._default_manager.filter(**{f"{self.field}__isnull": False})

    def pages(self, *, size: int = PAGE) -> Iterator[list[tuple[Any, Any]]]:
        """Yield the keys and the values of all rows in the order of their keys, ``size`` at a time. A query each."""
        after = Q()
        while page := list(self.rows().filter(after).order_by("pk").values_list("pk", self.field)[:size]):
            yield page
            after = Q(pk__gt=page[-1][0])

    def sample(self, size: int) -> list[tuple[Any, Any]]:
        """Return the keys and the values of up to ``size`` rows: of the first, and of the last. Two queries.

        What goes through them in their order, as ``rewrap`` does, has left its traces at one of both ends.
        """
        rows = self.rows().values_list("pk", self.field)
        first = list(rows.order_by("pk")[: size - size // 2])
        if not first:
            return []
        return [*first, *rows.filter(pk__gt=first[-1][0]).order_by("-pk")[: size // 2]]

    def ciphertexts(self, value: Any) -> list[bytes]:
        """Return the ciphertexts in a value."""
        if isinstance(value, StoredSecret):
            return [value.stored]
        return [text.encode() for text in _seeds(value)]

    def changed(self, value: Any, change: Change) -> Any:
        """Return the value with ``change`` made to each ciphertext in it."""
        if isinstance(value, StoredSecret):
            return StoredSecret(change(value.stored))
        new: dict[str, Any] = {name: change(value[name].encode()).decode() for name in _SEEDS if name in value}
        if "migrated_codes" in value:
            new["migrated_codes"] = [change(code.encode()).decode() for code in value["migrated_codes"]]
        return value | new


SEEDS = Column(Authenticator, "data")


def _seeds(data: dict[str, Any]) -> list[str]:
    return [data[name] for name in _SEEDS if name in data] + list(data.get("migrated_codes", ()))


def all_columns() -> list[Column]:
    """Return every column, in the order of their names. No I/O."""
    found = [
        Column(model, field.name)
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, SealedField)
    ]
    return sorted([*found, SEEDS], key=lambda column: column.name)
