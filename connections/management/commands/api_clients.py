"""``manage.py api_clients``: the callers of the JSON API and their keys."""

import argparse
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError
from django.db.models import Count, Q
from django.db.models.functions import Now

from connections.database.clock import database_now
from connections.lifecycle.provision.api_clients import (
    IssuedKey,
    issue_key,
    register_assertion_keys,
    revoke_key,
    rotate_key,
    save_api_client,
)
from connections.management.operator_command import OperatorCommand, keys_in, operator, tenant_named, text_from
from connections.management.output import Answer, sheet, table
from connections.models import ApiClient, ApiKey, Permission

_DEFAULT = (Permission.CONNECT, Permission.READ, Permission.VEND, Permission.MANAGE)
_MOST_DAYS = 3650


class Command(OperatorCommand):
    help = "Add API clients, rotate and revoke their keys, and list them."

    def add_subcommands(self) -> None:
        add = self.subcommand(
            "add",
            _add,
            help_text="Add an API client and print its key, this once. Without --tenant it is operator-wide.",
            examples=("backend --tenant acme", "sync --permission read --permission vend_without_user --days 90"),
        )
        _name(add)
        add.add_argument(
            "--permission",
            action="append",
            choices=[permission.value for permission in Permission],
            help=f"What it may do; repeatable. Default: {', '.join(_DEFAULT)}.",
        )
        add.add_argument(
            "--allow-unbound", action="store_true", help="Let it make connect sessions without the completion check."
        )
        _rule(add, "A rule of the proxy; repeatable. Without one it may proxy only what access grants say.")
        _days(add)
        rules = self.subcommand(
            "rules",
            _rules,
            help_text="Replace the proxy rules of a client; without --rule it has none any more.",
            examples=(
                "agent --tenant acme --rule 'hubspot readonly /crm/v3/**' --rule 'slack POST /chat.postMessage'",
            ),
        )
        _name(rules)
        _rule(rules, "`PROVIDER METHODS PATH`; repeatable.")
        rotate = self.subcommand(
            "rotate",
            _rotate,
            help_text="Give a client a new key and print it, this once; its earlier keys end after an overlap.",
            examples=("backend --tenant acme", "backend --tenant acme --overlap-hours 0"),
        )
        _name(rotate)
        rotate.add_argument(
            "--overlap-hours",
            type=_number(0, 24 * 90),
            default=24,
            metavar="N",
            help="How long earlier keys last. Default: 24.",
        )
        _days(rotate)
        restrict = self.subcommand(
            "restrict",
            _restrict,
            help_text="Say from where a client may call, and whether it has to prove for whom.",
            examples=(
                "backend --tenant acme --network 10.0.0.0/8 --network 2001:db8::/32",
                "agent --tenant acme --verified",
            ),
        )
        _name(restrict)
        restrict.add_argument(
            "--network", action="append", metavar="CIDR", help="The only networks it may call from; repeatable."
        )
        restrict.add_argument("--anywhere", action="store_true", help="Let it call from anywhere again.")
        restrict.add_argument(
            "--verified",
            action=argparse.BooleanOptionalAction,
            help="Whether it vends and proxies only for end users, and as agents, whom a verified token names.",
        )
        sign = self.subcommand(
            "keys",
            _keys,
            help_text="Register the public keys with which a client signs for itself (private_key_jwt).",
            examples=("backend --tenant acme --jwks-url https://backend.acme.example/jwks.json",),
        )
        _name(sign)
        sign.add_argument("--jwks", metavar="FILE", help="A file with its JWK Set; - for the standard input.")
        sign.add_argument("--jwks-url", default="", metavar="URL", help="Where its JWK Set is. With neither: no keys.")
        revoke = self.subcommand(
            "revoke",
            _revoke,
            help_text="Revoke the keys of a client at once: all of them, or the one that begins with --prefix.",
            examples=("backend --tenant acme", "backend --tenant acme --prefix lk_3fA9xQ1"),
        )
        _name(revoke)
        revoke.add_argument("--prefix", help="The first 10 characters of the key, as `list` shows them.")
        listing = self.subcommand(
            "list",
            _list,
            help_text="List the API clients and their keys.",
            examples=("", "--tenant acme --json"),
        )
        listing.add_argument("--tenant", metavar="SLUG", help="Only those of one tenant.")


def _name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="The name of the client.")
    parser.add_argument("--tenant", metavar="SLUG", help="The tenant that it belongs to; operator-wide without.")


def _rule(parser: argparse.ArgumentParser, help_text: str) -> None:
    parser.add_argument("--rule", action="append", default=[], metavar="RULE", help=help_text)


def _days(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--days", type=_number(1, _MOST_DAYS), default=365, metavar="N", help="How long the key lives. Default: 365."
    )


def _number(least: int, most: int) -> Any:
    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"give a whole number from {least} to {most}")
        return int(text)

    return parse


def _add(options: dict[str, Any]) -> Answer:
    tenant = tenant_named(options["tenant"])
    if ApiClient.objects.filter(tenant=tenant, name=options["name"]).exists():
        raise CommandError(
            f"There is an API client {options['name']!r} already: `manage.py api_clients rotate` gives it a new key."
        )
    client = save_api_client(
        options["name"],
        tenant=tenant,
        permissions=[Permission(name) for name in options["permission"] or _DEFAULT],
        allows_unbound=options["allow_unbound"],
        proxy_rules=options["rule"],
        actor=operator(),
    )
    issued = issue_key(client, now=database_now(), lifetime=timedelta(days=options["days"]), actor=operator())
    return _with_key(f"Added the API client {client.name}.", issued)


