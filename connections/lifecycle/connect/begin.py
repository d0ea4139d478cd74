"""Begin: the operator's backend makes a connect session, server-to-server."""

import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from connections.access.secrets import digest
from connections.access.targets import entry_of
from connections.journal import audit
from connections.lifecycle.connect.scopes import check_scopes
from connections.models import (
    ApiClient,
    Binding,
    Connection,
    ConnectSession,
    ManagementSession,
    OwnerKind,
    ProviderApp,
    Status,
    Tenant,
)
from connections.refusals import InvalidRequest, NotFound, PermissionDenied, Suspended
from providers.catalog.loader import meant_by
from providers.vocabulary import ParamScope

TOKEN_LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Trial:
    """An operator tries one provider app, and comes back to a page of their own: no tenant's list has it."""

    app: ProviderApp
    operator: str


@dataclass(frozen=True, slots=True)
class Invitation:
    """The request for a connect session. The API's reference describes each member.

    ``add_scopes`` are asked for on top of what ``connection`` has, in place of ``scopes``. ``management`` is the visit
    to the end user's own page from which it is begun, if it is; ``trial`` an operator's, where it is one.
    """

    end_user: str
    providers: Sequence[str]
    return_url: str
    origin: str = ""
    scopes: Sequence[str] | None = None
    add_scopes: Sequence[str] = ()
    owner: OwnerKind = OwnerKind.END_USER
    connection: uuid.UUID | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    locale: str = ""
    binding: Binding = Binding.COMPLETION
    code_challenge: str = ""
    allow_account_change: bool = False
    label: str = ""
    management: ManagementSession | None = None
    trial: Trial | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """A new session. ``token`` is shown only here; ``connect_url`` carries it in the fragment, which no server logs.

    The token begins with the session's id, so that a page that has it knows which page of ours to show.
    """

    session: ConnectSession
    token: str = field(repr=False)
    connect_url: str = field(repr=False)


def begin_connect(
    invitation: Invitation,
    *,
    client: ApiClient,
    key_id: uuid.UUID | None,
    tenant: Tenant,
    now: datetime,
    actor: audit.Actor,
    session_id: uuid.UUID | None = None,
) -> Begun:
    """Make a connect session for one end user of ``tenant``, with the id ``session_id`` if one is given.

    The token is valid for 10 minutes and for one click, and while the key ``key_id`` by which it was asked for is not
    revoked (None: it was asked for without one). Raises ``InvalidRequest`` naming the member at fault,
    ``Suspended``, ``NotFound`` (the connection to renew) and ``PermissionDenied`` (an unbound session).
    """
    named = invitation.providers
    providers, styles = _meant(named)
    invitation = replace(invitation, providers=providers)
    if tenant.suspended_at is not None:
        raise Suspended(f"The tenant {tenant.slug!r} is suspended.")
    reconnects = _connection_to_renew(invitation, tenant, styles)
    trial = invitation.trial
    apps = _usable_apps(named, tenant, reconnects, only=None if trial is None else trial.app.id)
    if trial is None:
        check_addresses(invitation.return_url, invitation.origin, tenant)
    check_scopes(invitation.scopes, add_scopes=invitation.add_scopes, apps=apps, renews=reconnects)
    if invitation.add_scopes and invitation.allow_account_change:
        raise InvalidRequest(
            "Scopes are added to those of the same account: leave out allow_account_change.",
            field="allow_account_change",
        )
    _check_params(invitation, apps, renews=reconnects is not None)
    if invitation.binding is Binding.NONE and not client.allows_unbound:
        raise PermissionDenied(
            "This API client may not make sessions without the completion check (binding: none): allow it explicitly."
        )
    if invitation.binding is Binding.NONE and invitation.code_challenge:
        raise InvalidRequest(
            "Without the completion check (binding: none) nobody asks for the verifier of a code challenge.",
            field="code_challenge",
        )
    session_id = session_id or uuid.uuid4()
    token = f"{session_id}.{secrets.token_urlsafe(32)}"
    with transaction.atomic():
        session = ConnectSession.objects.create(
            id=session_id,
            tenant=tenant,
            api_client=client,
            asked_by_id=key_id,
            owner_kind=invitation.owner,
            end_user=invitation.end_user,
            providers=providers,
            auth_styles=styles,
            requested_scopes=_named_scopes(invitation),
            adds_scopes=bool(invitation.add_scopes),
            params=dict(invitation.params),
            return_url=invitation.return_url,
            origin=invitation.origin,
            locale=invitation.locale,
            binding=invitation.binding,
            code_challenge=invitation.code_challenge,
            reconnects=reconnects,
            allows_account_change=invitation.allow_account_change,
            label=invitation.label,
            management=invitation.management,
            tried_by="" if trial is None else trial.operator,
            provider_app=None if trial is None else trial.app,
            token_hash=digest(token),
            expires_at=now + TOKEN_LIFETIME,
        )
        audit.record(
            "connect_session.created",
            actor=actor,
            tenant_id=tenant.id,
            connection=reconnects,
            detail={"session": str(session.id), "binding": session.binding, "providers": session.providers}
            | ({"add_scopes": session.requested_scopes} if session.adds_scopes else {}),
        )
    return Begun(session, token, f"{settings.WIDGET_URL}/connect/{session.id}#{token}")


