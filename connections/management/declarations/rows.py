"""The rows that a document declares, but for what is read from other parties first: written, and compared."""

from typing import Any
from urllib.parse import urlsplit

from django.db import models

from connections.database.clock import database_now
from connections.lifecycle.policy.give import Terms, give
from connections.lifecycle.provision.api_clients import register_assertion_keys, save_api_client
from connections.lifecycle.provision.brands import store_brand
from connections.lifecycle.provision.provider_apps import (
    store_provider_app,
)
from connections.lifecycle.provision.register_app import why_refused
from connections.lifecycle.provision.tenants import store_tenant
from connections.lifecycle.provision.trusted_issuers import Trust, add_caller_rule, trust_issuer
from connections.lifecycle.webhooks import endpoints as webhooks
from connections.management.declarations.changes import Change, Hidden, compared
from connections.management.declarations.document import (
    IssuerDeclared,
    ProviderAppDeclared,
)
from connections.management.declarations.work import Work
from connections.models import ApiClient, Brand, CallerRule, ProviderApp, TrustedIssuer, WebhookEndpoint
from connections.refusals import InvalidRequest

TENANT = ("name", "allowed_origins", "return_urls", "reconnect_url")
_CLIENT = ("permissions", "allows_unbound", "proxy_rules", "networks", "demands_verified")
_CLIENT_KEYS = ("assertion_keys", "assertion_jwks_url")
_PICTURES = ("logo", "favicon", "logo_media_type", "favicon_media_type")
_BRAND = tuple(
    column.attname
    for column in Brand._meta.concrete_fields
    if column.attname not in ("id", "tenant_id", "created_at", "updated_at")
)


def store_rows(work: Work) -> dict[int, ProviderApp]:
    """Write all that is prepared and declared, in the caller's transaction, and add what that changes to ``work``.

    Returns the apps that may register themselves now, each by the number of its change.
    """
    _store_brand(work)
    _store_tenants(work)
    written = _store_apps(work)
    _store_clients(work)
    _store_issuers(work)
    _give_grants(work)
    _store_webhooks(work)
    return written


def app_name(app: ProviderAppDeclared) -> str:
    """Return how a declared app is told of."""
    style = f" by {app.auth_style}" if app.auth_style else ""
    return f"{app.provider}{style} ({app.tenant or 'shared'})"


def _stored(row: models.Model, columns: tuple[str, ...]) -> dict[str, Any] | None:
    """Return what is stored of a row, None if it is not there."""
    return type(row)._default_manager.filter(pk=row.pk).values(*columns).first()


def _now(row: models.Model, columns: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in columns}


def _store_brand(work: Work) -> None:
    if work.brand is not None:
        work.changes.append(_brand_change(work.brand, "of the operator"))
        store_brand(work.brand, actor=work.actor)


def _brand_change(brand: Brand, name: str) -> Change:
    """Return what a prepared brand changes; of pictures it says no more than that they change."""
    before = _stored(brand, _BRAND)
    change = compared("brand", name, None if before is None else _bytes_of(before), _bytes_of(_now(brand, _BRAND)))
    columns: dict[str, tuple[Any, Any]] = {}
    for key, pair in change.columns.items():
        columns[key.removesuffix("_media_type")] = (Hidden(), Hidden()) if key in _PICTURES else pair
    return Change(change.what, change.kind, change.name, columns)


def _bytes_of(columns: dict[str, Any]) -> dict[str, Any]:
    return {key: bytes(value) if isinstance(value, memoryview) else value for key, value in columns.items()}


def _store_tenants(work: Work) -> None:
    for slug, prepared in work.tenants.items():
        tenant = prepared.tenant
        work.changes.append(compared("tenant", slug, _stored(tenant, TENANT), _now(tenant, TENANT)))
        if prepared.brand is not None and work.document.tenants[slug].brand is not None:
            work.changes.append(_brand_change(prepared.brand, f"of {slug}"))
        with work.at(f"tenants.{slug}"):
            store_tenant(prepared, actor=work.actor)


def _store_apps(work: Work) -> dict[int, ProviderApp]:
    """Write the provider apps. Return those that may register themselves now, each by the number of its change."""
    written = {}
    for number, (declared, prepared) in enumerate(work.apps):
        app, changed = prepared.app, [name for name in prepared.changes() if name != "updated_at"]
        before = {} if prepared.is_new else (_stored(app, tuple(set(changed) - {"secrets"})) or {})
        columns: dict[str, tuple[Any, Any]] = {}
        for name in changed:
            if name == "secrets":
                if prepared.client_secrets or not prepared.is_new:
                    columns["client_secrets"] = (Hidden(), Hidden())
            elif name == "discovered":
                if app.discovered:
                    columns["metadata"] = (Hidden(), Hidden())
            elif not prepared.is_new or getattr(app, name):
                columns[name] = (before.get(name), getattr(app, name))
        what = "make" if prepared.is_new else "change" if changed else "leave"
        refused = why_refused(app)
        note = a_draft(refused) if refused else "a draft: it has no client id" if app.is_draft else ""
        work.changes.append(Change(what, "provider app", app_name(declared), columns, note))  # type: ignore[arg-type]  # one of the three
        with work.at(f"provider_apps[{number}]"):
            store_provider_app(prepared, actor=work.actor)
        if changed or refused:
            written[len(work.changes) - 1] = app
    return written