def _rules(options: dict[str, Any]) -> Answer:
    found = _client(options)
    client = save_api_client(
        found.name,
        tenant=found.tenant,
        permissions=[Permission(name) for name in found.permissions],
        allows_unbound=found.allows_unbound,
        proxy_rules=options["rule"],
        actor=operator(),
    )
    told = "\n".join(client.proxy_rules) or "It has none now."
    return Answer(_data(client), f"Replaced the proxy rules of {client.name}.\n{told}")


def _rotate(options: dict[str, Any]) -> Answer:
    issued = rotate_key(
        _client(options),
        now=database_now(),
        overlap=timedelta(hours=options["overlap_hours"]),
        lifetime=timedelta(days=options["days"]),
        actor=operator(),
    )
    hours = options["overlap_hours"]
    ended = "Earlier keys have ended." if hours == 0 else f"Earlier keys end in {hours} h."
    return _with_key(f"Made a new key for {issued.client.name}. {ended}", issued)


def _restrict(options: dict[str, Any]) -> Answer:
    found = _client(options)
    if options["network"] and options["anywhere"]:
        raise CommandError("Choose either --network or --anywhere.")
    client = save_api_client(
        found.name,
        tenant=found.tenant,
        permissions=[Permission(name) for name in found.permissions],
        allows_unbound=found.allows_unbound,
        proxy_rules=found.proxy_rules,
        networks=[] if options["anywhere"] else options["network"],
        demands_verified=options["verified"],
        actor=operator(),
    )
    client.refresh_from_db()
    facts = [("networks", ", ".join(client.networks) or "anywhere"), ("demands_verified", client.demands_verified)]
    return Answer(_data(client), f"Restricted {client.name}.\n{sheet(facts)}")


def _keys(options: dict[str, Any]) -> Answer:
    client = _client(options)
    keys = None if options["jwks"] is None else keys_in(text_from(options["jwks"]))
    register_assertion_keys(client, keys=keys, jwks_url=options["jwks_url"], actor=operator())
    told = f"{len(keys)} key(s)" if keys is not None else options["jwks_url"] or "no keys"
    return Answer(_data(client), f"{client.name} signs for itself with: {told}.")


def _with_key(words: str, issued: IssuedKey) -> Answer:
    data = _data(issued.client) | {"key": issued.key, "expires_at": issued.expires_at}
    facts = [("key", issued.key), ("expires", issued.expires_at), ("permissions", ", ".join(issued.client.permissions))]
    return Answer(data, f"{words} The key is shown this once; store it now.\n{sheet(facts)}")


def _revoke(options: dict[str, Any]) -> Answer:
    client, now = _client(options), database_now()
    keys = ApiKey.objects.select_related("client").filter(client=client, revoked_at=None)
    if options["prefix"]:
        keys = keys.filter(prefix=options["prefix"][:10])
    revoked = [key.prefix for key in keys if revoke_key(key, now=now, actor=operator())]
    if not revoked:
        raise CommandError("There is no such key that is still to revoke: see `manage.py api_clients list`.")
    return Answer(_data(client) | {"revoked": revoked}, f"Revoked {len(revoked)} key(s): {', '.join(revoked)}.")


def _list(options: dict[str, Any]) -> Answer:
    usable = Count("keys", filter=Q(keys__revoked_at=None, keys__expires_at__gt=Now()))
    clients = ApiClient.objects.select_related("tenant").annotate(usable_keys=usable).prefetch_related("keys")
    if options["tenant"] is not None:
        clients = clients.filter(tenant=tenant_named(options["tenant"]))
    data = [
        _data(client)
        | {
            "usable_keys": client.usable_keys,
            "keys": [
                {"prefix": key.prefix, "expires_at": key.expires_at, "revoked_at": key.revoked_at}
                for key in client.keys.all()
            ],
        }
        for client in clients
    ]
    rows = [
        (
            row["name"],
            row["tenant"] or "(operator-wide)",
            row["permissions"],
            [key["prefix"] for key in row["keys"] if key["revoked_at"] is None],
            row["suspended"],
        )
        for row in data
    ]
    headings = ("name", "tenant", "permissions", "keys", "suspended")
    return Answer(data, table(headings, rows, nothing="There are no API clients: `manage.py api_clients add NAME`."))


def _client(options: dict[str, Any]) -> ApiClient:
    client = ApiClient.objects.filter(tenant=tenant_named(options["tenant"]), name=options["name"]).first()
    if client is None:
        owner = options["tenant"] or "operator-wide"
        raise CommandError(f"There is no API client {options['name']!r} ({owner}): see `manage.py api_clients list`.")
    return client


def _data(client: ApiClient) -> dict[str, Any]:
    return {
        "id": client.id,
        "name": client.name,
        "tenant": client.tenant.slug if client.tenant else None,
        "permissions": list(client.permissions),
        "allows_unbound": client.allows_unbound,
        "proxy_rules": list(client.proxy_rules),
        "networks": list(client.networks),
        "demands_verified": client.demands_verified,
        "suspended": client.suspended_at is not None,
    }
