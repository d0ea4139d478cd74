"""What is brought of one connection, and why a row cannot be used."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from providers.values import Brought


class RowFault(Exception):
    """A row cannot be used. ``code`` is stable, ``field`` names the column at fault or is "", ``detail`` is for people.

    None of them holds a value of the row.
    """

    def __init__(self, code: str, detail: str, *, field: str = "") -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.field = field


@dataclass(frozen=True, slots=True)
class BroughtConnection:
    """One connection as another system kept it. A text is "" where the row does not say it.

    ``provider`` is a slug or an alias of the catalogue; the first of ``other_names`` that is one counts where it is
    not. ``owner`` is "end_user" or "tenant". ``source_id`` is how the other system calls the connection. ``client_id``
    is the client to which the credential was issued, where the row names it. ``expires_at`` is the end of the access
    token, None if unknown. ``scopes`` are those granted, None if unknown. ``params`` are the connection's parameters
    by name, and ``loose_params`` further settings of which those count that the catalogue knows.
    """

    credential: Brought
    tenant: str = ""
    provider: str = ""
    other_names: tuple[str, ...] = ()
    auth_style: str = ""
    owner: str = ""
    end_user: str = ""
    source_id: str = ""
    label: str = ""
    account_id: str = ""
    account_name: str = ""
    client_id: str = ""
    expires_at: datetime | None = None
    scopes: tuple[str, ...] | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    loose_params: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
