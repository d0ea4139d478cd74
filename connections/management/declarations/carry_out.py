"""Carry out: make what a document declares, and tell what that changes. The use cases are those of the API.

Everything is checked first, and what is at other parties is read (HTTP). Then all rows are written in one transaction;
a rehearsal takes it back. Entries of the operator's own are files, so no transaction holds them: they are stored after
all else was rehearsed, and before it is done. Apps that register themselves do so at the end (HTTP).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from django.db import DataError, IntegrityError, models, transaction

from connections.brand.profile import BrandProfile
from connections.database.clock import database_now
from connections.journal.audit import Actor
from connections.lifecycle.policy.give import Terms, give
from connections.lifecycle.provision.api_clients import register_assertion_keys, save_api_client
from connections.lifecycle.provision.brands import prepare_brand, store_brand
from connections.lifecycle.provision.own_providers import own_text, prepare_own_provider, store_own_provider
from connections.lifecycle.provision.provider_apps import (
    PreparedApp,
    Registration,
    prepare_provider_app,
    store_provider_app,
)
from connections.lifecycle.provision.register_app import register_itself, why_refused
from connections.lifecycle.provision.tenants import Prepared, TenantProfile, prepare_tenant, store_tenant
from connections.lifecycle.provision.trusted_issuers import Trust, add_caller_rule, trust_issuer
from connections.lifecycle.webhooks import endpoints as webhooks
from connections.management.declarations.changes import Change, Hidden, compared
from connections.management.declarations.document import (
    BrandDeclared,
    DeclarationError,
    Document,
    IssuerDeclared,
    ProviderAppDeclared,
    secret_at,
    text_at,
)
from connections.models import ApiClient, Brand, CallerRule, ProviderApp, Tenant, TrustedIssuer, WebhookEndpoint
from connections.refusals import InvalidRequest, NotFound, Refusal
from providers.catalog.loader import load_catalog, meant_by

_TENANT = ("name", "allowed_origins", "return_urls", "reconnect_url")
_CLIENT = ("permissions", "allows_unbound", "proxy_rules", "networks", "demands_verified")
_CLIENT_KEYS = ("assertion_keys", "assertion_jwks_url")
_PICTURES = ("logo", "favicon", "logo_media_type", "favicon_media_type")
_BRAND = tuple(
    column.attname
    for column in Brand._meta.concrete_fields
    if column.attname not in ("id", "tenant_id", "created_at", "updated_at")
)
_UNCHECKED = "it is checked when the entry is stored"


class _Rehearsed(Exception):
    """Takes the transaction of a rehearsal back."""


@dataclass(slots=True)
class _Work:
    """What is under way: the prepared tenants and apps, and the changes so far."""

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


def apply(document: Document, *, is_rehearsal: bool, actor: Actor) -> list[Change]:
    """Make what ``document`` declares, or say what that would change. HTTP: no transaction may be open.

    Raises ``DeclarationError`` with nothing changed, but for entries of the operator's own that were stored by then.
    """
    entries = _entries(document, actor=actor)
    if is_rehearsal:
        return entries + _rows(document, changed=_slugs(entries), is_rehearsal=True, actor=actor)
    if changed := _slugs(entries):
        _rows(document, changed=changed, is_rehearsal=True, actor=actor)
        _store_entries(document, changed, actor=actor)
    return entries + _rows(document, changed=set(), is_rehearsal=False, actor=actor)


def _slugs(entries: list[Change]) -> set[str]:
    return {change.name for change in entries if change.what != "leave"}


def _entries(document: Document, *, actor: Actor) -> list[Change]:
    """Return what becomes of the entries of the operator's own. Checks each, and stores none."""
    work, found = _Work(document, actor), []
    for slug, place, text, confirmed in _texts(document):
        with work.at(place):
            prepared = prepare_own_provider(slug, text)
            known = own_text(slug)
            if prepared.text != known and (prepared.forgets or prepared.hides_built_in) and not confirmed:
                raise InvalidRequest(
                    "Provider apps would lose their client secrets, or an entry that comes with Latchkey would be "
                    "replaced: say `confirm = true`.",
                    field="confirm",
                )
        columns = {} if prepared.text == known else {"toml": (Hidden(), Hidden())}
        what = "leave" if not columns else "make" if known is None else "change"
        found.append(Change(what, "own provider", slug, columns))  # type: ignore[arg-type]  # one of the three
    return found


def _store_entries(document: Document, changed: set[str], *, actor: Actor) -> None:
    work = _Work(document, actor)
    for slug, place, text, _ in _texts(document):
        if slug in changed:
            with work.at(place):
                store_own_provider(prepare_own_provider(slug, text), actor=actor)


def _texts(document: Document) -> Iterator[tuple[str, str, str, bool]]:
    for slug, declared in document.own_providers.items():
        place = f"own_providers.{slug}"
        text = declared.toml if declared.toml is not None else text_at(str(declared.file), document, f"{place}.file")
        yield slug, place, text, declared.confirm


def _rows(document: Document, *, changed: set[str], is_rehearsal: bool, actor: Actor) -> list[Change]:
    """Write all that is no file, in one transaction, which a rehearsal takes back."""
    work = _Work(document, actor)
    _prepare(work, changed)
    written: dict[int, ProviderApp] = {}
    try:
        with transaction.atomic():
            _store_brand(work)
            _store_tenants(work)
            written = _store_apps(work)
            _store_clients(work)
            _store_issuers(work)
            _give_grants(work)
            _store_webhooks(work)
            if is_rehearsal:
                raise _Rehearsed
    except _Rehearsed:
        return work.changes
    except IntegrityError:
        raise DeclarationError(
            f"{document.source}: somebody else has just made one of these: nothing was changed, so apply it again."
        ) from None
    except DataError:
        raise DeclarationError(f"{document.source}: a text in it is longer than can be stored.") from None
    for number, app in written.items():
        work.changes[number] = _registered(work.changes[number], app, actor=actor)
    return work.changes


