"""``manage.py app_keys``: the key pairs of provider apps."""

import argparse
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError

from connections.access.app_keys import jwks_url
from connections.database.clock import database_now
from connections.lifecycle.provision.app_keys import (
    DEFAULT_LEAD,
    DEFAULT_OVERLAP,
    KEY_PAIRS,
    Rotation,
    bring_key,
    certify_key,
    make_key,
    withdraw_key,
)
from connections.management.operator_command import OperatorCommand, operator, provider_app_meant, text_from
from connections.management.output import Answer, sheet, table
from connections.models import AppKey, ProviderApp
from providers.strategies import strategies
from providers.vocabulary import SigningAlgorithm

_HOUR = timedelta(hours=1)


class Command(OperatorCommand):
    help = "Make, bring, rotate, certify and take back the key pairs of provider apps. No private key is ever shown."

    def add_subcommands(self) -> None:
        make = self.subcommand(
            "make",
            _make,
            help_text="Make a key pair and publish it. An app's first key signs at once; a later one takes over after "
            "--lead-hours, and the earlier ones stay published for --overlap-hours more: that is a rotation.",
            examples=("okta-m2m --algorithm RS256", "github-app --tenant acme --lead-hours 48"),
        )
        bring = self.subcommand(
            "bring",
            _bring,
            help_text="Take over a key pair that was made elsewhere, such as the one that a provider hands out.",
            examples=("github-app --key-file app.pem --algorithm RS256", "netsuite --key-file key.pem --kid CERT_ID"),
        )
        for command in (make, bring):
            _name_app(command)
            command.add_argument("--algorithm", choices=[*map(str, KEY_PAIRS)], default=str(SigningAlgorithm.RS256))
            command.add_argument("--kid", default="", help="What the provider calls the key. Default: its thumbprint.")
            command.add_argument("--lead-hours", type=float, default=DEFAULT_LEAD / _HOUR, metavar="H")
            command.add_argument("--overlap-hours", type=float, default=DEFAULT_OVERLAP / _HOUR, metavar="H")
        bring.add_argument("--key-file", required=True, metavar="FILE", help="The private key as PEM; - reads stdin.")
        bring.add_argument("--passphrase-file", metavar="FILE", help="What opens the key, if it is encrypted.")
        bring.add_argument("--certificate-file", metavar="FILE", help="Its certificates as PEM, the key's own first.")
        certify = self.subcommand(
            "certify",
            _certify,
            help_text="Put certificates beside a key, in place of those it had.",
            examples=("acme-bank KID --certificate-file chain.pem",),
        )
        certify.add_argument("--certificate-file", required=True, metavar="FILE")
        withdraw = self.subcommand(
            "withdraw",
            _withdraw,
            help_text="Take a key back at once, and destroy its private half: it is lost, or somebody has seen it.",
            examples=("acme-bank KID --yes",),
        )
        withdraw.add_argument("--yes", action="store_true", help="Do it.")
        for command in (certify, withdraw):
            _name_app(command)
            command.add_argument("kid", metavar="KID", help="As `list` shows it.")
        listing = self.subcommand(
            "list",
            _list,
            help_text="List an app's keys, with the public halves to copy and the address of their set.",
            examples=("okta-m2m", "okta-m2m --tenant acme --json"),
        )
        _name_app(listing)


def _name_app(command: argparse.ArgumentParser) -> None:
    command.add_argument("provider", metavar="PROVIDER", help="As `manage.py provider_apps list` shows it.")
    command.add_argument("--auth-style", choices=list(strategies()), help="If not the first that the provider offers.")
    command.add_argument("--tenant", metavar="SLUG", help="The tenant whose own app it is; the shared one without.")


def _make(options: dict[str, Any]) -> Answer:
    app = provider_app_meant(options)
    algorithm = SigningAlgorithm(options["algorithm"])
    return _told(make_key(app, algorithm, kid=options["kid"], rotation=_rotation(options), actor=operator()))


def _bring(options: dict[str, Any]) -> Answer:
    app = provider_app_meant(options)
    passphrase, certificates = options["passphrase_file"], options["certificate_file"]
    row = bring_key(
        app,
        text_from(options["key_file"]),
        SigningAlgorithm(options["algorithm"]),
        passphrase=text_from(passphrase).strip() if passphrase else "",
        certificates=text_from(certificates) if certificates else "",
        kid=options["kid"],
        rotation=_rotation(options),
        actor=operator(),
    )
    return _told(row)


def _certify(options: dict[str, Any]) -> Answer:
    row = _key(options)
    return _told(certify_key(row, text_from(options["certificate_file"]), actor=operator()))


def _withdraw(options: dict[str, Any]) -> Answer:
    row = _key(options)
    if not options["yes"]:
        return Answer({"kid": row.kid}, f"The key {row.kid} would sign nothing more. Nothing is changed: add --yes.")
    withdraw_key(row, actor=operator())
    return Answer({"kid": row.kid, "withdrawn": True}, f"The key {row.kid} is taken back, and its private half gone.")


def _list(options: dict[str, Any]) -> Answer:
    app = provider_app_meant(options)
    signing = AppKey.objects.signing().filter(provider_app=app).first()
    keys = [_data(row, signing) for row in AppKey.objects.published().filter(provider_app=app).defer("private_key")]
    headings = ("key id", "algorithm", "state", "signs from", "published until", "certificate ends")
    rows = [tuple(key[name.replace(" ", "_")] for name in headings) for key in keys]
    listed = table(headings, rows, nothing="The app has no keys: `manage.py app_keys make PROVIDER`.")
    halves = "\n".join(f"{key['key_id']}\n{key['public_key']}{key['certificates']}" for key in keys)
    return Answer({"jwks_url": jwks_url(app.id), "keys": keys}, f"{jwks_url(app.id)}\n\n{listed}\n\n{halves}".strip())


def _told(row: AppKey) -> Answer:
    data = _data(row, AppKey.objects.signing().filter(provider_app_id=row.provider_app_id).first())
    data["jwks_url"] = jwks_url(row.provider_app_id)
    shown = [
        (name.replace("_", " "), value) for name, value in data.items() if name not in ("public_key", "certificates")
    ]
    return Answer(data, f"{sheet(shown)}\n\n{row.public_key}{row.certificates}".strip())


def _data(row: AppKey, signing: AppKey | None) -> dict[str, Any]:
    ended = row.published_until is not None and row.published_until <= database_now()
    waits = "waits" if signing is None or row.signs_from > signing.signs_from else "replaced"
    return {
        "key_id": row.kid,
        "algorithm": str(row.algorithm),
        "state": "withdrawn" if ended else "signs" if signing is not None and row.id == signing.id else waits,
        "signs_from": row.signs_from,
        "published_until": row.published_until,
        "certificate_ends": row.certificate_ends_at,
        "public_key": row.public_key,
        "certificates": row.certificates,
    }


def _key(options: dict[str, Any]) -> AppKey:
    app: ProviderApp = provider_app_meant(options)
    row = AppKey.objects.published().filter(provider_app=app, kid=options["kid"]).select_related("provider_app").first()
    if row is None:
        raise CommandError(f"The app has no key {options['kid']!r}: see `manage.py app_keys list`.")
    return row


def _rotation(options: dict[str, Any]) -> Rotation:
    return Rotation(lead=options["lead_hours"] * _HOUR, overlap=options["overlap_hours"] * _HOUR)
