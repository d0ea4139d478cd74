"""The base of the operators' commands: subcommands with ``--json``, help with examples, and errors that say what to do.

A command line never holds a secret, because every user of the machine could read it. Secrets come from a file, or from
standard input for ``-``.
"""

import argparse
import getpass
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, DjangoHelpFormatter
from django.db import OperationalError

from connections.access.secrets import fetch_keks
from connections.database.pool import LockTimeout
from connections.journal.audit import Actor
from connections.management.output import Answer, as_json
from connections.models import ProviderApp, Tenant
from connections.refusals import Refusal
from connections.vault.keyring import KeyringError
from connections.vault.sealing import Unreadable
from providers.catalog.loader import CatalogError, UnknownProvider, entry, meant_by
from providers.catalog.schema import CatalogEntry
from providers.errors import ProviderError

Run = Callable[[dict[str, Any]], Answer]
_MOST_SECRETS = 64 * 1024


class _Formatter(DjangoHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Keeps the line breaks of the examples."""


class OperatorCommand(BaseCommand):
    """A command made of subcommands. A subclass names them in ``add_subcommands``."""

    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        self._subparsers = parser.add_subparsers(dest="subcommand", metavar="SUBCOMMAND", required=True)
        self.add_subcommands()

    def add_subcommands(self) -> None:
        """Call ``subcommand`` once for each subcommand."""
        raise NotImplementedError

    def subcommand(self, name: str, run: Run, *, help_text: str, examples: tuple[str, ...]) -> argparse.ArgumentParser:
        """Add one subcommand and return its parser. ``examples`` are its arguments; the help shows them as typed."""
        command = self.__module__.rpartition(".")[2]
        typed = "\n".join(f"  manage.py {command} {name} {example}".rstrip() for example in examples)
        parser = self._subparsers.add_parser(
            name,
            help=help_text,
            description=help_text,
            epilog=f"examples:\n{typed}",
            formatter_class=_Formatter,
        )
        parser.add_argument("--json", action="store_true", help="Print JSON for programs instead of text.")
        parser.set_defaults(run=run)
        return parser

    def handle(self, *args: Any, **options: Any) -> None:
        run: Run = options["run"]
        _check_texts(options)
        fetch_keks()
        try:
            answer = run(options)
        except Refusal as refusal:
            raise CommandError(refusal.detail) from None
        except ProviderError as error:
            raise CommandError(error.evidence.detail) from None
        except CatalogError as error:
            raise CommandError(str(error)) from None
        except (KeyringError, Unreadable) as error:
            raise CommandError(f"{error} See `manage.py doctor`.") from None
        except LockTimeout:
            raise CommandError("Somebody else is changing it at this moment: try again.") from None
        except OperationalError as error:
            raise CommandError(
                f"The database cannot be reached; check DATABASE_URL. ({type(error).__name__})"
            ) from None
        if not answer.is_shown:
            return
        if options["json"]:
            self.stdout.write(as_json(answer.data))
        if not answer.is_success:
            raise CommandError(answer.text)
        if not options["json"]:
            self.stdout.write(answer.text)


def _check_texts(options: dict[str, Any]) -> None:
    """Raise ``CommandError`` for an argument that is no text in this terminal's encoding: nothing could store it."""
    for name, value in options.items():
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and any("\ud800" <= mark <= "\udfff" for mark in text):
                raise CommandError(f"{name} holds what is no text in this terminal's encoding: type it again.")


def operator() -> Actor:
    """Return the person at the shell, for the audit: the account on this machine."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = f"uid {os.getuid()}"
    return Actor(operator=f"{name} (command line)"[:150])


def text_from(source: str) -> str:
    """Return the text of the file ``source``; ``-`` reads standard input. Raises ``CommandError``."""
    try:
        return sys.stdin.read(_MOST_SECRETS) if source == "-" else Path(source).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not text"
        raise CommandError(f"The file {source!r} cannot be read: {reason}.") from None


def keys_in(text: str) -> list[dict[str, Any]]:
    """Return the keys of a JWK Set (RFC 7517 §5), or of a list of JWKs. No I/O. Raises ``CommandError``."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    keys = found.get("keys") if isinstance(found, dict) else found
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise CommandError('This is no JWK Set: {"keys": [...]}.')
    return keys


def secrets_from(source: str) -> list[str]:
    """Return the secrets in the file ``source``, one a line and in order; ``-`` reads standard input."""
    secrets = [line.strip() for line in text_from(source).splitlines() if line.strip()]
    if not secrets:
        place = "Standard input" if source == "-" else f"The file {source!r}"
        raise CommandError(f"{place} holds no secret: write one a line, the preferred first.")
    return secrets


def tenant_named(slug: str | None) -> Tenant | None:
    """Return the tenant ``slug``, or None for no slug. Raises ``CommandError``."""
    if slug is None:
        return None
    tenant = Tenant.objects.filter(slug=slug).first()
    if tenant is None:
        raise CommandError(f"There is no tenant {slug!r}: see `manage.py tenants list`, or add it.")
    return tenant


def entry_and_style(options: dict[str, Any]) -> tuple[CatalogEntry, str]:
    """Return what the options ``provider`` and ``auth_style`` name: by itself, or by an alias that stands for one."""
    slug = options["provider"]
    try:
        described = entry(slug)
        return described, options["auth_style"] or meant_by(slug)[1] or described.auth_styles[0]
    except UnknownProvider:
        raise CommandError(
            f"There is no provider {slug!r} in the catalogue: see `manage.py providers list`, or add it with "
            "`manage.py providers add`."
        ) from None


def provider_app_meant(options: dict[str, Any]) -> ProviderApp:
    """Return the app that the options ``provider``, ``auth_style`` and ``tenant`` name. Raises ``CommandError``."""
    tenant = tenant_named(options["tenant"])
    described, style = entry_and_style(options)
    app = ProviderApp.objects.filter(tenant=tenant, provider=described.slug, auth_style=style).first()
    if app is None:
        raise CommandError(f"There is no such app of {described.name}: see `manage.py provider_apps list`.")
    return app


def pairs(given: list[str] | None) -> dict[str, str]:
    """Return ``NAME=VALUE`` arguments as a mapping. Raises ``CommandError``."""
    found = {}
    for item in given or ():
        name, equals, value = item.partition("=")
        if not equals or not name:
            raise CommandError(f"{item!r} is not of the form NAME=VALUE.")
        found[name] = value
    return found


def words(given: list[str] | None) -> list[str] | None:
    """Return arguments that may be separated by spaces or commas, or None where the option was not given."""
    if given is None:
        return None
    return [word for item in given for word in item.replace(",", " ").split()]
