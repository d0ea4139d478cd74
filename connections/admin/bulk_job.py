"""Background jobs: one act on many connections, how far the workers are, and what came of each row."""

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, Q, Subquery
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.safestring import SafeString

from connections.admin import columns, show
from connections.admin.base import ReadOnlyAdmin, count_of, operator_behind
from connections.admin.buttons import Button, ButtonsAdmin
from connections.admin.filters import ChoiceFilter, id_filter
from connections.database.clock import database_now
from connections.journal import audit
from connections.lifecycle.steer.bulk import cancel_bulk, outcomes_of
from connections.lifecycle.steer.export import as_csv
from connections.lifecycle.steer.on_demand import Told
from connections.models import ApiClient, BulkAct, BulkJob, BulkRow

_CANCEL_ASKS = "Nothing more of it is begun. What is done stays done."


def _cancel(request: HttpRequest, row: BulkJob) -> Told:
    return cancel_bulk(row, now=database_now(), actor=operator_behind(request))


def _download(request: HttpRequest, row: BulkJob) -> HttpResponseBase:
    audit.record(
        "bulk.downloaded", actor=operator_behind(request), tenant_id=row.tenant_id, detail={"job": str(row.id)}
    )
    answer = StreamingHttpResponse(as_csv(row), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="connections-{row.ordered_at:%Y-%m-%d}.csv"'
    answer["Cache-Control"] = "no-store"
    return answer


def _is_export(row: BulkJob) -> bool:
    return row.act == BulkAct.EXPORT and row.finished_at is not None


@admin.register(BulkJob)
class BulkJobAdmin(ButtonsAdmin[BulkJob], ReadOnlyAdmin[BulkJob]):
    """The jobs, the newest first."""

    list_title = "Background jobs"
    buttons = (
        Button(
            "download",
            "Download",
            _download,
            _is_export,
            tone="primary",
            has_own_page=True,
            permission="connections.view_connection",  # a row of the file is one
            needs_proof=True,
        ),
        Button(
            "cancel",
            "Cancel",
            _cancel,
            lambda row: row.finished_at is None and row.cancelled_at is None,
            asks=_CANCEL_ASKS,
            tone="danger",
        ),
    )
    list_display = ("what", "progress", "by", "ordered", "finished")
    list_filter = ("act",)
    search_fields = ("operator",)
    search_help_text = "An operator or an id"
    fields = ("what", "progress", "outcomes", "rows_link", "by", "ordered", "cancelled", "finished")

    ordered = columns.moment("ordered_at", "Ordered")
    cancelled = columns.moment("cancelled_at", "Cancelled")
    finished = columns.moment("finished_at", "Finished")

    def get_queryset(self, request: HttpRequest) -> Any:
        client = ApiClient.objects.filter(id=OuterRef("api_client_id"))
        settled = count_of(BulkRow.objects.exclude(code=""), "job")
        return super().get_queryset(request).annotate(settled=settled, client_name=Subquery(client.values("name")))

    @admin.display(description="Job")
    def what(self, row: BulkJob) -> str:
        return str(row)

    @admin.display(description="Ordered by")
    def by(self, row: Any) -> SafeString | str:
        if row.api_client_id is None:
            return str(row.operator)
        if row.client_name is None:
            return "an API client that is gone"
        return show.link(ApiClient(id=row.api_client_id, name=row.client_name))

    @admin.display(description="Progress")
    def progress(self, row: Any) -> SafeString:
        share = f"{row.settled:,} of {row.total:,}"
        if row.finished_at is None:
            return show.chip(f"{'Cancelling' if row.cancelled_at else 'Under way'}: {share}", "busy")
        return show.chip("Cancelled") if row.cancelled_at else show.chip(f"Done: {share}", "good")

    @admin.display(description="What came of the rows")
    def outcomes(self, row: BulkJob) -> SafeString | str:
        told = [
            show.join(
                [show.chip(f"{count:,}", "plain" if good is None else "good" if good else "warn"), detail or "to do"]
            )
            for detail, good, count in outcomes_of(row)
        ]
        return show.join(told, " · ") if told else "No rows"

    @admin.display(description="Row by row")
    def rows_link(self, row: BulkJob) -> SafeString:
        return show.join(
            [
                show.list_link("All rows", BulkRow, job=row.id),
                show.list_link("Those that failed", BulkRow, job=row.id, result="failed"),
            ],
            " · ",
        )


class _ResultFilter(ChoiceFilter):
    """By the result."""

    title = parameter_name = "result"
    known = {
        "done": ("Done", Q(is_success=True)),
        "failed": ("Not done", Q(is_success=False)),
        "to_do": ("To do", Q(code="")),
    }


@admin.register(BulkRow)
class BulkRowAdmin(ReadOnlyAdmin[BulkRow]):
    """The rows of jobs: what came of each connection."""

    list_title = "Rows of background jobs"
    list_display = ("about", "result", "detail", "of_job")
    list_display_links = ("result",)  # the first column leads to the connection
    list_filter = (_ResultFilter, id_filter("job", "job", "job_id"))
    list_select_related = ("job", "connection")
    search_fields = ("code",)
    search_help_text = "An outcome, or the id of a job or a connection"
    id_search_fields = ("job_id", "connection_id")
    fields = ("about", "result", "detail", "of_job")

    @admin.display(description="Connection")
    def about(self, row: BulkRow) -> SafeString | str:
        owner = row.connection.end_user or "the whole tenant"
        return show.link(row.connection, f"{row.connection.provider} for {owner}")

    @admin.display(description="Result")
    def result(self, row: BulkRow) -> SafeString:
        if not row.code:
            return show.chip("to do", "busy")
        return show.chip(row.code.replace("_", " "), "good" if row.is_success else "warn")

    @admin.display(description="Job")
    def of_job(self, row: BulkRow) -> SafeString | str:
        return show.link(row.job)
