"""``manage.py issuers``: whose tokens are believed, and which of them are which API client."""

import argparse
import json
from typing import Any

from django.core.management.base import CommandError

from connections.lifecycle.provision.trusted_issuers import (
    DEFAULT_ALGORITHMS,
    Trust,
    add_caller_rule,
    distrust_issuer,
    remove_caller_rule,
    trust_issuer,
)
from connections.management.operator_command import OperatorCommand, keys_in, operator, tenant_named, text_from
from connections.management.output import Answer, sheet, table
from connections.models import ApiClient, CallerRule, IssuerUse, TrustedIssuer
from providers.oauth.issuer_keys import ALGORITHMS


class Command(OperatorCommand):
    help = "Trust issuers of tokens, say which of their tokens are which API client, and list them."

    def add_subcommands(self) -> None:
        trust = self.subcommand(
            "trust",
            _trust,
            help_text="Believe the tokens of an issuer for one use and audience; repeat it to change the terms.",
            examples=(
                "https://token.actions.githubusercontent.com --audience https://connect.example.com",
                "https://login.acme.example --use end_user --audience latchkey --tenant acme --groups-claim groups",
            ),
        )
        _add_name(trust)
        trust.add_argument("--jwks-url", default="", metavar="URL", help="Where its keys are, if no metadata says so.")
        trust.add_argument("--jwks", metavar="FILE", help="A file with its keys (a JWK Set); - for the standard input.")
        trust.add_argument(
            "--algorithm",
            action="append",
            choices=ALGORITHMS,
            help=f"How its tokens may be signed; repeatable. Default: {', '.join(DEFAULT_ALGORITHMS)}.",
        )
        trust.add_argument("--claim", default="sub", help="What holds the id of an end user or agent. Default: sub.")
        trust.add_argument("--groups-claim", default="", help="What holds an end user's groups, for access grants.")
        trust.add_argument("--tenant-claim", default="", help="What holds the slug of the end user's tenant.")
        trust.add_argument("--max-lifetime", type=int, default=3600, metavar="SECONDS", help="Default: 3600.")
        trust.add_argument("--leeway", type=int, default=30, metavar="SECONDS", help="For clocks. Default: 30.")
        rule = self.subcommand(
            "rule",
            _rule,
            help_text="Have the tokens of an issuer for which all conditions hold be one API client.",
            examples=(
                "https://ci.example --audience https://connect.example.com --client deploy --matches 'sub=repo:acme/*'",
            ),
        )
        _add_name(rule, use=False)
        rule.add_argument("--client", required=True, metavar="NAME", help="The API client.")
        rule.add_argument("--client-tenant", metavar="SLUG", help="Its tenant; the issuer's, unless this is given.")
        rule.add_argument("--equals", action="append", default=[], metavar="CLAIM=VALUE", help="Repeatable.")
        rule.add_argument(
            "--matches",
            action="append",
            default=[],
            metavar="CLAIM=FORM",
            help="Repeatable. * is anything within a part (parts end at / or :), ** anything.",
        )
        rule.add_argument("--remove", action="store_true", help="Remove the rule instead.")
        distrust = self.subcommand(
            "distrust",
            _distrust,
            help_text="Believe an issuer no more, from the next call on.",
            examples=("https://login.acme.example --use end_user --audience latchkey --tenant acme",),
        )
        _add_name(distrust)
        listing = self.subcommand("list", _list, help_text="List the trusted issuers and their rules.", examples=("",))
        listing.add_argument("--tenant", metavar="SLUG", help="Only those of one tenant.")


def _add_name(parser: argparse.ArgumentParser, *, use: bool = True) -> None:
    parser.add_argument("issuer", metavar="ISSUER", help="Its name, exactly as its tokens write it.")
    parser.add_argument("--audience", required=True, help="The audience that its tokens must have.")
    parser.add_argument("--tenant", metavar="SLUG", help="The tenant that trusts it; the operator without.")
    if use:
        parser.add_argument(
            "--use", choices=IssuerUse.values, default=IssuerUse.CALLER.value, help="Whom its tokens name."
        )