def _prepare(work: _Work, changed: set[str]) -> None:
    """Check the brand, the tenants and the provider apps (HTTP), before the transaction begins."""
    document = work.document
    if document.brand is not None:
        with work.at("brand"):
            work.brand = prepare_brand(None, BrandProfile(**document.brand.model_dump()))
    for slug, declared in document.tenants.items():
        with work.at(f"tenants.{slug}"):
            profile = TenantProfile(
                **declared.model_dump(include=set(_TENANT)),
                brand=None if declared.brand is None else _profile(declared.brand),
            )
            work.tenants[slug] = prepare_tenant(slug, profile)
    for number, app in enumerate(document.provider_apps):
        place = f"provider_apps[{number}]"
        if meant_by(app.provider)[0] in changed:
            work.changes.append(Change("make", "provider app", _app_name(app), note=_UNCHECKED))
            continue
        with work.at(place):
            prepared = prepare_provider_app(_registration(work, app, place), tenant=work.tenant(app.tenant))
            _check_declared_once(work, prepared)
            work.apps.append((app, prepared))


def _check_declared_once(work: _Work, prepared: PreparedApp) -> None:
    """Raise ``InvalidRequest`` for an app that another part declares by an alias, or by its first style."""
    app = prepared.app
    same = (app.tenant_id, app.provider, app.auth_style)
    if any((one.app.tenant_id, one.app.provider, one.app.auth_style) == same for _, one in work.apps):
        raise InvalidRequest("This app is declared before, by another name: declare it once.", field="provider")


def _profile(declared: BrandDeclared) -> BrandProfile:
    return BrandProfile(**declared.model_dump())


def _registration(work: _Work, app: ProviderAppDeclared, place: str) -> Registration:
    meant, style = meant_by(app.provider)
    known = load_catalog().get(meant)
    if known is None:
        raise InvalidRequest(f"There is no provider {app.provider!r} in the catalogue.", field="provider")
    secrets = None
    if app.client_secrets is not None:
        secrets = [
            secret_at(found, work.document, f"{place}.client_secrets[{number}]")
            for number, found in enumerate(app.client_secrets)
        ]
    return Registration(
        provider=meant,
        auth_style=app.auth_style or style or known.auth_styles[0],
        name=app.name,
        client_id=app.client_id,
        client_secrets=secrets,
        secret_source=app.client_secret_from,
        params=app.params,
        scopes=app.scopes,
        required_scopes=app.required_scopes,
        allowed_scopes=app.allowed_scopes,
        allows_legacy=app.allows_legacy,
    )


def _app_name(app: ProviderAppDeclared) -> str:
    style = f" by {app.auth_style}" if app.auth_style else ""
    return f"{app.provider}{style} ({app.tenant or 'shared'})"


def _stored(row: models.Model, columns: tuple[str, ...]) -> dict[str, Any] | None:
    """Return what is stored of a row, None if it is not there."""
    return type(row)._default_manager.filter(pk=row.pk).values(*columns).first()


def _now(row: models.Model, columns: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in columns}


def _store_brand(work: _Work) -> None:
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


def _store_tenants(work: _Work) -> None:
    for slug, prepared in work.tenants.items():
        tenant = prepared.tenant
        work.changes.append(compared("tenant", slug, _stored(tenant, _TENANT), _now(tenant, _TENANT)))
        if prepared.brand is not None and work.document.tenants[slug].brand is not None:
            work.changes.append(_brand_change(prepared.brand, f"of {slug}"))
        with work.at(f"tenants.{slug}"):
            store_tenant(prepared, actor=work.actor)


def _store_apps(work: _Work) -> dict[int, ProviderApp]:
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
        note = _refused(refused) if refused else "a draft: it has no client id" if app.is_draft else ""
        work.changes.append(Change(what, "provider app", _app_name(declared), columns, note))  # type: ignore[arg-type]  # one of the three
        with work.at(f"provider_apps[{number}]"):
            store_provider_app(prepared, actor=work.actor)
        if changed or refused:
            written[len(work.changes) - 1] = app
    return written


def _registered(change: Change, app: ProviderApp, *, actor: Actor) -> Change:
    """Have a stored ``app`` register itself where it does so (HTTP), and return its change with what came of that."""
    before = app.registers_itself
    done = register_itself(app, actor=actor)
    columns = dict(change.columns)
    if before and not app.registers_itself:
        columns.pop("registers_itself", None)
        what = change.what if columns or change.what == "make" else "leave"
        return replace(change, what=what, columns=columns, note=_refused(done.told))
    if not before and app.registers_itself:
        columns["registers_itself"] = (False, True)
        what = "change" if change.what == "leave" else change.what
        return replace(change, what=what, columns=columns, note=done.told)
    return replace(change, note=_refused(done.told)) if done.by_hand and done.told else change


def _refused(why: str) -> str:
    return f"a draft, for which each apply asks again: {why}"


def _store_clients(work: _Work) -> None:
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


def _store_issuers(work: _Work) -> None:
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


def _add_rules(work: _Work, declared: IssuerDeclared, row: TrustedIssuer, place: str) -> None:
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


def _give_grants(work: _Work) -> None:
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


def _store_webhooks(work: _Work) -> None:
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
