"""Refresh quarantine: which database this is, and which connections wait because it may be an older state of it.

A database that was put back to an earlier moment holds refresh tokens which may have been replaced at the provider
since. To send such a one trips the provider's reuse detection, which ends the whole grant. So a connection is *held*:
nothing uses its refresh token until somebody releases it, or a newer credential comes.

Whether one is held is said here twice, and a test compares both: ``holds`` for a loaded row, ``sql_free`` for a raw
statement. Until the connections are sorted, and while the database is not the one that it says it is, all are held.
A newer credential that has kept the old refresh token is held by ``hold_heir``.
"""

import uuid
from datetime import datetime, timedelta

from django.db import models
from django.db.models import F, Func, Q

from connections.models.connection import Connection
from connections.models.credential_version import CredentialVersion

# What a migration has made: which server, which history of it (timeline) and which database. "" where nobody may ask.
IDENTITY_FUNCTION = "connections_database_identity"


# The database is not the one that it says it is. To be used where ``is_in`` is an alias.
_ELSEWHERE = ~Q(database="") & ~Q(is_in="") & ~Q(is_in=F("database"))


class RewindCause(models.TextChoices):
    """Why the database is taken for one that was put back."""

    RESTORED = "restored", "A backup was restored"
    ORDERED = "ordered", "Somebody said so"
    OTHER_DATABASE = "other_database", "It is another server, another database or another history of it"
    BEHIND = "behind", "It is behind what this installation remembers outside of it"


class TokenVerdict(models.TextChoices):
    """What is known of a stored refresh token."""

    UNKNOWN = "unknown", "Perhaps used since"
    USED = "used", "Used since: the token that replaced it is lost"


class Identity(Func):
    """The identity of the database that is asked, as an expression."""

    function = IDENTITY_FUNCTION
    arity = 0
    output_field = models.CharField()


class Installation(models.Model):
    """The one row in which the database says which one it is, and how far its time has come.

    ``number`` grows with each beat (``beaten_at``), and is remembered outside of the database as well
    (``lifecycle.quarantine.pulse``), by the ``id`` of this installation. ``database`` is its identity, "" where it is
    not known. The quarantine that was begun last is of ``quarantined_at``; ``rewound_to`` is the moment from which the
    data is, as far as that is known, and ``sorted_at`` is when it was known which connections it holds. Since
    ``unanswered_at`` the sorting has waited for Redis, which does not answer.

    The beats after ``alone_from`` until ``alone_until`` were counted without an answer of Redis.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    only = models.BooleanField(default=True, unique=True, editable=False)
    database = models.CharField(max_length=100, default="", blank=True)
    number = models.BigIntegerField(default=0)
    beaten_at = models.DateTimeField(null=True, blank=True)
    quarantined_at = models.DateTimeField(null=True, blank=True)
    cause = models.CharField(max_length=20, choices=RewindCause, default="", blank=True)
    rewound_to = models.DateTimeField(null=True, blank=True)
    sorted_at = models.DateTimeField(null=True, blank=True)
    unanswered_at = models.DateTimeField(null=True, blank=True)
    alone_from = models.BigIntegerField(null=True, blank=True)
    alone_until = models.BigIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quarantined_at=None, cause="", rewound_to=None, sorted_at=None)
                | Q(quarantined_at__isnull=False) & ~Q(cause=""),
                name="quarantine_has_a_cause",
            )
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def waits_for_redis_since(self) -> datetime | None:
        """Since when it could not be sorted, because Redis does not answer: never before the quarantine was begun."""
        if self.quarantined_at is None or self.sorted_at is not None or self.unanswered_at is None:
            return None
        return self.unanswered_at if self.unanswered_at >= self.quarantined_at else None

    @property
    def is_alone(self) -> bool:
        """Whether Redis did not answer at the last beat, if that was this release's: an earlier one does not say."""
        return self.alone_until == self.number

    @property
    def told(self) -> int:
        """The greatest number of which this database can have told Redis."""
        return self.alone_from if self.is_alone and self.alone_from is not None else self.number

    def beat(self, number: int, *, is_answered: bool, now: datetime) -> None:
        """Record the beat of this ``number``, and whether Redis answered at it."""
        if not is_answered:
            self.alone_from, self.alone_until = self.told, number
        self.number, self.beaten_at = number, now
        self.save(update_fields=["number", "beaten_at", "alone_from", "alone_until"])

    def wait_for_redis(self, *, now: datetime) -> None:
        """Record that it cannot be sorted now, because Redis does not answer."""
        self.unanswered_at = self.waits_for_redis_since or now
        self.save(update_fields=["unanswered_at"])

    def wait_for_redis_anew(self) -> None:
        """Forget since when Redis does not answer: for a while nobody has asked it."""
        self.unanswered_at = None
        self.save(update_fields=["unanswered_at"])

    def be_in(self, database: str) -> None:
        """Take ``database`` for its own identity from now on."""
        self.database = database
        self.save(update_fields=["database"])

    def go_into_quarantine(self, cause: RewindCause, *, rewound_to: datetime | None, now: datetime) -> None:
        """Hold every connection whose credential is older than ``now``, until they are sorted."""
        self.cause, self.rewound_to, self.quarantined_at, self.sorted_at = cause, rewound_to, now, None
        self.save(update_fields=["cause", "rewound_to", "quarantined_at", "sorted_at"])

    def finish_sorting(self, *, now: datetime) -> None:
        """Hold from now on only the connections that are named as held."""
        self.sorted_at, self.unanswered_at = now, None
        self.save(update_fields=["sorted_at", "unanswered_at"])


