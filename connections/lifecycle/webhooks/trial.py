"""Trial: sends a test event to an endpoint now, and says what came of it."""

import time
import uuid
from datetime import datetime

from connections.database.pool import release_database
from connections.journal import audit
from connections.lifecycle.throttle.bulkhead import AGAIN_SECONDS, Crowded, bulkhead
from connections.lifecycle.webhooks.deliver import usable_keys
from connections.lifecycle.webhooks.message import trial_body
from connections.lifecycle.webhooks.post import TOTAL_SECONDS, Outcome, post
from connections.lifecycle.webhooks.signing import signed_headers
from connections.models import WebhookEndpoint
from connections.refusals import Busy, CredentialUnreadable, NotFound, ProviderDown, Suspended


def send_test(endpoint_id: uuid.UUID, *, now: datetime, actor: audit.Actor) -> Outcome:
    """Send an event of the type ``webhook.test`` to an endpoint, enabled or not, and return what came of it.

    Changes nothing of the endpoint. HTTP, up to 10 s; an audit row. Raises ``NotFound``, ``Suspended``,
    ``CredentialUnreadable``, ``Busy``, and ``ProviderDown`` where it could not be sent in time.
    """
    endpoint = WebhookEndpoint.objects.select_related("tenant").filter(id=endpoint_id).first()
    if endpoint is None:
        raise NotFound("There is no such webhook endpoint.")
    if endpoint.is_suspended:
        raise Suspended("This tenant is suspended: nothing is sent for it until it is resumed.")
    keys = usable_keys(endpoint, now=now)
    if not keys:
        raise CredentialUnreadable("The endpoint's secret does not open under the keys of this installation.")
    message_id = uuid.uuid4()
    slug = endpoint.tenant.slug if endpoint.tenant else None
    body = trial_body(message_id, endpoint_id=endpoint.id, tenant=slug, at=now)
    headers = signed_headers(body, message_id=str(message_id), at=now, keys=keys)
    release_database()
    try:
        with bulkhead.place("webhooks", endpoint.tenant_id):
            outcome = post(endpoint.url, body, headers, leave_by=time.monotonic() + TOTAL_SECONDS)
    except Crowded:
        raise Busy("So many tests wait for an answer already: try again.", retry_after_seconds=AGAIN_SECONDS) from None
    if outcome is None:
        raise ProviderDown("The test could not be sent in time: try again.")
    audit.record(
        "webhook_endpoint.tested",
        decision=audit.ALLOWED if outcome.is_taken else "failed",
        actor=actor,
        tenant_id=endpoint.tenant_id,
        detail={"webhook_endpoint": str(endpoint.id), "status": outcome.status},
    )
    return outcome
