"""``/end-users`` and ``/offboardings``: what somebody has, and how they leave."""

import time
import uuid
from typing import Literal

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Router

from connections.api.access_grants import access_grant_out
from connections.api.auth import caller_of
from connections.api.end_users import EndUserOut, HeldOut, OffboardingOut, offboarding_out
from connections.api.texts import EndUser, Slug
from connections.database.clock import database_now
from connections.lifecycle.end.belongings import connected_of, grants_by, grants_to, open_sessions_of, shared_of
from connections.lifecycle.end.offboard import continue_offboarding, order_offboarding
from connections.models import Connection, Offboarding, OffboardingMode, Permission, SharedFate
from connections.refusals import NotFound

MOST = 200
_ANSWERED_WITHIN_SECONDS = 5.0

router = Router(tags=["end users"])
receipts = Router(tags=["end users"])


@router.get("/{path:end_user}", response=EndUserOut, summary="Show what an end user has")
def get_end_user(request: HttpRequest, end_user: EndUser, tenant: Slug | None = None) -> EndUserOut:
    """List what an end user has here: before they leave, or to answer them. One that is unknown has nothing."""
    caller = caller_of(request, may=Permission.READ)
    owner, now = caller.tenant(tenant), database_now()
    given_to, given_by = (
        [access_grant_out(grant, tenant=owner.slug, now=now) for grant in grants(owner.id, end_user).standing()[:MOST]]
        for grants in (grants_to, grants_by)
    )
    under_way = Offboarding.objects.filter(tenant=owner, end_user=end_user, done_at=None)
    return EndUserOut(
        end_user=end_user,
        tenant=owner.slug,
        connections=_held(connected_of(owner.id, end_user)),
        answers_for=_held(shared_of(owner.id, end_user)),
        grants=given_to,
        given=given_by,
        sessions=open_sessions_of(owner.id, end_user).count(),
        offboarding=under_way.values_list("id", flat=True).first(),
    )


@router.delete(
    "/{path:end_user}", response={200: OffboardingOut, 202: OffboardingOut}, summary="Offboard or erase an end user"
)
def delete_end_user(
    request: HttpRequest,
    end_user: EndUser,
    tenant: Slug | None = None,
    mode: Literal["offboard", "erase"] = "offboard",
    shared: Literal["hand_over", "end"] | None = None,
    hand_over_to: EndUser | None = None,
) -> tuple[int, OffboardingOut]:
    """End all that an end user has, and answer with a receipt: 202 while something is pending, 200 when it is done.

    Their sessions end, their connections are disconnected and revoked at the providers, access grants to them are
    revoked. Where they answer for connections of the whole tenant, `shared` has to say whether these are handed over
    (to `hand_over_to`, or to the tenant itself) or end too. With `mode=erase` they are then forgotten: their
    connections and sessions are deleted, and a pseudonym takes the place of their id in the audit trail, in events and
    in the receipt. Repeating the call tells how far it is; `GET /offboardings/{id}` does so by the receipt's id, which
    after an erasure is the only way.
    """
    caller = caller_of(request, may=Permission.MANAGE)
    owner, now = caller.tenant(tenant), database_now()
    ordered = order_offboarding(
        owner,
        end_user,
        mode=OffboardingMode(mode),
        shared=SharedFate(shared or ""),
        hand_over_to=hand_over_to or "",
        now=now,
        actor=caller.actor,
    )
    told = continue_offboarding(ordered.id, now=now, give_up_at=time.monotonic() + _ANSWERED_WITHIN_SECONDS)
    return 202 if told.done_at is None else 200, offboarding_out(told, tenant=owner.slug)


@receipts.get("/{offboarding_id}", response=OffboardingOut, summary="Show the receipt of an offboarding")
def get_offboarding(request: HttpRequest, offboarding_id: uuid.UUID, tenant: Slug | None = None) -> OffboardingOut:
    """Show what an offboarding has done so far, and what is pending."""
    caller = caller_of(request, may=Permission.READ)
    owner = caller.tenant(tenant)
    found = Offboarding.objects.filter(tenant=owner, id=offboarding_id).first()
    if found is None:
        raise NotFound("There is no such offboarding.")
    return offboarding_out(found, tenant=owner.slug)


def _held(connections: QuerySet[Connection]) -> list[HeldOut]:
    return [
        HeldOut(
            id=row.id,
            provider=row.provider,
            status=row.status,
            label=row.label,
            account=row.provider_account_name or row.provider_account_id,
        )
        for row in connections.only(
            "id", "provider", "status", "label", "provider_account_name", "provider_account_id"
        )[:MOST]
    ]
