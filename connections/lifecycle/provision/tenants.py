"""Tenants: make and change them. Every value is checked before it is written."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from connections.brand.profile import BrandProfile
from connections.database.locks import RowCheck, lock_to_compare
from connections.journal import audit
from connections.lifecycle.provision.brands import check_name, check_url, prepare_brand, store_brand
from connections.models import Brand, Tenant
from connections.models.mutators import differs
from connections.models.tenant import SLUG
from connections.refusals import InvalidRequest

_PROFILE_COLUMNS = (
    "name",
    "allowed_origins",
    "return_urls",
    "reconnect_url",
)


@dataclass(frozen=True, slots=True)
class TenantProfile:
    """The values that a tenant gets. ``brand`` None keeps how its pages look."""

    name: str
    allowed_origins: Sequence[str] = field(default_factory=tuple)
    return_urls: Sequence[str] = field(default_factory=tuple)
    reconnect_url: str = ""
    brand: BrandProfile | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A checked tenant, not yet written, and its brand where that changes too. A new tenant gets an empty one."""

    tenant: Tenant
    brand: Brand | None


def upsert_tenant(slug: str, profile: TenantProfile, *, actor: audit.Actor, check: RowCheck | None = None) -> Tenant:
    """Make the tenant ``slug``, or change it to ``profile``.

    Raises ``InvalidRequest`` naming the member at fault, and what ``check`` raises of the locked tenant.
    """
    try:
        return store_tenant(prepare_tenant(slug, profile), actor=actor, check=check)
    except IntegrityError:
        # Another call has just made the tenant. The second run finds it.
        return store_tenant(prepare_tenant(slug, profile), actor=actor, check=check)


def prepare_tenant(slug: str, profile: TenantProfile) -> Prepared:
    """Return the tenant as ``store_tenant`` will write it. Raises ``InvalidRequest`` naming the member at fault."""
    check_name(profile.name)
    for origin in profile.allowed_origins:
        check_url(origin, field_name="allowed_origins", origin_only=True)
    for url in profile.return_urls:
        check_url(url, field_name="return_urls")
    if profile.reconnect_url:
        check_url(re.sub(r"\{[a-z_]+\}", "x", profile.reconnect_url), field_name="reconnect_url")
    try:
        SLUG(slug)
    except ValidationError as error:
        raise InvalidRequest(" ".join(error.messages), field="slug") from None
    tenant = Tenant.objects.filter(slug=slug).first() or Tenant(slug=slug)
    if tenant.shred_at is not None:
        raise InvalidRequest("This tenant is being deleted: wait until that is done, then make it anew.", field="slug")
    tenant.name = profile.name
    tenant.allowed_origins = list(profile.allowed_origins)
    tenant.return_urls = list(profile.return_urls)
    tenant.reconnect_url = profile.reconnect_url
    try:
        tenant.full_clean(validate_unique=False)
    except ValidationError as error:
        name, messages = next(iter(error.message_dict.items()))
        raise InvalidRequest(" ".join(messages), field=name) from None
    brand = Brand(tenant=tenant) if tenant._state.adding else None
    return Prepared(tenant, brand if profile.brand is None else prepare_brand(tenant, profile.brand))


def store_tenant(prepared: Prepared, *, actor: audit.Actor, check: RowCheck | None = None) -> Tenant:
    """Write a prepared tenant and its brand, each with its audit row, where something of it changes.

    Raises what ``check`` raises of the locked tenant.
    """
    tenant = prepared.tenant
    with transaction.atomic():
        if check is not None:
            lock_to_compare(tenant, check)
        if tenant._state.adding or differs(tenant, *_PROFILE_COLUMNS):
            # Update only the columns of the profile: a kill switch that was thrown meanwhile stays thrown.
            tenant.save(update_fields=None if tenant._state.adding else (*_PROFILE_COLUMNS, "updated_at"))
            audit.record("tenant.saved", actor=actor, tenant_id=tenant.id, detail={"slug": tenant.slug})
        if prepared.brand is not None:
            store_brand(prepared.brand, actor=actor)
    return tenant