def _trust(options: dict[str, Any]) -> Answer:
    trust = Trust(
        use=IssuerUse(options["use"]),
        issuer=options["issuer"],
        audience=options["audience"],
        keys=None if options["jwks"] is None else keys_in(text_from(options["jwks"])),
        jwks_url=options["jwks_url"],
        algorithms=options["algorithm"] or DEFAULT_ALGORITHMS,
        claim=options["claim"],
        groups_claim=options["groups_claim"],
        tenant_claim=options["tenant_claim"],
        max_lifetime_seconds=options["max_lifetime"],
        leeway_seconds=options["leeway"],
    )
    row = trust_issuer(trust, tenant=tenant_named(options["tenant"]), actor=operator())
    facts = [(name, value) for name, value in _data(row).items() if name not in ("rules", "id")]
    return Answer(_data(row), f"Trusted {row.issuer}.\n{sheet(facts)}")


def _rule(options: dict[str, Any]) -> Answer:
    issuer = _issuer(options | {"use": IssuerUse.CALLER.value})
    tenant = tenant_named(options["client_tenant"] or options["tenant"])
    client = ApiClient.objects.filter(tenant=tenant, name=options["client"]).first()
    if client is None:
        raise CommandError(f"There is no API client {options['client']!r}: see `manage.py api_clients list`.")
    conditions = [_condition(text, "equals") for text in options["equals"]]
    conditions += [_condition(text, "matches") for text in options["matches"]]
    if options["remove"]:
        rule = CallerRule.objects.filter(issuer=issuer, client=client, conditions=conditions).first()
        if rule is None:
            raise CommandError("There is no such rule: see `manage.py issuers list`.")
        remove_caller_rule(rule, actor=operator())
        return Answer(_data(issuer), f"Tokens of {issuer.issuer} are {client.name} by that rule no more.")
    add_caller_rule(issuer, client, conditions, actor=operator())
    return Answer(_data(issuer), f"Tokens of {issuer.issuer} are {client.name} where {json.dumps(conditions)}.")


def _condition(text: str, kind: str) -> dict[str, Any]:
    claim, mark, value = text.partition("=")
    if not mark:
        raise CommandError(f"Write --{kind} CLAIM=VALUE.")
    return {"claim": claim, kind: value}


def _distrust(options: dict[str, Any]) -> Answer:
    row = _issuer(options)
    data = _data(row)
    distrust_issuer(row, actor=operator())
    return Answer(data, f"{row.issuer} is trusted no more.")


def _issuer(options: dict[str, Any]) -> TrustedIssuer:
    named = {name: options[name] for name in ("issuer", "audience", "use")}
    row = TrustedIssuer.objects.filter(tenant=tenant_named(options["tenant"]), **named).first()
    if row is None:
        raise CommandError("No such issuer is trusted: see `manage.py issuers list`.")
    return row


def _list(options: dict[str, Any]) -> Answer:
    rows = TrustedIssuer.objects.select_related("tenant").prefetch_related("rules__client")
    if options["tenant"] is not None:
        rows = rows.filter(tenant=tenant_named(options["tenant"]))
    data = [_data(row) for row in rows]
    lines = [(row["issuer"], row["use"], row["audience"], row["tenant"] or "(operator)", row["rules"]) for row in data]
    headings = ("issuer", "use", "audience", "tenant", "rules")
    return Answer(data, table(headings, lines, nothing="No issuer is trusted: `manage.py issuers trust ISSUER`."))


def _data(row: TrustedIssuer) -> dict[str, Any]:
    return {
        "id": row.id,
        "issuer": row.issuer,
        "use": row.use,
        "audience": row.audience,
        "tenant": row.tenant.slug if row.tenant else None,
        "keys": "given" if row.keys is not None else row.jwks_url or "found by its metadata",
        "algorithms": list(row.algorithms),
        "claim": row.claim,
        "groups_claim": row.groups_claim,
        "tenant_claim": row.tenant_claim,
        "max_lifetime_seconds": row.max_lifetime_seconds,
        "leeway_seconds": row.leeway_seconds,
        "rules": [f"{rule.client.name}: {json.dumps(rule.conditions)}" for rule in row.rules.all()],
    }
