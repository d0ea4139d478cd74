"""The others: the catalogue, the provider apps, and how calls to them leave the house."""

from collections.abc import Iterator

from django.conf import settings

from connections.access.targets import redirect_uri
from connections.journal.notices import mail_is_on
from connections.lifecycle.notices.hand_over import NotTaken, mail_server
from connections.lifecycle.provision.read_source import read_source
from connections.lifecycle.steer.outbound_addresses import outbound_addresses
from connections.management.doctor.findings import Finding, fault, fine, warning
from connections.models import Incident, ProviderApp
from connections.models.registered_client import RegisteredClient
from connections.refusals import InvalidRequest
from providers.catalog.loader import CatalogError, UnknownProvider, entry, faulty_files, load_catalog

_SHOWN = 5


def catalogue() -> Iterator[Finding]:
    """Look whether every file of the catalogue is in force."""
    try:
        faulty = faulty_files()
        count = len(load_catalog())
    except CatalogError as error:
        yield fault("catalogue", f"It cannot be read: {error}", "Look at LATCHKEY_CATALOG_DIR.")
        return
    for file in faulty[:_SHOWN]:
        yield warning("catalogue", f"{file}", "See manage.py providers check FILE.")
    if not faulty:
        yield fine("catalogue", f"{count} entries are in force.")


def provider_apps() -> Iterator[Finding]:
    """Look at the provider apps: their entries, their redirect URIs, their incidents. Three queries."""
    found = []
    apps = ProviderApp.objects.order_by("provider", "name")
    for app in apps:
        try:
            described = entry(app.provider)
        except UnknownProvider:
            found.append(
                fault(
                    "provider apps",
                    f"{app} is at {app.provider}, which the catalogue does not describe.",
                    "Bring its file back to LATCHKEY_CATALOG_DIR.",
                )
            )
            continue
        if app.auth_style not in described.methods:
            found.append(
                fault(
                    "provider apps",
                    f"{app} connects by {app.auth_style}, which the entry of {app.provider} does not have.",
                    "Describe that style in the entry, or make another app.",
                )
            )
    moved = [
        client
        for client in RegisteredClient.objects.exclude(client_id="").order_by("id")
        if client.redirect_uri and client.redirect_uri != redirect_uri(client.id)
    ]
    if moved:
        found.append(
            fault(
                "redirect URIs",
                f"{len(moved)} registrations name another callback than {settings.WIDGET_URL}: logins there fail.",
                "Renew them on their provider apps' pages, or put the old address (WIDGET_URL, else PUBLIC_URL) back.",
            )
        )
    opened = Incident.objects.filter(closed_at=None).select_related("provider_app").order_by("opened_at")
    found += [
        warning("incidents", f"{incident}, since {incident.opened_at:%d %B, %H:%M} UTC.", "Read its page in the admin.")
        for incident in opened[:_SHOWN]
    ]
    yield from found or [fine("provider apps", f"{len(apps)} are at entries that describe them.")]


def client_secrets() -> Iterator[Finding]:
    """Say which client secrets that are kept elsewhere the workers cannot read. One query."""
    for app in ProviderApp.objects.exclude(secret_failing_since=None).order_by("provider", "name"):
        says = f"That of {app} is not read since {app.secret_failing_since:%d %B, %H:%M} UTC: {app.secret_problem}"
        yield _unread(app, says)


def kept_secrets() -> Iterator[Finding]:
    """Read each client secret that is kept elsewhere, and say which cannot be. Takes seconds for each service away."""
    count, found = 0, []
    for app in ProviderApp.objects.exclude(secret_source="").order_by("provider", "name"):
        count += 1
        try:
            read_source(app.secret_source)
        except InvalidRequest as refusal:
            found.append(_unread(app, f"That of {app} is kept at {app.secret_source}. {refusal.detail}"))
    if count:
        yield from found or [fine("client secrets", f"{count} are read from where they are kept, on this machine.")]


def _unread(app: ProviderApp, says: str) -> Finding:
    last = f"the one that was read on {app.secret_read_at:%d %B, %H:%M} UTC is in use"
    mend = f"Mend that, for web and workers, or have it read from elsewhere; {last} until then."
    return fault("client secrets", says, mend)


def egress() -> Iterator[Finding]:
    """Look at the settings of outbound calls. No I/O."""
    if settings.EGRESS_PROXY_URL and not settings.EGRESS_ADDRESSES:
        yield warning(
            "egress",
            "Calls leave by a proxy, and EGRESS_ADDRESSES does not say from which addresses.",
            "State them, so that whoever lists them at a provider sees them.",
        )
    else:
        yield fine("egress", "Calls leave " + ("by a proxy." if settings.EGRESS_PROXY_URL else "directly."))


def mail() -> Iterator[Finding]:
    """Greet the operator's mail server, and log in there, where people are told by mail. Sends nothing."""
    if not mail_is_on():
        return
    try:
        with mail_server():
            pass
    except NotTaken as error:
        yield fault(
            "mail",
            f"The server of EMAIL_URL is not reached, or does not let us in ({error}): nobody is told of incidents.",
            "Check EMAIL_URL, and that its port is open from here (NetworkPolicy, firewall).",
        )
    else:
        yield fine("mail", "The server of EMAIL_URL lets us in.")


def addresses() -> Iterator[Finding]:
    """Compare the stated addresses with the one that ``EGRESS_ECHO_URL`` sees. One call, if that is set."""
    if not settings.EGRESS_ECHO_URL:
        return
    told = outbound_addresses(asks=True)
    for note in told.notes:
        yield warning("egress", note, "See manage.py egress addresses.")
    if not told.notes:
        yield fine("egress", f"Providers see {told.seen}.")