class HeldConnection(models.Model):
    """A connection whose refresh token waits: of the credential that was received before ``held_at``.

    ``sent_at`` is when a refresh token was sent last, as far as that is sure of one that was used. A credential that
    was received since is the answer, which may come before ``held_at`` and be stored after it, as in a failover.
    The row goes when it is released. Where a newer credential has come, it means nothing any more.
    """

    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, primary_key=True, related_name="held")
    verdict = models.CharField(max_length=10, choices=TokenVerdict)
    held_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["connection"]
        verbose_name = "connection in refresh quarantine"
        verbose_name_plural = "connections in refresh quarantine"

    def __str__(self) -> str:
        return str(self.connection_id)


def held() -> Q:
    """Return the condition for a held connection in a queryset of held rows: no newer credential has come."""
    received_before = "connection__current_version__received_at__lt"
    return Q((received_before, F("held_at"))) & (Q(sent_at=None) | Q((received_before, F("sent_at"))))


def holding() -> "models.QuerySet[Installation]":
    """Return the installation's row if it holds connections that are not named: nobody has sorted them yet."""
    return Installation.objects.alias(is_in=Identity()).filter(
        _ELSEWHERE | Q(quarantined_at__isnull=False, sorted_at=None)
    )


def holds(connection: Connection) -> bool:
    """Whether the refresh token of ``connection`` may not be sent. Two or three queries."""
    received_at = connection.current_version.received_at if connection.current_version else None
    return holds_all_of(received_at) or HeldConnection.objects.filter(held(), connection=connection).exists()


def holds_all_of(received_at: datetime | None) -> bool:
    """Whether every connection is held whose credential was received then. A query."""
    everything = _ELSEWHERE | Q(quarantined_at__gt=received_at, sorted_at=None) if received_at else _ELSEWHERE
    return Installation.objects.alias(is_in=Identity()).filter(everything).exists()


def hold_heir(connection: Connection, heir: CredentialVersion) -> None:
    """Have ``connection`` wait on, because ``heir``, which is newer, has the refresh token for which it waits.

    Call it with the connection locked. Two statements.
    """
    held_at = heir.received_at + timedelta(microseconds=1)
    row, is_new = HeldConnection.objects.get_or_create(
        connection=connection, defaults={"verdict": TokenVerdict.UNKNOWN, "held_at": held_at}
    )
    if not is_new:
        row.held_at, row.sent_at = held_at, None
        row.save(update_fields=["held_at", "sent_at"])


def sql_free() -> str:
    """Return that a connection is not held, as SQL over the aliases ``connection`` and ``version``."""
    # The identity is no matter of a connection's, so it is asked for once in a statement: that reads a file.
    return f"""NOT EXISTS (
           SELECT FROM connections_installation AS elsewhere
            WHERE elsewhere.database <> '' AND {IDENTITY_FUNCTION}() NOT IN ('', elsewhere.database))
       AND NOT EXISTS (
           SELECT FROM connections_installation AS here
            WHERE here.sorted_at IS NULL AND here.quarantined_at > version.received_at)
       AND NOT EXISTS (
           SELECT FROM connections_heldconnection AS held
            WHERE held.connection_id = connection.id AND held.held_at > version.received_at
              AND (held.sent_at IS NULL OR held.sent_at > version.received_at))"""  # noqa: S608
