"""``django.contrib.postgres`` as Latchkey uses it: fields, indexes and lookups, without handlers for further types."""

from django.contrib.postgres.apps import PostgresConfig
from django.contrib.postgres.signals import register_type_handlers
from django.db.backends.signals import connection_created


class WithoutTypeHandlers(PostgresConfig):
    """Leaves out what would be set up for hstore and citext each time that the pool hands out a connection."""

    def ready(self) -> None:
        """Set up the app, but for that."""
        super().ready()
        connection_created.disconnect(register_type_handlers)
