"""``manage.py provider_apps``: our registrations at providers."""

import json
from typing import Any

from django.db.models import Count

from connections.access.targets import redirect_uri, registrar_of
from connections.lifecycle.provision.provider_apps import Registration, save_provider_app
from connections.lifecycle.provision.register_app import Registering, register_itself
from connections.lifecycle.registration.renew import renew
from connections.lifecycle.steer.rebind import rebind
from connections.management.operator_command import (
    OperatorCommand,
    entry_and_style,
    operator,
    pairs,
    provider_app_meant,
    secrets_from,
    tenant_named,
    words,
)
from connections.management.output import Answer, sheet, table
from connections.models import Connection, ProviderApp, RegisteredClient, Tenant
from providers.catalog.schema import CatalogEntry
from providers.strategies import strategies


class Command(OperatorCommand):
    help = "Add, change and list provider apps: our client registrations at providers."

    def add_subcommands(self) -> None:
        add = self.subcommand(
            "add",
            _add,
            help_text="Add a provider app, or change one: what is not given stays as it is. Prints its redirect URI. "
            "Without a client id it registers itself where the authorization server offers that: by a Client ID "
            "Metadata Document, else by dynamic registration. Elsewhere it is a draft, to be registered by hand: "
            "providers ask for the redirect URI first.",
            examples=(
                "hubspot",
                "mcp --tenant acme",
                "hubspot --client-id 0e5f… --client-secret-file hubspot.secret",
                "hubspot --client-id 0e5f… --client-secret-from vault:secret/data/hubspot#client_secret",
                "oidc --param issuer=https://login.example.com/ --client-id ID --client-secret-file - --tenant acme",
            ),
        )
        add.add_argument("provider", metavar="PROVIDER", help="As `manage.py providers list` shows it.")
        add.add_argument("--client-id", metavar="ID", help="As the provider gave it out.")
        add.add_argument(
            "--client-secret-file",
            metavar="FILE",
            help="A file with the client secrets, one a line, the preferred first; - reads standard input.",
        )
        add.add_argument(
            "--client-secret-from",
            metavar="REFERENCE",
            help="Where the client secret is kept, like file:/run/secrets/hubspot or vault:secret/data/hubspot#secret: "
            "it is read from there now and whenever it changes. LATCHKEY_SECRET_SOURCES has to allow the place.",
        )
        add.add_argument(
            "--auth-style",
            choices=list(strategies()),
            help="How end users connect. Default: the first way that the provider offers.",
        )
        add.add_argument("--tenant", metavar="SLUG", help="The tenant whose own app it is; shared by all without.")
        add.add_argument("--name", help="What operators read. Default: the provider's name.")
        add.add_argument("--param", action="append", metavar="NAME=VALUE", help="A parameter of the entry; repeatable.")
        add.add_argument("--scopes", nargs="+", metavar="SCOPE", help="What to ask for. Default: the entry's defaults.")
        add.add_argument(
            "--required-scopes",
            nargs="*",
            metavar="SCOPE",
            help="What is always asked for: a connection without one of them vends nothing.",
        )
        add.add_argument(
            "--allowed-scopes", nargs="*", metavar="SCOPE", help="All that a session may name. Default: anything."
        )
        add.add_argument(
            "--allow-legacy", action="store_true", help="Allow a style that the entry marks as legacy, for this app."
        )
        rebind_ = self.subcommand(
            "rebind",
            _rebind,
            help_text="Let the connections of an app follow it to endpoints that the provider has moved. A credential "
            "is only sent to the issuer and token endpoint that gave it: a change of those stops it until its end user "
            "connects again, or until you say here that it is still the same provider. Without --yes nothing changes, "
            "and you see where the credentials would be sent.",
            examples=("oidc --tenant acme", "oidc --tenant acme --yes"),
        )
        rebind_.add_argument("provider", metavar="PROVIDER", help="As `manage.py provider_apps list` shows it.")
        rebind_.add_argument("--auth-style", choices=list(strategies()), help="As for `add`.")
        rebind_.add_argument("--tenant", metavar="SLUG", help="The tenant whose own app it is; the shared one without.")
        rebind_.add_argument("--yes", action="store_true", help="Do it.")
        renew_ = self.subcommand(
            "renew",
            _renew,
            help_text="Renew what an app has registered without hands, at each authorization server. That happens by "
            "itself before a client secret ends.",
            examples=("mcp --tenant acme",),
        )
        renew_.add_argument("provider", metavar="PROVIDER", help="As `manage.py provider_apps list` shows it.")
        renew_.add_argument("--auth-style", choices=list(strategies()), help="As for `add`.")
        renew_.add_argument("--tenant", metavar="SLUG", help="The tenant whose own app it is; the shared one without.")
        listing = self.subcommand(
            "list", _list, help_text="List the provider apps.", examples=("", "--tenant acme --json")
        )
        listing.add_argument("--tenant", metavar="SLUG", help="Only one tenant's own.")


def _add(options: dict[str, Any]) -> Answer:
    tenant = tenant_named(options["tenant"])
    described, style = entry_and_style(options)
    known = ProviderApp.objects.filter(tenant=tenant, provider=described.slug, auth_style=style).first()
    app = save_provider_app(_registration(options, described, style, known), tenant=tenant, actor=operator())
    done = register_itself(app, actor=operator())
    data = _data(app, tenant) | {"created": known is None}
    verb = "Added" if known is None else "Changed"
    told = [f"{verb} the provider app {app.name}.", *_told_of(app, done)]
    return Answer(data, "\n".join([" ".join(told), sheet(list(data.items())[:-1])]))


