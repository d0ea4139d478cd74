"""The Django app: checks its key material at start, and gives the egress client its policy."""

from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.db.models.signals import post_migrate, pre_migrate

# A migration that waits for a lock of a table keeps out everybody who comes after it. So it waits for no longer.
MIGRATION_LOCK_TIMEOUT = "5s"


class ConnectionsConfig(AppConfig):
    """Latchkey's one Django app."""

    name = "connections"
    verbose_name = "Latchkey"

    def ready(self) -> None:
        """Refuse to start with missing, malformed or shared keys. Raises ``ImproperlyConfigured``."""
        from connections.access.secrets import keyring
        from connections.journal.audit_keys import audit_keys
        from connections.vault.keyring import KeyringError, check_separate_roots
        from providers.catalog.loader import configure_catalog
        from providers.custodians.custody import configure_custody
        from providers.egress import EgressPolicy, configure

        try:
            check_separate_roots(
                fernet_keys=settings.FERNET_KEYS,
                keyring=keyring(),
                secret_key=settings.SECRET_KEY,
                audit_seeds=audit_keys().seeds,
            )
        except KeyringError as error:
            raise ImproperlyConfigured(str(error)) from None
        configure(
            EgressPolicy(
                allow_loopback=settings.DEVELOPMENT,
                allowed_targets=tuple(settings.EGRESS_ALLOWED_TARGETS),
                proxy_url=settings.EGRESS_PROXY_URL,
                ca_file=settings.EGRESS_CA_FILE,
            )
        )
        settings.KEY_FILES.ask_before_dropping(_still_needed)
        settings.KEY_FILES.tell_of_first(_note_first)
        configure_custody(settings.CUSTODY)
        configure_catalog(settings.CATALOG_DIR)
        # The permissions of an app are made when it is its turn, so the roles wait for the last one.
        last = [app for app in apps.get_app_configs() if app.models_module is not None][-1]
        post_migrate.connect(_save_roles, sender=last)
        pre_migrate.connect(_check_server, sender=self)
        pre_migrate.connect(_bound_waits, sender=self)
        post_migrate.connect(_wait_as_before, sender=self)


def _still_needed(before: Any, after: Any) -> str:
    """Say why keys that are gone from their files have to stay. Queries."""
    from connections.database.clock import database_now
    from connections.lifecycle.keys.leaving import still_needed

    return still_needed(before, after, now=database_now())


def _note_first(key: str) -> None:
    """Write down that this key of ``FERNET_KEYS`` is the first from now on. A query, and perhaps an audit row."""
    from connections.lifecycle.keys.leaving import note_first

    note_first(key)


def _check_server(*, using: str, **_: Any) -> None:
    """Let ``migrate`` fail before it has changed anything at a server that cannot have every constraint."""
    from django.core.management import CommandError

    from connections.database.server import ServerTooOld, check_server, server_version

    try:
        check_server(server_version(using))
    except ServerTooOld as error:
        raise CommandError(str(error)) from None


def _bound_waits(*, using: str, **_: Any) -> None:
    """Let ``migrate`` fail where a table stays locked by others: what it began is undone, so run it again."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [MIGRATION_LOCK_TIMEOUT])


def _wait_as_before(*, using: str, **_: Any) -> None:
    with connections[using].cursor() as cursor:
        cursor.execute("RESET lock_timeout")


def _save_roles(**kwargs: Any) -> None:
    """Make the roles of staff once their permissions are there: Django makes those after each ``migrate``."""
    from connections.lifecycle.provision.roles import save_roles

    save_roles()