def a_draft(why: str) -> str:
    """Return the note on an app that its server does not register."""
    return f"a draft, for which each apply asks again: {why}"


def _store_clients(work: Work) -> None:
    for number, declared in enumerate(work.document.api_clients):
        with work.at(f"api_clients[{number}]"):
            tenant = work.tenant(declared.tenant)
            known = ApiClient.objects.filter(tenant=tenant, name=declared.name)
            before = known.values(*_CLIENT, *_CLIENT_KEYS).first()
            client = save_api_client(
                declared.name, tenant=tenant, **declared.model_dump(include=set(_CLIENT)), actor=work.actor
            )
            register_assertion_keys(
                client, keys=declared.assertion_keys, jwks_url=declared.assertion_jwks_url, actor=work.actor
            )
            after = known.values(*_CLIENT, *_CLIENT_KEYS).get()
            has_key = client.keys.filter(revoked_at=None, expires_at__gt=database_now()).exists()
            proves_itself = has_key or declared.assertion_keys or declared.assertion_jwks_url
            owner = f" --tenant {declared.tenant}" if declared.tenant else ""
            note = "" if proves_itself else f"no key yet: manage.py api_clients rotate '{declared.name}'{owner}"
        name = f"{declared.name} ({declared.tenant or 'operator-wide'})"
        work.changes.append(compared("API client", name, before, after, note=note))


def _store_issuers(work: Work) -> None:
    for number, declared in enumerate(work.document.trusted_issuers):
        place = f"trusted_issuers[{number}]"
        trust = Trust(**declared.model_dump(exclude={"tenant", "rules", "use"}), use=declared.use)
        terms = tuple(trust.terms())
        with work.at(place):
            tenant = work.tenant(declared.tenant)
            known = TrustedIssuer.objects.filter(
                tenant=tenant, use=trust.use, issuer=trust.issuer, audience=trust.audience
            )
            before = known.values(*terms).first()
            row = trust_issuer(trust, tenant=tenant, actor=work.actor)
        name = f"{declared.issuer} for {declared.use.value}s ({declared.tenant or 'the operator'})"
        work.changes.append(compared("trusted issuer", name, before, known.values(*terms).get()))
        _add_rules(work, declared, row, place)


def _add_rules(work: Work, declared: IssuerDeclared, row: TrustedIssuer, place: str) -> None:
    for number, rule in enumerate(declared.rules):
        with work.at(f"{place}.rules[{number}]"):
            tenant = work.tenant(rule.tenant)
            client = ApiClient.objects.filter(tenant=tenant, name=rule.client).first()
            if client is None:
                raise InvalidRequest("There is no API client of this name and tenant.", field="client")
            before = CallerRule.objects.filter(issuer=row).count()
            add_caller_rule(row, client, rule.conditions, actor=work.actor)
            is_new = CallerRule.objects.filter(issuer=row).count() > before
        columns = {"conditions": (None, rule.conditions)} if is_new else {}
        work.changes.append(Change("make" if is_new else "leave", "caller rule", f"{rule.client} at {row}", columns))


def _give_grants(work: Work) -> None:
    for number, declared in enumerate(work.document.access_grants):
        with work.at(f"access_grants[{number}]"):
            tenant = work.tenant(declared.tenant)
            if tenant is None:
                raise InvalidRequest("Name the tenant.", field="tenant")
            said = declared.model_dump(exclude={"tenant", "subject"})
            terms = Terms(subject_kind=declared.subject.kind, subject=declared.subject.id, **said)
            _, is_new = give(terms, tenant=tenant, now=database_now(), actor=work.actor)
        name = f"{declared.subject.kind.value} {declared.subject.id} on {declared.provider} ({declared.tenant})"
        limits = ("scopes", "methods", "paths", "expires_at")
        columns = {key: (None, said[key]) for key in limits if said[key]} if is_new else {}
        work.changes.append(Change("make" if is_new else "leave", "access grant", name, columns))


def _store_webhooks(work: Work) -> None:
    """Write the webhook endpoints. Only their hosts are told: a path may be the receiver's secret."""
    for number, declared in enumerate(work.document.webhooks):
        with work.at(f"webhooks[{number}]"):
            tenant = work.tenant(declared.tenant)
            terms = webhooks.Terms(**declared.model_dump(exclude={"tenant"}))
            known = WebhookEndpoint.objects.filter(tenant=tenant, url=declared.url).order_by("created_at").first()
            after = {"description": terms.description, "event_types": webhooks.types_of(terms)}
            before = None if known is None else {name: getattr(known, name) for name in after}
            if known is None:
                webhooks.add_endpoint(terms, tenant=tenant, now=database_now(), actor=work.actor)
            elif before != after:
                webhooks.change_endpoint(known.id, terms, actor=work.actor)
        note = "manage.py webhooks rotate prints a secret of it" if known is None else ""
        name = f"at {urlsplit(declared.url).netloc} ({declared.tenant or 'of all tenants'})"
        work.changes.append(compared("webhook endpoint", name, before, after, note=note))
