"""Examine the installation: each area by itself, so that one that cannot be looked at hides none of the others."""

from collections.abc import Iterator

from django.db import DatabaseError, InterfaceError, connection
from psycopg import errors as pg

from connections.management.doctor import constraints, installation, keys, parties, rights, storage, trail
from connections.management.doctor.findings import Finding, Look, fault

# In this order. ``_STORED`` want a database with all its tables.
_LOOKS: tuple[Look, ...] = (
    installation.settings_look,
    installation.addresses,
    installation.telemetry,
    installation.folders,
    installation.packages,
    parties.catalogue,
)
_STORED: tuple[Look, ...] = (
    constraints.constraints,
    *(keys.keys, storage.workers, storage.background, storage.quarantine, trail.audit_trail),
    *(parties.provider_apps, parties.client_secrets),
)
_OUTSIDE: tuple[Look, ...] = (storage.broker, parties.egress)


def examine(*, asks: bool = True) -> Iterator[Finding]:
    """Look at everything, and yield what is found. Asks the database and the broker, and others with ``asks``.

    One that asks nobody outside leaves out key services, secrets kept elsewhere, the mail server, ``EGRESS_ECHO_URL``.
    """
    for look in _LOOKS:
        yield from look()
    found = list(storage.database())
    yield from found
    if not storage.is_away(found):
        for look in _STORED:
            yield from _stored(look)
    for look in _OUTSIDE:
        yield from look()
    if asks:
        yield from keys.key_services()
        if not storage.is_away(found):
            yield from _stored(parties.kept_secrets)
        yield from parties.mail()
        yield from parties.addresses()


def _stored(look: Look) -> Iterator[Finding]:
    try:
        yield from look()
    except (DatabaseError, InterfaceError) as error:
        connection.close()
        name = look.__name__.replace("_", " ")
        is_refused = isinstance(error.__cause__, pg.InsufficientPrivilege)
        yield fault(
            name,
            f"The database does not {'let this role look' if is_refused else 'say'} ({type(error).__name__}).",
            rights.WHAT_TO_DO if is_refused else "Apply the migrations: manage.py migrate.",
        )
