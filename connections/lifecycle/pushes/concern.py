"""Which connections a pushed event is about: those of its provider app, and of the accounts that it names.

A push proves who sent it, and so it reaches no connection of another app. Whose tenant's they are does not matter: the
account is the same, and so is the grant.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from django.db.models import Q, QuerySet

from connections.models import Connection, Status

# A connection that is held has no account yet, and one that is revoked or disconnected no grant.
_CONCERNED = (Status.ACTIVE, Status.SUSPECT, Status.NEEDS_REAUTH)


@dataclass(frozen=True, slots=True)
class Whose:
    """The accounts that an event names. They are compared with the parameter ``param``, or with the account's id.

    ``is_beginning``: each is the first part of an id that has several.
    """

    accounts: Sequence[str]
    param: str | None = None
    is_beginning: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return it as ``from_json`` takes it."""
        return {"accounts": list(self.accounts), "param": self.param, "is_beginning": self.is_beginning}

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> Self:
        """Return what ``as_json`` gave."""
        return cls(said["accounts"], said["param"], said["is_beginning"])

    def named(self) -> Q:
        """Return the condition by which connections, of whatever app and status, are of these accounts."""
        if self.param is not None:
            return Q(**{f"params__{self.param}__in": list(self.accounts)})
        named = Q(pk__in=[])
        for account in self.accounts:
            # The index is of the beginnings, in whatever case; the second condition is exact.
            exact = {"provider_account_id__startswith": f"{account}:"} if self.is_beginning else {}
            named |= Q(provider_account_id__istartswith=account, **(exact or {"provider_account_id": account}))
        return named


def concerned(app_id: uuid.UUID, whose: Whose) -> QuerySet[Connection]:
    """Return the live connections that an event is about, in the order of their ids. No query yet."""
    of_app = Connection.objects.filter(provider_app_id=app_id, status__in=_CONCERNED)
    return of_app.filter(whose.named()).order_by("id")
