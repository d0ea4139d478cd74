"""One import of connections that another system has kept until now, and its rows: what came of each."""

import uuid
from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from connections.models.connection import Connection
from connections.models.fields import SealedField
from connections.models.mutators import Settable
from connections.models.tenant import Tenant


class ImportState(models.TextChoices):
    """How far an import has come."""

    READING = "reading", "Being read"
    STORING = "storing", "Being stored"
    PROVING = "proving", "Being refreshed and verified"
    DONE = "done", "Done"


class RowState(models.TextChoices):
    """How far one row has come."""

    REFUSED = "refused", "Refused: nothing was stored"
    ACCEPTED = "accepted", "Accepted: not stored yet"
    STORED = "stored", "Stored: not refreshed or verified yet"
    SETTLED = "settled", "Settled"


class ImportRun(Settable):
    """One import. Any process can go on with it at any time: its rows say what is left to do.

    ``tenant`` is null where the rows name their tenants, which only an operator's command allows. ``digest`` is a keyed
    digest of the file, so that the same file goes on and does not begin anew. ``options`` are those of
    ``lifecycle.port.order.Options``. ``in_background``: the workers go on with it; else the command does.
    ``parts`` counts the parts taken from the API, ``lines`` the rows. ``problem`` says why the rest of the file could
    not be read, or why nothing was stored. ``claimed_until`` keeps two beats from going on with it at once.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, null=True, blank=True, on_delete=models.CASCADE, related_name="imports")
    state = models.CharField(max_length=7, choices=ImportState, default=ImportState.READING)
    options = models.JSONField(default=dict)
    digest = models.BinaryField(null=True, editable=False)
    in_background = models.BooleanField(default=False)
    api_client_id = models.UUIDField(null=True, blank=True)
    operator = models.CharField(max_length=150, default="", blank=True)
    parts = models.PositiveIntegerField(default=0)
    lines = models.PositiveIntegerField(default=0)
    ignored_columns = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    problem = models.CharField(max_length=500, default="", blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "import"
        ordering = ["-created_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state=ImportState.DONE, finished_at__isnull=False)
                | ~Q(state=ImportState.DONE) & Q(finished_at=None),
                name="import_ends_when_it_is_done",
            ),
        ]
        indexes = [
            models.Index(fields=["digest"], condition=Q(digest__isnull=False), name="import_of_file"),
            models.Index(fields=["created_at"], condition=Q(finished_at=None), name="import_under_way"),
        ]

    def __str__(self) -> str:
        return str(self.id)

    def take(self, *, lines: int, ignored_columns: list[str], part: int | None) -> None:
        """Record that rows up to ``lines`` were taken, with the number of the API's part. Call it locked."""
        self._set(lines=lines, ignored_columns=ignored_columns, parts=self.parts if part is None else part)

    def move_on(self, state: ImportState, *, problem: str = "") -> None:
        """Go on to ``state``, which is not the last one. Call it locked."""
        self._set(state=state, problem=problem or self.problem)

    def finish(self, *, at: datetime, problem: str = "") -> None:
        """Record that nothing is left to do. Call it locked."""
        self._set(state=ImportState.DONE, finished_at=at, problem=problem or self.problem)


class ImportRow(Settable):
    """One row of an import. ``content`` seals it as it was read, until its credential is stored.

    ``line`` is where it begins in a file of CSV, or the number of the row. ``key`` is a keyed digest of its
    credential: the same credential is imported once. ``code`` is the stable outcome, ``field`` the column at fault,
    ``detail`` a sentence without a value of the row. ``version_id`` is the credential version that was stored from it:
    once another is current, the row's refresh has happened. ``rotates``: the refresh ends the copy at the source.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="rows", db_index=False)
    line = models.PositiveIntegerField()
    tenant = models.ForeignKey(Tenant, null=True, on_delete=models.CASCADE, related_name="+", db_index=False)
    state = models.CharField(max_length=8, choices=RowState)
    code = models.CharField(max_length=40, default="", blank=True)
    field = models.CharField(max_length=100, default="", blank=True)
    detail = models.CharField(max_length=500, default="", blank=True)
    provider = models.CharField(max_length=64, default="", blank=True)
    end_user = models.CharField(max_length=255, default="", blank=True)
    source_id = models.CharField(max_length=255, default="", blank=True)
    rotates = models.BooleanField(default=False)
    key = models.BinaryField(null=True, editable=False)
    content = SealedField(null=True, editable=False)
    connection = models.ForeignKey(
        Connection, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    version_id = models.UUIDField(null=True, blank=True)

    class Meta:
        ordering = ["line"]
        constraints = [
            models.UniqueConstraint(fields=["run", "line"], name="import_row_once_a_line"),
            models.CheckConstraint(
                condition=Q(content__isnull=True) | Q(state=RowState.ACCEPTED),
                name="import_row_keeps_content_until_stored",
            ),
        ]
        indexes = [
            models.Index(fields=["run", "state", "line"], name="import_row_to_do"),
            models.Index(fields=["tenant", "key"], condition=Q(key__isnull=False), name="import_row_of_credential"),
            models.Index(fields=["tenant", "end_user"], condition=~Q(end_user=""), name="import_row_of_end_user"),
            models.Index(fields=["connection"], condition=Q(connection__isnull=False), name="import_row_of_connection"),
        ]

    def __str__(self) -> str:
        return f"line {self.line}"

    def refuse(self, code: str, detail: str, *, field: str = "") -> None:
        """Refuse it: nothing is stored from it, and what was read of it is destroyed. Call it locked."""
        self._set(state=RowState.REFUSED, code=code, detail=detail[:500], field=field[:100], content=None)

    def store(self, connection: Connection, *, code: str, detail: str, version_id: uuid.UUID) -> None:
        """Record the connection made from it, and destroy what was read of it. Call it locked."""
        self._set(
            state=RowState.STORED,
            code=code,
            detail=detail[:500],
            connection_id=connection.id,
            version_id=version_id,
            content=None,
        )
