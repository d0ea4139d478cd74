"""Carry out: make what a document declares, and tell what that changes. The use cases are those of the API.

Everything is checked first, and what is at other parties is read (HTTP). Then all rows are written in one transaction;
a rehearsal takes it back. Entries of the operator's own are files, so no transaction holds them: they are stored after
all else was rehearsed, and before it is done. Apps that register themselves do so at the end (HTTP).
"""

from dataclasses import replace

from django.db import DataError, IntegrityError, transaction

from connections.brand.profile import BrandProfile
from connections.journal.audit import Actor
from connections.lifecycle.provision.brands import prepare_brand
from connections.lifecycle.provision.provider_apps import (
    PreparedApp,
    Registration,
    prepare_provider_app,
)
from connections.lifecycle.provision.register_app import register_itself
from connections.lifecycle.provision.tenants import TenantProfile, prepare_tenant
from connections.management.declarations.changes import Change
from connections.management.declarations.document import (
    BrandDeclared,
    DeclarationError,
    Document,
    ProviderAppDeclared,
    secret_at,
)
from connections.management.declarations.entries import entries_of, slugs_of, store_entries
from connections.management.declarations.rows import TENANT, a_draft, app_name, store_rows
from connections.management.declarations.work import Work
from connections.models import ProviderApp
from connections.refusals import InvalidRequest
from providers.catalog.loader import load_catalog, meant_by

_UNCHECKED = "it is checked when the entry is stored"


class _Rehearsed(Exception):
    """Takes the transaction of a rehearsal back."""


def apply(document: Document, *, is_rehearsal: bool, actor: Actor) -> list[Change]:
    """Make what ``document`` declares, or say what that would change. HTTP: no transaction may be open.

    Raises ``DeclarationError`` with nothing changed, but for entries of the operator's own that were stored by then.
    """
    entries = entries_of(document, actor=actor)
    if is_rehearsal:
        return entries + _rows(document, changed=slugs_of(entries), is_rehearsal=True, actor=actor)
    if changed := slugs_of(entries):
        _rows(document, changed=changed, is_rehearsal=True, actor=actor)
        store_entries(document, changed, actor=actor)
    return entries + _rows(document, changed=set(), is_rehearsal=False, actor=actor)


def _rows(document: Document, *, changed: set[str], is_rehearsal: bool, actor: Actor) -> list[Change]:
    """Write all that is no file, in one transaction, which a rehearsal takes back."""
    work = Work(document, actor)
    _prepare(work, changed)
    written: dict[int, ProviderApp] = {}
    try:
        with transaction.atomic():
            written = store_rows(work)
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


def _prepare(work: Work, changed: set[str]) -> None:
    """Check the brand, the tenants and the provider apps (HTTP), before the transaction begins."""
    document = work.document
    if document.brand is not None:
        with work.at("brand"):
            work.brand = prepare_brand(None, BrandProfile(**document.brand.model_dump()))
    for slug, declared in document.tenants.items():
        with work.at(f"tenants.{slug}"):
            profile = TenantProfile(
                **declared.model_dump(include=set(TENANT)),
                brand=None if declared.brand is None else _profile(declared.brand),
            )
            work.tenants[slug] = prepare_tenant(slug, profile)
    for number, app in enumerate(document.provider_apps):
        place = f"provider_apps[{number}]"
        if meant_by(app.provider)[0] in changed:
            work.changes.append(Change("make", "provider app", app_name(app), note=_UNCHECKED))
            continue
        with work.at(place):
            prepared = prepare_provider_app(_registration(work, app, place), tenant=work.tenant(app.tenant))
            _check_declared_once(work, prepared)
            work.apps.append((app, prepared))


def _check_declared_once(work: Work, prepared: PreparedApp) -> None:
    """Raise ``InvalidRequest`` for an app that another part declares by an alias, or by its first style."""
    app = prepared.app
    same = (app.tenant_id, app.provider, app.auth_style)
    if any((one.app.tenant_id, one.app.provider, one.app.auth_style) == same for _, one in work.apps):
        raise InvalidRequest("This app is declared before, by another name: declare it once.", field="provider")


def _profile(declared: BrandDeclared) -> BrandProfile:
    return BrandProfile(**declared.model_dump())


def _registration(work: Work, app: ProviderAppDeclared, place: str) -> Registration:
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


def _registered(change: Change, app: ProviderApp, *, actor: Actor) -> Change:
    """Have a stored ``app`` register itself where it does so (HTTP), and return its change with what came of that."""
    before = app.registers_itself
    done = register_itself(app, actor=actor)
    columns = dict(change.columns)
    if before and not app.registers_itself:
        columns.pop("registers_itself", None)
        what = change.what if columns or change.what == "make" else "leave"
        return replace(change, what=what, columns=columns, note=a_draft(done.told))
    if not before and app.registers_itself:
        columns["registers_itself"] = (False, True)
        what = "change" if change.what == "leave" else change.what
        return replace(change, what=what, columns=columns, note=done.told)
    return replace(change, note=a_draft(done.told)) if done.by_hand and done.told else change
