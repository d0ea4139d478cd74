"""``manage.py tenants``: the operator's customers."""

from typing import Any

from django.core.management.base import CommandError
from django.db.models import Count

from connections.database.clock import database_now
from connections.lifecycle.end.delete_tenant import Deletion, contents_of, continue_deletion, order_deletion
from connections.lifecycle.provision.domains import add_domain, file_of, look_at_domain
from connections.lifecycle.provision.tenants import TenantProfile, upsert_tenant
from connections.management import bundles
from connections.management.operator_command import OperatorCommand, operator, tenant_named
from connections.management.output import Answer, sheet, table
from connections.models import Tenant


class Command(OperatorCommand):
    help = "Add, change, list and delete tenants; move them to another installation."

    def add_subcommands(self) -> None:
        add = self.subcommand(
            "add",
            _add,
            help_text="Add a tenant, or change one: what is not given stays as it is.",
            examples=(
                "acme --name 'Acme Inc.' --return-url https://app.acme.example/connected",
                "acme --origin https://app.acme.example",
                "acme --reconnect-url 'https://app.acme.example/reconnect/{connection}'",
            ),
        )
        add.add_argument("slug", metavar="SLUG", help="Its name in addresses and API calls.")
        add.add_argument("--name", help="What end users read.")
        add.add_argument(
            "--return-url", action="append", metavar="URL", help="Where browsers may return to; repeatable."
        )
        add.add_argument("--origin", action="append", metavar="ORIGIN", help="What may embed the widget; repeatable.")
        add.add_argument("--reconnect-url", metavar="URL", help="The operator's own page that starts a reconnection.")
        self.subcommand("list", _list, help_text="List the tenants.", examples=("", "--json"))
        verify = self.subcommand(
            "verify",
            _verify,
            help_text="Verify a host as a tenant's own, by a file that it must hold; say which.",
            examples=("acme app.acme.example",),
        )
        verify.add_argument("slug", metavar="SLUG", help="The tenant.")
        verify.add_argument("host", metavar="HOST", help="The host of a return URL, with its port if it has one.")
        delete = self.subcommand(
            "delete",
            _delete,
            help_text="Delete a tenant for good, with all that is its own; without --yes, say what would go.",
            examples=("acme", "acme --yes", "acme --yes --now"),
        )
        delete.add_argument("slug", metavar="SLUG", help="The tenant.")
        delete.add_argument("--yes", action="store_true", help="Do it. This cannot be undone.")
        delete.add_argument(
            "--now", action="store_true", help="Destroy its keys at once, and ask no provider to revoke anything."
        )
        self._add_moves()

    def _add_moves(self) -> None:
        export = self.subcommand(
            "export",
            bundles.export_tenant,
            help_text="Write a tenant into an encrypted, signed bundle that another Latchkey imports.",
            examples=(
                "acme acme.bundle --passphrase-file passphrase.txt",
                "acme acme.bundle --recipient age1… --move --with-client-secrets",
            ),
        )
        bundles.add_export(export)
        bring = self.subcommand(
            "import",
            bundles.import_tenant,
            help_text="Import the tenant of a bundle; after a kill the same command goes on.",
            examples=("acme.bundle --signer KEY --passphrase-file passphrase.txt",),
        )
        bundles.add_import(bring)
        self.subcommand(
            "signing-key",
            bundles.show_signing_key,
            help_text="Print the public key that signs this installation's bundles.",
            examples=("", "--json"),
        )
        back = self.subcommand(
            "take-back",
            bundles.take_tenant_back,
            help_text="Set a tenant going again that was exported with --move and never arrived.",
            examples=("acme --yes",),
        )
        back.add_argument("slug", metavar="SLUG", help="The tenant.")
        back.add_argument("--yes", action="store_true", help="The bundle was imported nowhere.")


def _add(options: dict[str, Any]) -> Answer:
    known = Tenant.objects.filter(slug=options["slug"]).first()
    kept = known or Tenant(name=options["slug"])
    profile = TenantProfile(
        name=options["name"] or kept.name,
        allowed_origins=kept.allowed_origins if options["origin"] is None else options["origin"],
        return_urls=kept.return_urls if options["return_url"] is None else options["return_url"],
        reconnect_url=kept.reconnect_url if options["reconnect_url"] is None else options["reconnect_url"],
    )
    tenant = upsert_tenant(options["slug"], profile, actor=operator())
    data = _data(tenant) | {"created": known is None}
    verb = "Added" if known is None else "Changed"
    return Answer(data, f"{verb} the tenant {tenant.slug}.\n{sheet(list(data.items())[1:-1])}")


def _verify(options: dict[str, Any]) -> Answer:
    tenant = tenant_named(options["slug"])
    if tenant is None:
        raise CommandError("Name the tenant.")
    now = database_now()
    domain = add_domain(tenant, options["host"], actor=operator())
    domain = look_at_domain(domain, now=now, actor=operator())
    url, line = file_of(domain)
    is_verified = domain.is_verified(now=now)
    data = {"host": domain.host, "verified": is_verified, "failure": domain.failure, "file_url": url, "file_line": line}
    if is_verified and not domain.failure:
        return Answer(data, f"{domain.host} is verified: the pages of {tenant.slug} vouch for it.")
    return Answer(data, f"{domain.failure}\nPut this line into {url}, then repeat the command:\n{line}")


def _list(options: dict[str, Any]) -> Answer:
    tenants = list(Tenant.objects.annotate(connections_made=Count("connections")))
    data = [_data(tenant) | {"connections": tenant.connections_made} for tenant in tenants]
    rows = [(row["slug"], row["name"], row["connections"], row["return_urls"], row["suspended"]) for row in data]
    headings = ("slug", "name", "connections", "return urls", "suspended")
    return Answer(data, table(headings, rows, nothing="There are no tenants: `manage.py tenants add SLUG` adds one."))


def _delete(options: dict[str, Any]) -> Answer:
    tenant = tenant_named(options["slug"])
    if tenant is None:
        raise CommandError("Name the tenant.")
    if not options["yes"]:
        goes = contents_of(tenant)
        text = f"This would go with the tenant {tenant.slug}, for good:\n{sheet(list(goes.items()))}\n"
        return Answer(
            {"slug": tenant.slug, "deleted": False, "goes": goes},
            text + "Nothing was done: say --yes to delete it. The audit trail stays.",
        )
    now = database_now()
    order_deletion(tenant.id, now=now, at_once=options["now"], actor=operator())
    deletion = continue_deletion(tenant.id, now=now)
    left = {"connections": deletion.connections, "revoking": deletion.revoking, "shred_at": deletion.shred_at}
    return Answer({"slug": tenant.slug, "deleted": deletion.is_done, **left}, _told(deletion))


def _told(deletion: Deletion) -> str:
    if deletion.is_done:
        return f"Deleted the tenant {deletion.slug}, and destroyed its keys: nothing of it opens any more."
    return (
        f"The tenant {deletion.slug} is suspended for good and being deleted: {deletion.connections} connections are "
        f"left, of which {deletion.revoking} are being revoked at their providers. The worker goes on with it; its "
        f"keys are destroyed at {deletion.shred_at:%Y-%m-%d %H:%M} UTC at the latest. With --now no provider is "
        "waited for."
    )


def _data(tenant: Tenant) -> dict[str, Any]:
    return {
        "slug": tenant.slug,
        "name": tenant.name,
        "allowed_origins": tenant.allowed_origins,
        "return_urls": tenant.return_urls,
        "reconnect_url": tenant.reconnect_url,
        "suspended": tenant.suspended_at is not None,
        "shred_at": tenant.shred_at,
    }