def _meant(named: Sequence[str]) -> tuple[list[str], dict[str, list[str]]]:
    """Return the slugs that are named, once each, and the styles of those that are named by aliases alone."""
    meant: dict[str, list[str]] = {}
    for slug, style in map(meant_by, named):
        meant.setdefault(slug, []).append(style)
    return list(meant), {slug: list(dict.fromkeys(styles)) for slug, styles in meant.items() if all(styles)}


def _connection_to_renew(
    invitation: Invitation, tenant: Tenant, styles: Mapping[str, Sequence[str]]
) -> Connection | None:
    owner = invitation.end_user if invitation.owner is OwnerKind.END_USER else ""
    labelled = _labelled(invitation, tenant, owner)
    if invitation.connection is None:
        connection = labelled
        if connection is None:
            return None
    else:
        found = Connection.objects.for_callers_of(tenant.id).filter(id=invitation.connection).first()
        if found is None or found.status in (Status.DISCONNECTED, Status.PENDING):
            raise NotFound("There is no such connection to renew.")
        if labelled is not None and labelled.id != found.id:
            raise InvalidRequest("Another connection of this end user has the label already.", field="label")
        connection = found
    if connection.owner_kind != invitation.owner or connection.end_user != owner:
        raise InvalidRequest("The connection belongs to somebody else than this session's end user.", field="end_user")
    if list(invitation.providers) != [connection.provider]:
        raise InvalidRequest(f"The connection is one of {connection.provider!r}.", field="provider")
    style = connection.provider_app.auth_style
    if style not in styles.get(connection.provider, (style,)):
        raise InvalidRequest(f"The connection is one of {connection.provider!r} by {style}.", field="provider")
    return connection


def _labelled(invitation: Invitation, tenant: Tenant, owner: str) -> Connection | None:
    """Return the owner's live connection that has the label: asking for it again renews it, and makes no second one."""
    if not invitation.label:
        return None
    if len(invitation.providers) != 1:
        raise InvalidRequest("A label is for a connection to one provider: name that alone.", field="label")
    return (
        Connection.objects.for_callers_of(tenant.id)
        .live()
        .filter(
            provider=invitation.providers[0],
            owner_kind=invitation.owner,
            end_user=owner,
            label=invitation.label,
        )
        .first()
    )


def _usable_apps(
    named: Sequence[str], tenant: Tenant, reconnects: Connection | None, *, only: uuid.UUID | None = None
) -> list[ProviderApp]:
    if not named:
        raise InvalidRequest("Name at least one provider.", field="provider")
    usable = [
        app
        for app in ProviderApp.objects.usable_by(tenant).filter(provider__in=[meant_by(name)[0] for name in named])
        if not app.is_draft
        and (reconnects is None or app.id == reconnects.provider_app_id)
        and (only is None or app.id == only)
    ]
    apps: dict[uuid.UUID, ProviderApp] = {}
    for name in named:
        slug, style = meant_by(name)
        candidates = [app for app in usable if app.provider == slug and app.auth_style == (style or app.auth_style)]
        if not candidates:
            raise InvalidRequest(
                f"There is no provider app for {name!r} that this tenant may use: add one first.", field="provider"
            )
        if all(app.suspended_at is not None for app in candidates):
            raise Suspended(f"The provider app of {name!r} is suspended.")
        apps |= {app.id: app for app in candidates}
    return list(apps.values())


def check_providers(named: Sequence[str], tenant: Tenant) -> None:
    """Raise unless ``tenant`` can connect to each of these: ``InvalidRequest``, ``Suspended``. One query."""
    _usable_apps(named, tenant, None)


def check_addresses(return_url: str, origin: str, tenant: Tenant) -> None:
    """Raise ``InvalidRequest`` unless both are on the tenant's lists; ``origin`` may be "". No I/O."""
    if return_url not in tenant.return_urls:
        raise InvalidRequest(
            "The return URL is not on the tenant's list: it must match one of `return_urls` exactly.",
            field="return_url",
        )
    if origin and origin not in tenant.allowed_origins:
        raise InvalidRequest("The origin is not on the tenant's list of `allowed_origins`.", field="origin")


def _named_scopes(invitation: Invitation) -> list[str] | None:
    named = invitation.add_scopes or invitation.scopes
    return None if named is None else list(dict.fromkeys(named))


def _check_params(invitation: Invitation, apps: Sequence[ProviderApp], *, renews: bool) -> None:
    scopes = (ParamScope.CONNECTION, ParamScope.CALLBACK, ParamScope.INVITATION)
    known = {param.name: param for app in apps for scope in scopes for param in entry_of(app).params_of(scope)}
    for name, value in invitation.params.items():
        if name not in known:
            raise InvalidRequest(f"The provider has no parameter {name!r}.", field=f"params.{name}")
        if not known[name].accepts(value):
            raise InvalidRequest(f"The parameter {name!r} does not have the expected form.", field=f"params.{name}")
    if renews:
        return  # the connection has them already
    for app in apps:
        for param in entry_of(app).invited_params(app.auth_style):
            if not (invitation.params.get(param.name) or param.default):
                raise InvalidRequest(
                    f"{app.name} needs the parameter {param.name!r} ({param.label}), which no end user may choose.",
                    field=f"params.{param.name}",
                )