def _told_of(app: ProviderApp, done: Registering) -> list[str]:
    """Return how the app is registered, a sentence each."""
    if done.client is not None:
        return [f"Registered by {done.client.get_way_display()}, as the authorization server offers."]
    if not done.by_hand:
        return [f"It is registered without hands. {done.told}"]
    draft = ["It is a draft: give its client id when you have it."] if app.is_draft else []
    return [*([done.told] if done.told else []), *draft]


def _renew(options: dict[str, Any]) -> Answer:
    app = provider_app_meant(options)
    current = RegisteredClient.objects.filter(provider_app=app, replaced_at=None).exclude(client_id="")
    renewed = [renew(client_id, actor=operator()) for client_id in list(current.values_list("id", flat=True))]
    lines = [
        f"{one.client.issuer}: {'a new client id' if one.is_new else 'the same client id'}, {one.client.client_id}."
        for one in renewed
    ]
    told = "\n".join(lines) or f"The app {app.name} has registered no client without hands."
    return Answer(_data(app, app.tenant) | {"renewed": len(renewed)}, told)


def _rebind(options: dict[str, Any]) -> Answer:
    app = provider_app_meant(options)
    party = json.loads(registrar_of(app))
    places = {"issuer": party["issuer"] or None, "token_endpoint": party["token_endpoint"] or None}
    if not options["yes"]:
        made = Connection.objects.filter(provider_app=app).exclude(current_version_id=None).count()
        told = f"The credentials of up to {made} connections would be sent here. Nothing is changed: add --yes."
        return Answer(places | {"connections": made}, f"{told}\n{sheet(list(places.items()))}")
    done = rebind(app, actor=operator())
    told = f"{done.moved} connections follow the app {app.name}."
    if done.left:
        told += f" {done.left} hold something that does not open, and are as they were: restore their keys first."
    return Answer(places | {"moved": done.moved, "left": done.left}, told, is_success=not done.left)


def _registration(
    options: dict[str, Any], described: CatalogEntry, style: str, known: ProviderApp | None
) -> Registration:
    kept = known or ProviderApp()
    source, scopes = options["client_secret_file"], words(options["scopes"])
    required, allowed = words(options["required_scopes"]), words(options["allowed_scopes"])
    keeps = known is not None and source is None
    return Registration(
        provider=described.slug,
        auth_style=style,
        name=options["name"] or kept.name,
        client_id=kept.client_id if options["client_id"] is None else options["client_id"],
        client_secrets=None if keeps else secrets_from(source) if source else (),
        secret_source=options["client_secret_from"] or "",
        params={**kept.params, **pairs(options["param"])},
        scopes=kept.scopes if scopes is None else scopes,
        required_scopes=kept.required_scopes if required is None else required,
        allowed_scopes=kept.allowed_scopes if allowed is None else allowed,
        allows_legacy=kept.allows_legacy or options["allow_legacy"],
    )


def _list(options: dict[str, Any]) -> Answer:
    apps = ProviderApp.objects.select_related("tenant")
    if options["tenant"] is not None:
        apps = apps.filter(tenant=tenant_named(options["tenant"]))
    made = dict(apps.order_by().values_list("id").annotate(Count("connections")))
    data = [_data(app, app.tenant) | {"connections": made[app.id]} for app in apps]
    rows = [
        (
            row["provider"],
            row["tenant"] or "(shared)",
            row["auth_style"],
            row["client_id"] or ("(draft)" if row["draft"] else "(by itself)" if row["registers_itself"] else ""),
            row["connections"],
            row["id"],
        )
        for row in data
    ]
    headings = ("provider", "tenant", "auth style", "client id", "connections", "id")
    return Answer(
        data,
        table(headings, rows, nothing="There are no provider apps: `manage.py provider_apps add PROVIDER`."),
    )


def _data(app: ProviderApp, tenant: Tenant | None) -> dict[str, Any]:
    return {
        "id": app.id,
        "provider": app.provider,
        "auth_style": app.auth_style,
        "tenant": tenant.slug if tenant else None,
        "name": app.name,
        "client_id": app.client_id,
        "client_secrets": "not set" if app.secrets is None else "set",
        "client_secret_from": app.secret_source or None,
        "draft": app.is_draft,
        "registers_itself": app.registers_itself,
        "registered": [_registered(client) for client in app.registered_clients.filter(replaced_at=None)],
        "redirect_uri": redirect_uri(app.id) if app.redirects and not app.registers_itself else None,
        "params": app.params,
        "scopes": app.scopes,
        "required_scopes": app.required_scopes,
        "allowed_scopes": app.allowed_scopes,
        "allows_legacy": app.allows_legacy,
        "suspended": app.suspended_at is not None,
        "paused": app.paused_at is not None,
    }


def _registered(client: RegisteredClient) -> dict[str, Any]:
    return {
        "issuer": client.issuer,
        "way": client.way,
        "client_id": client.client_id,
        "redirect_uri": client.redirect_uri,
        "secret_expires_at": client.secret_expires_at,
        "problem": client.problem,
    }
