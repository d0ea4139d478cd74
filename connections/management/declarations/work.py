"""What is under way while a document is carried out."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from connections.journal.audit import Actor
from connections.lifecycle.provision.provider_apps import (
    PreparedApp,
)
from connections.lifecycle.provision.tenants import Prepared
from connections.management.declarations.changes import Change
from connections.management.declarations.document import (
    DeclarationError,
    Document,
    ProviderAppDeclared,
)
from connections.models import Brand, Tenant
from connections.refusals import NotFound, Refusal


@dataclass(slots=True)
class Work:
    """The prepared tenants and apps, and the changes so far."""

    document: Document
    actor: Actor
    brand: Brand | None = None
    tenants: dict[str, Prepared] = field(default_factory=dict)
    apps: list[tuple[ProviderAppDeclared, PreparedApp]] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)

    def tenant(self, slug: str | None) -> Tenant | None:
        """Return a declared tenant, or a stored one. Raises ``NotFound``."""
        if slug is None:
            return None
        if slug in self.tenants:
            return self.tenants[slug].tenant
        found = Tenant.objects.filter(slug=slug).first()
        if found is None:
            raise NotFound(f"There is no tenant {slug!r}: declare it, or add it first.")
        return found

    @contextmanager
    def at(self, place: str) -> Iterator[None]:
        """Turn a refusal into an error that names the file and the place in it."""
        try:
            yield
        except Refusal as refusal:
            member = str(refusal.extra.get("field", ""))
            where = f"{place}.{member}" if member else place
            told = [refusal.detail, *refusal.extra.get("problems", [])]
            raise DeclarationError(f"{self.document.source}: {where}: " + "\n  ".join(told)) from None
