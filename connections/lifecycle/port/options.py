"""How an import is wanted: what its columns mean, what to do with what is there, what to try at the provider."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

from connections.refusals import InvalidRequest
from providers.brought.columns import NAMES
from providers.brought.files import FORMATS

Conflict = Literal["skip", "replace"]


@dataclass(frozen=True, slots=True)
class Options:
    """The wishes of one import.

    ``form`` is one of ``providers.brought.files.FORMATS``. ``columns`` gives a column of the file one of our names, or
    "" to leave it out. ``provider``, ``auth_style`` and ``end_user`` stand in where a row names none; ``providers``
    and ``tenants`` translate the names of the other system into slugs. ``for_tenant``: connections belong to the
    whole tenant where a row does not say. ``on_conflict``: a connection that is there stays, or gets the credential
    that is brought. ``all_or_nothing``: nothing is stored unless every row can be used. ``refresh_all``: also refresh
    once what does not rotate; what rotates is always refreshed. ``verify``: probe each. ``dry_run``: judge the rows,
    and store nothing of them.
    """

    form: str = "csv"
    columns: Mapping[str, str] = field(default_factory=dict)
    provider: str = ""
    auth_style: str = ""
    end_user: str = ""
    for_tenant: bool = False
    providers: Mapping[str, str] = field(default_factory=dict)
    tenants: Mapping[str, str] = field(default_factory=dict)
    on_conflict: Conflict = "skip"
    all_or_nothing: bool = False
    refresh_all: bool = True
    verify: bool = True
    dry_run: bool = False

    def check(self) -> None:
        """Raise ``InvalidRequest`` naming the option that makes no sense. No I/O."""
        if self.form not in FORMATS:
            raise InvalidRequest(f"The format is one of {', '.join(FORMATS)}.", field="format")
        if self.on_conflict not in ("skip", "replace"):
            raise InvalidRequest("Say skip or replace.", field="on_conflict")
        for name in self.columns.values():
            if name and name not in NAMES and not name.startswith(("field.", "param.")):
                raise InvalidRequest(
                    f"There is no column {name!r}: the names are {', '.join(sorted(NAMES))}, field.NAME and"
                    " param.NAME.",
                    field="columns",
                )

    def as_json(self) -> dict[str, Any]:
        """Return the options as a JSON object, which ``from_json`` reads."""
        return {name: dict(value) if isinstance(value, Mapping) else value for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Return the options that ``as_json`` wrote."""
        return cls(**document)
