"""``manage.py tenants export``, ``import``, ``signing-key``, ``take-back``: a tenant leaves, and arrives elsewhere."""

import argparse
import os
import time
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from connections.access.installation_key import installation_key, public_text
from connections.database.clock import database_now
from connections.lifecycle.port.bundle_file import Locks, read_bundle
from connections.lifecycle.port.go_on import go_on
from connections.lifecycle.port.hand_out import Wishes, hand_out, take_back
from connections.lifecycle.port.receive import receive, trail_of
from connections.lifecycle.port.report import WORDS, counts_of
from connections.lifecycle.steer.switches import resume
from connections.management.operator_command import operator, secrets_from, tenant_named
from connections.management.output import Answer, sheet
from connections.models import Tenant

_STEP_SECONDS = 5.0


def add_export(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``tenants export``."""
    parser.add_argument("slug", metavar="SLUG", help="The tenant.")
    parser.add_argument("file", metavar="FILE", help="Where to write the bundle; it must not be there yet.")
    parser.add_argument("--passphrase-file", metavar="FILE", help="Lock it by the passphrase in this file; - reads it.")
    parser.add_argument("--recipient", action="append", metavar="age1…", help="Lock it for an age key; repeatable.")
    parser.add_argument("--move", action="store_true", help="The tenant leaves: it stands still here from now on.")
    parser.add_argument("--with-client-secrets", action="store_true", help="With the client secrets of its apps.")
    parser.add_argument("--with-audit", action="store_true", help="With its audit trail.")


def add_import(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``tenants import``."""
    parser.add_argument("file", metavar="FILE", help="The bundle.")
    parser.add_argument("--signer", action="append", required=True, metavar="KEY", help="Who may have signed it.")
    parser.add_argument("--passphrase-file", metavar="FILE", help="The file with its passphrase; - reads it.")
    parser.add_argument("--identity-file", metavar="FILE", help="The file with an age identity.")
    parser.add_argument("--slug", default="", help="What the tenant is called here. Default: as at the source.")
    parser.add_argument("--audit-to", metavar="FILE", help="Write the audit trail that came with it there.")


def export_tenant(options: dict[str, Any]) -> Answer:
    """Write the bundle of a tenant, readable by nobody else on this machine."""
    tenant = _tenant(options)
    passphrase = _first(options["passphrase_file"])
    locks = Locks(passphrase, tuple(options["recipient"] or ()))
    wishes = Wishes(options["move"], options["with_client_secrets"], options["with_audit"])
    if Path(options["file"]).exists():
        raise CommandError(f"The file {options['file']!r} is there already: it is not overwritten.")
    told = hand_out(tenant, locks=locks, wishes=wishes, actor=operator())
    try:
        descriptor = os.open(options["file"], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise CommandError(f"The bundle cannot be written: {error.strerror}.") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(told.content)
    data = {
        "bundle": told.id,
        "tenant": tenant.slug,
        "connections": told.connections,
        "left": [{"connection": one, "why": why} for one, why in told.left],
        "client_secrets_kept": told.kept,
        "signer": told.signer,
        "move": wishes.is_move,
    }
    lines = [f"Exported {told.connections} connections of {tenant.slug}. It is signed by {told.signer}"]
    lines += [f"Left out: {one}. {why}" for one, why in told.left]
    lines += [f"Its client secret is read from where you keep it, and stays there: {name}." for name in told.kept]
    if wishes.is_move:
        lines.append(
            f"{tenant.slug} stands still here: nothing of it vends or refreshes. Import the bundle elsewhere, then"
            " `manage.py tenants delete` it: no provider is asked to revoke what lives on there."
        )
    else:
        lines.append(
            "A copy: the tenant goes on here, and an import pauses the copy. Two houses that refresh one grant end it;"
            " --move exports for good."
        )
    return Answer(data, "\n".join(lines))


def import_tenant(options: dict[str, Any]) -> Answer:
    """Import the tenant of a bundle, refresh once what has moved, and say what came of each connection."""
    try:
        content = Path(options["file"]).read_bytes()
    except OSError as error:
        raise CommandError(f"The file {options['file']!r} cannot be read: {error.strerror}.") from None
    document, signer = read_bundle(
        content,
        signers=options["signer"],
        passphrase=_first(options["passphrase_file"]),
        identities=[] if options["identity_file"] is None else _identities(options["identity_file"]),
    )
    told = receive(document, signer=signer, slug=options["slug"], actor=operator())
    if options["audit_to"] is not None:
        Path(options["audit_to"]).write_text("".join(f"{line}\n" for line in trail_of(document)), encoding="utf-8")
    run = go_on(told.run_id, give_up_at=time.monotonic() + _STEP_SECONDS)
    while run.finished_at is None:
        run = go_on(told.run_id, give_up_at=time.monotonic() + _STEP_SECONDS)
    counts = counts_of(run)
    data = {
        "tenant": told.tenant.slug,
        "connections": told.connections,
        "move": told.is_move,
        "import": run.id,
        "outcomes": counts,
        "left": [{"connection": one, "why": why} for one, why in told.left],
        "apps_without_secrets": told.without_secrets,
    }
    lines = [f"Imported the tenant {told.tenant.slug} with {told.connections} connections."]
    if counts:
        lines.append(sheet([(WORDS[code], number) for code, number in counts.items()]))
    lines += [f"Left out: {one}. {why}" for one, why in told.left]
    lines += [f"Enter the client secret of the provider app {name}: it did not come." for name in told.without_secrets]
    if not told.is_move:
        lines.append("A copy: each connection is paused here, because the source refreshes it.")
    return Answer(data, "\n".join(lines), is_success=not told.left)


def show_signing_key(options: dict[str, Any]) -> Answer:
    """Say by which public key this installation signs bundles."""
    key = public_text(installation_key())
    return Answer({"key": key}, key)


def take_tenant_back(options: dict[str, Any]) -> Answer:
    """Set a tenant going again that was exported for good, because it never arrived."""
    tenant = _tenant(options)
    if not options["yes"]:
        text = "Nothing was done. If the bundle was imported anywhere, two houses refresh the same grants and end them."
        return Answer({"taken_back": 0}, f"{text} Say --yes if it was not.", is_success=False)
    count = take_back(tenant, now=database_now(), actor=operator())
    if count:
        resume(tenant, actor=operator())
    return Answer({"taken_back": count}, f"{tenant.slug} goes on here." if count else f"{tenant.slug} has not moved.")


def _tenant(options: dict[str, Any]) -> Tenant:
    tenant = tenant_named(options["slug"])
    if tenant is None:
        raise CommandError("Name the tenant.")
    return tenant


def _first(source: str | None) -> str:
    return "" if source is None else secrets_from(source)[0]


def _identities(source: str) -> list[str]:
    return [line for line in secrets_from(source) if not line.startswith("#")]
