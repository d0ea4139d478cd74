"""Given up: revocations that no provider has done, as events, and for the operator's people by mail.

One mail a day tells of a provider app, however many of its connections are concerned.
"""

from datetime import datetime

from connections.journal import events, notices
from connections.models import Connection, Revocation

GIVEN_UP = (Revocation.UNCONFIRMED, Revocation.IGNORED)
# Key of a connection's evidence: since when the provider is known to have said yes and done nothing.
IGNORED_SINCE = "ignored_since"

_WORDS = {
    Revocation.IGNORED: (
        "ignores revocations",
        "It answers with yes when a credential of “{app}” is to be revoked, and the credential works all the same.",
    ),
    Revocation.UNCONFIRMED: (
        "did not confirm a revocation",
        "For 24 hours it did not show that a credential of “{app}” was revoked, and the stored secrets were destroyed.",
    ),
}
_BODY = """{what}

What it means: nobody gets that credential from Latchkey any more. Whoever has a copy may go on using it at {provider}.

What to do: end the access at {provider}: in the account that was connected, or on the page of the app.

The first connection that is concerned: {page}
The provider app: {app_page}
"""


def tell_given_up(connection: Connection, outcome: Revocation, *, is_final: bool, now: datetime) -> None:
    """Tell that the provider does not revoke the locked ``connection``, in the caller's transaction.

    ``is_final``: it is not asked any more. The event has the member ``final``.
    """
    events.emit(f"connection.revocation_{outcome}", connection, final=is_final)
    app = connection.provider_app
    subject, what = _WORDS[outcome]
    body = _BODY.format(
        what=what.format(app=app.name),
        provider=connection.provider,
        page=notices.admin_page(connection),
        app_page=notices.admin_page(app),
    )
    notices.tell(f"revocation.{outcome}:{app.id}:{now:%Y-%m-%d}", f"{connection.provider} {subject}", body, now=now)
