"""Submit: the end user types a key into the widget. The key is tried at the provider, then held like a code."""

import time
from collections.abc import Mapping
from datetime import datetime

from connections.access.targets import Access, access_to
from connections.database.locks import lock_session
from connections.database.pool import release_database, short_transaction
from connections.journal import audit
from connections.lifecycle.connect.hold import Held, hold
from connections.lifecycle.connect.kept import Kept
from connections.lifecycle.connect.params import checked_params, chosen_app, params_of
from connections.lifecycle.connect.second_look import TYPED_PAUSES_SECONDS, look_again, probe_fresh
from connections.lifecycle.connect.session import check_browser, data_key_of
from connections.lifecycle.connect.trace import traced
from connections.lifecycle.health.incidents import note_refusal
from connections.lifecycle.throttle.bulkhead import bulkhead
from connections.models import ConnectSession, ProviderApp
from connections.models.failures import Failure
from connections.refusals import AppMisconfigured, InvalidRequest, ProviderDown, SessionUnusable
from providers.errors import (
    AddressRefused,
    ClientRejected,
    Evidence,
    FieldInvalid,
    GrantRejected,
    MisconfiguredProvider,
    ProviderError,
    ProviderUnavailable,
    TargetRefused,
)
from providers.values import Obtained, ProbeResult
from providers.vocabulary import ProbeVerdict


@traced("submit_secret")
def submit_secret(
    session: ConnectSession,
    app: ProviderApp,
    *,
    fields: Mapping[str, str],
    browser_secret: str | None,
    now: datetime,
    actor: audit.Actor,
) -> Held:
    """Try the typed key at the provider, and hold it if it works.

    ``session`` and ``app`` are as the caller has just read them for this browser (``own_session``, ``chosen_app``).
    ``fields`` holds the secret fields and the connection's parameters together, by name. Makes an HTTP call and holds
    no lock during it. Raises ``InvalidRequest`` naming the field to correct, ``ProviderDown``, ``AppMisconfigured`` and
    ``SessionUnusable``. The same page may be sent again after each of them but ``SessionUnusable``.
    """
    typed = checked_params(session, app, fields)
    session.typed_params = typed
    key = data_key_of(session)
    access = access_to(app, params_of(session, app), key=key)
    release_database()
    try:
        with bulkhead.place(*access.places(app, tenant_id=session.tenant_id)):
            obtained, probed = _try(access, fields)
    except FieldInvalid as error:
        raise InvalidRequest(error.evidence.detail, field=error.field) from None
    except GrantRejected:
        raise InvalidRequest(f"{access.target.entry.name} does not accept this. Check it and try again.") from None
    except AddressRefused as error:
        with short_transaction() as moment:
            note_refusal(app, error, party=access.party_id, now=moment)
        raise AppMisconfigured(error.evidence.detail) from None
    except (ClientRejected, MisconfiguredProvider, TargetRefused) as error:
        raise AppMisconfigured(error.evidence.detail) from None
    except ProviderError:
        raise ProviderDown(
            f"{access.target.entry.name} cannot be reached at the moment, so this could not be checked. Try again soon."
        ) from None
    with short_transaction():
        locked = lock_session(id=session.id)
        if locked is None:
            raise SessionUnusable(Failure.UNKNOWN)
        check_browser(locked, browser_secret, now=now)
        locked.provider_app = chosen_app(locked, app.id)
        locked.typed_params = typed
        kept = Kept.of(
            obtained,
            access.target,
            obtained_at=now,
            was_tried=True,
            account=probed.account if probed is not None else None,
            is_verified=probed is not None and probed.verdict is ProbeVerdict.ALIVE,
        )
        return hold(locked, kept.to_bytes(), key=key, browser_secret=browser_secret or "", now=now, actor=actor)


def _try(access: Access, fields: Mapping[str, str]) -> tuple[Obtained, ProbeResult | None]:
    """Return the credential that ``fields`` make, and the result of its probe (None where the provider has no probe).

    HTTP. A refused key is tried a second time after a moment: a key that the end user has just made may not have
    reached all the provider's servers yet. Raises ``ProviderError``.
    """
    began = time.monotonic()
    strategy, target = access.strategy, access.target
    obtained = look_again(lambda: strategy.accept(target, dict(fields)), pauses=TYPED_PAUSES_SECONDS, began=began)
    if not access.capabilities.probes:
        return obtained, None
    probed = probe_fresh(strategy, target, obtained.credential, pauses=TYPED_PAUSES_SECONDS, began=began)
    if probed.verdict is ProbeVerdict.UNAVAILABLE:
        raise ProviderUnavailable(Evidence(probed.detail, probed.status))
    return obtained, probed
