"""Not asked: the provider was called before the end user goes there, and did not agree.

Nothing was begun, so the same click may be repeated. What the operator has to mend leaves an audit row with the
provider's own error code; a refusal of our registration is an incident of the provider app as well.
"""

from connections.access.targets import Access
from connections.database.pool import short_transaction
from connections.journal import audit
from connections.lifecycle.health.incidents import note_refusal
from connections.models import ConnectSession, ProviderApp
from connections.refusals import AppMisconfigured, ProviderDown, Refusal
from providers.errors import (
    AddressRefused,
    ClientRejected,
    GrantRejected,
    MisconfiguredProvider,
    ProviderError,
    RequestRejected,
    TargetRefused,
)

_OPERATORS_TO_MEND = (
    AddressRefused,
    ClientRejected,
    GrantRejected,
    MisconfiguredProvider,
    TargetRefused,
    RequestRejected,
)


def refusal_to_ask(session: ConnectSession, app: ProviderApp, access: Access, error: ProviderError) -> Refusal:
    """Return the refusal for the end user: ``AppMisconfigured``, or ``ProviderDown`` if trying again may help.

    One short transaction where the operator has to mend something.
    """
    if not isinstance(error, _OPERATORS_TO_MEND):
        name = access.target.entry.name
        return ProviderDown(
            f"{name} cannot be reached at the moment. Try again soon.", retry_after_seconds=error.retry_after_seconds
        )
    with short_transaction() as now:
        audit.record(
            "connect_session.not_asked",
            decision=error.code,
            tenant_id=session.tenant_id,
            detail={
                "session": str(session.id),
                "provider_app": str(app.id),
                "evidence": error.evidence.as_dict(),
            },
        )
        note_refusal(app, error, party=access.party_id, now=now)
    return AppMisconfigured(error.evidence.detail)
