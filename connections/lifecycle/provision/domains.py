"""Domains: which hosts are a tenant's own, said by a file that only the host's owner can put there.

The file is ``https://HOST/.well-known/latchkey-domain.txt``, with the line that the tenant's challenge makes. Each
tenant has a challenge of its own for each host, so that a file which proves one tenant's proves nobody else's. A look
follows no redirect and reaches no private address (``providers.egress``), and only the very host is verified: neither
what is above it nor what is below it.
"""

import re
import secrets
import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from connections.database.pool import release_database
from connections.journal import audit
from connections.models import Tenant, TenantDomain
from connections.refusals import InvalidRequest, NotFound
from providers import egress
from providers.errors import ProviderError, ProviderUnavailable, TargetRefused

PATH = "/.well-known/latchkey-domain.txt"
VERIFIED_FOR = timedelta(days=7)
LOOK_EVERY = timedelta(days=1)
_A_RUN = 20
_MOST_BYTES = 4096
_SECONDS = 10.0
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,253}}(?::|\Z))({_LABEL}\.)+(?!\d+(?::|\Z)){_LABEL}(:[1-9][0-9]{{0,4}})?")
_LOOPBACK = re.compile(r"(127\.0\.0\.1|localhost)(:[1-9][0-9]{0,4})?")


def check_host(host: str) -> None:
    """Raise ``InvalidRequest`` unless ``host`` can be a tenant's domain. No I/O."""
    if not _HOST.fullmatch(host) and not (settings.DEVELOPMENT and _LOOPBACK.fullmatch(host)):
        raise InvalidRequest(
            "Give the host as in the return URL, like app.example.com: lower case, no scheme, path or wildcard, and "
            "names beyond ASCII as xn--.",
            field="host",
        )


def add_domain(tenant: Tenant, host: str, *, actor: audit.Actor) -> TenantDomain:
    """Return the domain ``host`` of ``tenant``, made unless it is there. Raises ``InvalidRequest``."""
    check_host(host)
    with transaction.atomic():
        domain, is_new = TenantDomain.objects.get_or_create(
            tenant=tenant, host=host, defaults={"challenge": secrets.token_urlsafe(32)}
        )
        if is_new:
            audit.record("domain.added", actor=actor, tenant_id=tenant.id, detail={"host": host})
    return domain


def look_at_domain(domain: TenantDomain, *, now: datetime, actor: audit.Actor) -> TenantDomain:
    """Look for the file of ``domain``, and record what was found. Makes one HTTP call, outside of any transaction."""
    was_verified = domain.is_verified(now=now)
    release_database()
    found = _seen(domain)
    with transaction.atomic():
        if found == "":
            domain.note_found(now=now, until=now + VERIFIED_FOR)
        elif isinstance(found, _Unreachable):
            domain.note_unreachable(str(found), now=now)
        else:
            domain.note_absent(found, now=now)
        if domain.is_verified(now=now) != was_verified:
            action = "domain.unverified" if was_verified else "domain.verified"
            audit.record(action, actor=actor, tenant_id=domain.tenant_id, detail={"host": domain.host})
    return domain


def look_again(*, now: datetime) -> int:
    """Look at the verified domains that were not looked at for a day, some in a run; return how many."""
    due = TenantDomain.objects.filter(verified_until__isnull=False, looked_at__lt=now - LOOK_EVERY)
    domains = list(due.order_by(F("looked_at"))[:_A_RUN])
    for domain in domains:
        look_at_domain(domain, now=now, actor=audit.SYSTEM)
    return len(domains)


def remove_domain(tenant: Tenant, host: str, *, actor: audit.Actor) -> None:
    """Forget a domain of ``tenant``. Raises ``NotFound``."""
    with transaction.atomic():
        count, _ = TenantDomain.objects.filter(tenant=tenant, host=host).delete()
        if not count:
            raise NotFound("There is no such domain.")
        audit.record("domain.removed", actor=actor, tenant_id=tenant.id, detail={"host": host})


def vouched_for(tenant_id: uuid.UUID, host: str, *, now: datetime | Now) -> bool:
    """Whether ``host`` is verified as the tenant's. ``Now()`` is the moment of the query itself. One query."""
    return TenantDomain.objects.filter(tenant_id=tenant_id, host=host.lower(), verified_until__gt=now).exists()


def file_of(domain: TenantDomain) -> tuple[str, str]:
    """Return where the file has to be, and the line that it has to hold. No I/O."""
    is_loopback = settings.DEVELOPMENT and _LOOPBACK.fullmatch(domain.host)
    return f"{'http' if is_loopback else 'https'}://{domain.host}{PATH}", f"latchkey-domain={domain.challenge}"


class _Unreachable(str):
    """Why a host did not answer, in words."""

    __slots__ = ()


def _seen(domain: TenantDomain) -> str:
    """Return why the file is not there, in words; "" if it is."""
    url, line = file_of(domain)
    try:
        answer = egress.request(
            "GET", url, headers={"Accept": "text/plain"}, max_body_bytes=_MOST_BYTES, total_seconds=_SECONDS
        )
    except TargetRefused:
        return (
            "It leads elsewhere, or to an address that may not be reached. Redirects are not followed: serve the file "
            "from the host itself, at a public address."
        )
    except ProviderUnavailable:
        return _Unreachable("The host cannot be reached. Check its DNS record and its certificate.")
    except ProviderError:
        return "The host's answer cannot be read, or is too large: serve the line as plain text, alone."
    if answer.status != 200:
        return f"The file is not there: the host answered {answer.status}. Serve it at this very path, without a login."
    lines = [held.strip() for held in answer.body.decode("utf-8", "replace").splitlines()]
    return (
        "" if line in lines else "The file does not hold the line of this tenant: put it there, on a line of its own."
    )
