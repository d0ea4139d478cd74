"""The bodies of imports, and what the API shows of them."""

import io
import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, model_validator

from connections.api.texts import EndUser, Request, Slug, Text
from connections.lifecycle.port.options import Options
from connections.lifecycle.port.report import counts_of, rotating_in, told_of
from connections.models import ImportRow, ImportRun
from connections.refusals import InvalidRequest
from providers.brought.files import rows_of
from providers.brought.json_stream import BrokenFile

MOST_ROWS = 1000
_Rows = Annotated[
    list[dict[str, Any]],
    Field(max_length=MOST_ROWS, json_schema_extra={"writeOnly": True}, description="the rows, as objects"),
]
_Csv = Annotated[
    Text,
    Field(max_length=2_000_000, json_schema_extra={"writeOnly": True}, description="the rows, as CSV with a header"),
]
_Named = Annotated[dict[Text, Text], Field(max_length=200)]


class _Part(Request):
    """Rows of an import: objects, or CSV. ``complete`` says that no more come."""

    tenant: Slug | None = None
    rows: _Rows | None = None
    csv: _Csv | None = None
    complete: bool = Field(True, description="no more rows come: the import begins")

    @model_validator(mode="after")
    def _has_rows_once(self) -> "_Part":
        if (self.rows is None) == (self.csv is None):
            raise ValueError("Give either rows or csv")
        return self

    def values(self) -> Iterator[Any]:
        """Yield the rows. Raises ``InvalidRequest`` where the CSV cannot be read to its end. No I/O."""
        if self.rows is not None:
            yield from self.rows
            return
        try:
            for number, (_, row) in enumerate(rows_of(io.BytesIO((self.csv or "").encode()), form="csv")):
                if number >= MOST_ROWS:
                    raise InvalidRequest(f"At most {MOST_ROWS} rows a call: send the others next.", field="csv")
                yield row
        except BrokenFile as broken:
            raise InvalidRequest(f"Line {broken.line}: {broken}", field="csv") from None


class ImportIn(_Part):
    """An import, with its first rows. Columns are named as for ``manage.py connections import``, or by Nango."""

    format: Literal["rows", "nango"] = Field("rows", description="whose names the members of rows are")
    columns: _Named = Field(default_factory=dict, description="our name for each column of yours")
    provider: Slug | None = Field(None, description="the provider of rows that name none")
    end_user: EndUser | None = Field(None, description="the end user of rows that name none")
    providers: _Named = Field(default_factory=dict, description="the slug of each provider, by your name for it")
    on_conflict: Literal["skip", "replace"] = Field("skip", description="what if the owner has the connection already")
    all_or_nothing: bool = Field(False, description="store nothing unless every row can be used")
    refresh_all: bool = Field(True, description="also refresh once what does not rotate; what rotates always is")
    verify: bool = Field(True, description="probe each connection")
    dry_run: bool = Field(False, description="judge the rows, and store no connection")

    def options(self) -> Options:
        """Return the wishes of the import."""
        return Options(
            form="nango" if self.format == "nango" else "json",
            columns=self.columns,
            provider=self.provider or "",
            end_user=self.end_user or "",
            providers=self.providers,
            on_conflict=self.on_conflict,
            all_or_nothing=self.all_or_nothing,
            refresh_all=self.refresh_all,
            verify=self.verify,
            dry_run=self.dry_run,
        )


class ImportRowsIn(_Part):
    """The next rows of an import."""

    part: int = Field(ge=2, le=1_000_000, description="the number of this call, from 2; repeating one does nothing")


class ImportOut(BaseModel):
    """How far an import is, and how many rows have each outcome."""

    id: uuid.UUID
    tenant: str
    state: str = Field(description="`reading`, `storing`, `proving` or `done`")
    dry_run: bool = Field(description="no connection is stored")
    parts: int = Field(description="how many calls with rows were taken")
    rows: int = Field(description="how many rows were taken")
    rotating: int = Field(description="how many rows have a copy at the source that the import's refresh ends")
    outcomes: dict[str, int] = Field(description="how many rows have each code")
    ignored_columns: list[str] = Field(description="columns without a meaning here")
    problem: str = Field(description='why not all was read; "" if it was')
    created_at: datetime
    finished_at: datetime | None = Field(description="when nothing was left to do; null before")


class ImportRowOut(BaseModel):
    """What came of one row. It holds no value of the row but ids."""

    line: int = Field(description="the number of the row, over all calls")
    source_id: str = Field(description="how the other system calls the connection")
    provider: str
    end_user: str
    state: str = Field(description="`refused`, `accepted`, `stored` or `settled`")
    code: str = Field(description="the outcome")
    means: str = Field(description="the outcome in words")
    field: str = Field(description="the column at fault")
    detail: str
    rotates: bool = Field(description="its refresh ends the copy at the source")
    connection: uuid.UUID | None


class ImportRowPage(BaseModel):
    """A page of rows, in their order."""

    items: list[ImportRowOut]
    next: str | None


def import_out(run: ImportRun, *, tenant: str) -> ImportOut:
    """Return an import of the tenant with that slug as the API shows it. Two queries."""
    outcomes = counts_of(run)
    return ImportOut(
        id=run.id,
        tenant=tenant,
        state=run.state,
        dry_run=run.options["dry_run"],
        parts=run.parts,
        rows=sum(outcomes.values()),
        rotating=rotating_in(run),
        outcomes=outcomes,
        ignored_columns=run.ignored_columns,
        problem=run.problem,
        created_at=run.created_at,
        finished_at=run.finished_at,
    )


def import_row_out(row: ImportRow) -> ImportRowOut:
    """Return one row as the API shows it. No I/O."""
    told = told_of(row)
    return ImportRowOut(**{name: told[name] for name in ImportRowOut.model_fields})
