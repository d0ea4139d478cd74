"""Visits to the page of one's own connections, step by step."""

import uuid
from dataclasses import dataclass
from html import unescape
from typing import Any

from django.http import HttpResponse

from connections.models import ApiClient, AuditEvent, Permission, Reason, Status, SubjectKind, Tenant
from tests.connections.api.grants import in_seconds, let
from tests.connections.api.stored import make_connection
from tests.connections.consent.questions import wait_for_answer
from tests.factories import RETURN_URL, make_caller
from tests.flows import SAME_ORIGIN, EndUser, call


@dataclass
class Visit:
    """One management session of ``user``'s, with the token that opens it."""

    user: EndUser
    id: str
    token: str

    @property
    def path(self) -> str:
        """The address of the page."""
        return f"/connect/manage/{self.id}"

    def start(self, user: EndUser | None = None, *, token: str | None = None) -> HttpResponse:
        """Take the click, in the browser of ``user``."""
        browser = (user or self.user).browser
        answer: HttpResponse = browser.post(
            f"{self.path}/start", {"token": self.token if token is None else token}, headers=SAME_ORIGIN
        )
        return answer

    def get(self, page: str = "/connections", *, user: EndUser | None = None) -> HttpResponse:
        """Open a page, in the browser of ``user``."""
        return (user or self.user).open(f"{self.path}{page}")

    def post(self, page: str, *, user: EndUser | None = None, **fields: Any) -> HttpResponse:
        """Send a form of a page, as our own page does."""
        answer: HttpResponse = (user or self.user).browser.post(f"{self.path}{page}", fields, headers=SAME_ORIGIN)
        return answer

    def text(self, page: str = "/connections") -> str:
        """Return the words of a page."""
        answer = self.get(page)
        assert answer.status_code == 200, f"{answer.status_code}: {answer.content.decode()[:500]}"
        return unescape(answer.content.decode())


def invited(user: EndUser, **changes: Any) -> Visit:
    """Have the backend invite ``user`` to the page."""
    order = {"end_user": user.name, "return_url": RETURN_URL.format(slug=user.tenant), **changes}
    answer = call(user.backend, "POST", "/management-sessions", order)
    assert answer.status_code == 201, answer.content
    return Visit(user, answer.json()["id"], answer.json()["token"])


def visiting(user: EndUser, **changes: Any) -> Visit:
    """Have ``user`` open the page."""
    visit = invited(user, **changes)
    answer = visit.start()
    assert answer.status_code == 303, answer.content.decode()[:500]
    return visit


def pages_of_a_visit(user: EndUser, tenant: Tenant) -> dict[str, HttpResponse]:
    """Return one of every page that a visit has, with something on each."""
    working, ended = make_connection(tenant, is_default=True), make_connection(tenant, account="ended")
    broken = make_connection(tenant, status=Status.NEEDS_REAUTH, reason=Reason.GRANT_REJECTED, label="Work")
    for subject in ("", "bob", user.name):
        AuditEvent.objects.create(
            action="credential.vend", decision="allowed", connection_id=working.id, subject=subject, agent="planner"
        )
    for kind, subject in ((SubjectKind.GROUP, "sales"), (SubjectKind.AGENT, "planner")):
        let(working, subject, kind, methods=["GET"], paths=["/crm/**"], needs_approval=True, expires_at=in_seconds(900))
    ApiClient.objects.update(permissions=[*user.backend.client.permissions, Permission.GRANT])
    asked = wait_for_answer(working, make_caller(tenant, "planner"))
    visit = visiting(user, providers=["sandbox"])
    visit.post(f"/{ended.id}/disconnect")
    pages = {"start": invited(user).get(""), "list": visit.get("/connections?told=disconnected")}
    for name, connection in (("working", working), ("broken", broken), ("ended", ended)):
        pages[name] = visit.get(f"/{connection.id}")
    pages |= {
        "misnamed": visit.post(f"/{working.id}/name", label="Work"),
        "asked": visit.get(f"/approvals/{asked.id}"),
        "receipts": visit.get(f"/{working.id}/receipts"),
        "unused": visit.get(f"/{broken.id}/receipts"),
        "disconnect": visit.get(f"/{working.id}/disconnect"),
        "gone": visit.get(f"/{uuid.uuid4()}"),
        "foreign": user.browser.post(f"{visit.path}/connect", headers={"sec-fetch-site": "cross-site"}),
        "again": user.browser.post(f"{invited(user).path}/start"),
        "done": visit.post("/done"),
        "closed": visit.get(),
    }
    return pages
