"""Client secrets that are read from where the operator keeps them, again and again, so that a change needs nobody here.

What was read last is sealed like any client secret, so no refresh waits for a vault, all processes agree, and a vault
that is away stops nothing. A changed secret is preferred from then on, and those before it are tried beside it for a
week: at some moment the provider knows only one of the two. A tenant never says where a secret is (the entrances let
operators alone), and what is read goes to nobody but the party for which the app's secrets are sealed.
"""

import time
import uuid
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from connections.access.secrets import open_registration, seal_client_secrets
from connections.access.targets import registrar_of
from connections.database.pool import release_database, short_transaction
from connections.journal import audit, events, notices
from connections.journal.event_types import EventType
from connections.lifecycle.provision.check_app import check_client_secrets, check_kept_secrets
from connections.lifecycle.provision.provider_apps import DEFAULT_OVERLAP, check_source_of, kept_beside, record_source
from connections.lifecycle.provision.read_source import OF_FILES, SourceRead, next_look, read_source
from connections.models import ProviderApp
from connections.models.provider_app import NO_SOURCE
from connections.refusals import AppMisconfigured, Busy, InvalidRequest
from connections.vault.sealing import Unreadable

# For longer than any look takes. A process that died while it looked has lost nothing: the secret is where it was.
_LEASE = timedelta(seconds=60)
_LONG = timedelta(minutes=15)
_A_RUN = 200

_NOTICE = """The client secret of the provider app {app} ({provider}) cannot be read since {since:%Y-%m-%d %H:%M} UTC.

Where it is read: {source}
Why it cannot be: {problem}

What it means: nothing has stopped. The secret that was read last is in use; but if it is changed now, where it is kept
or at the provider, Latchkey does not learn of it, and the provider will refuse its requests.

What to do: mend what the sentence above says, or have the app's secret read from elsewhere. `manage.py doctor` reads it
once more, and says what is wrong. The app: {page}
"""

logger = structlog.get_logger(__name__)


def set_source(app: ProviderApp, reference: str, *, actor: audit.Actor) -> bool:
    """Have the preferred client secret of ``app`` read from ``reference``, now and whenever it changes; False if it is.

    Reads it first (HTTP), so no transaction may be open. The secrets before it stay for a week. One transaction with an
    audit row. Raises ``InvalidRequest``, and ``Busy`` where somebody else changes the app.
    """
    check_source_of(app)
    source = read_source(reference)
    check_client_secrets([source.secret])
    before = app.secret_source
    with short_transaction() as now:
        is_new = _take(app, source, registrar=registrar_of(app), unchanged=Q(), now=now)
        if is_new is None:
            raise Busy("Somebody else is changing this app at the moment: ask again.", retry_after_seconds=1)
        app.refresh_from_db()
        if app.secret_source != before:
            record_source(app, actor=actor)
        if is_new:
            _tell(app, actor=actor)
    return is_new or app.secret_source != before


def leave_source(app: ProviderApp, *, actor: audit.Actor) -> bool:
    """Have the client secret of ``app`` read from nowhere any more: what was read last stays. False if it is so.

    One transaction with an audit row.
    """
    with transaction.atomic():
        sourced = ProviderApp.objects.filter(id=app.id).exclude(secret_source="")
        done = sourced.update(**NO_SOURCE, updated_at=timezone.now())
        app.refresh_from_db()
        if done:
            record_source(app, actor=actor)
    return bool(done)


def look_due(*, now: datetime, seconds: float) -> int:
    """Read the sources whose turn it is, files first; begin none after ``seconds``. Return how many were. HTTP.

    One that fails in a way that nobody foresaw does not stop the others: all such failures are raised at the end, as
    ``ExceptionGroup``.
    """
    begin_by = time.monotonic() + seconds
    due = ProviderApp.objects.filter(_is_free(now), secret_look_at__lte=now).order_by("secret_look_at")
    ids, in_files = due.values_list("id", flat=True), Q(secret_source__startswith=OF_FILES)
    done, failures = 0, []
    for app_id in [*ids.filter(in_files)[:_A_RUN], *ids.exclude(in_files)[:_A_RUN]]:
        if time.monotonic() > begin_by:
            break
        try:
            done += look(app_id, actor=audit.SYSTEM)
        except Exception as failure:  # noqa: BLE001 (all failures are raised together below)
            failures.append(failure)
            release_database()
    if failures:
        raise ExceptionGroup("Client secrets could not be looked at.", failures)
    return done


def look(app_id: uuid.UUID, *, actor: audit.Actor) -> bool:
    """Read the source of one app, and take what is new. HTTP between two short transactions. False if another does.

    Nobody else reads it meanwhile. What cannot be read leaves everything as it was, with the reason noted.
    """
    with short_transaction() as now:
        until = now + _LEASE
        sourced = ProviderApp.objects.filter(_is_free(now), id=app_id, secret_look_at__isnull=False)
        if not sourced.update(secret_claimed_until=until):
            return False
    app = ProviderApp.objects.filter(id=app_id).first()
    if app is None:
        return False
    ours = Q(secret_source=app.secret_source, secret_claimed_until=until)
    try:
        source = read_source(app.secret_source)
        check_client_secrets([source.secret])
        check_kept_secrets(app)
        registrar = open_registration(app).registrar  # of those that were there: it goes nowhere else
    except (InvalidRequest, AppMisconfigured) as refusal:
        _note_failure(app, refusal.detail, ours=ours)
        return True
    with short_transaction() as now:
        is_new = _take(app, source, registrar=registrar, unchanged=ours, now=now)
        if is_new is None:  # somebody has changed the app meanwhile: it is read once more, for the app as it is then
            ProviderApp.objects.filter(ours, id=app.id).update(secret_claimed_until=None, secret_look_at=now)
        elif is_new:
            _tell(app, actor=actor)
    if app.secret_failing_since is not None:
        logger.info("client_secret_read_again", provider_app=str(app.id))
    return True


def _is_free(now: datetime) -> Q:
    return Q(secret_claimed_until=None) | Q(secret_claimed_until__lte=now)


def _take(app: ProviderApp, source: SourceRead, *, registrar: str, unchanged: Q, now: datetime) -> bool | None:
    """Store what was read of ``app``. Return whether it is another secret; None where the app is not as it was read.

    In the caller's transaction. ``registrar`` is the party for which it is sealed.
    """
    rest = kept_beside(app, source.secret, registrar=registrar)
    is_new = not _prefers(app, source.secret, registrar=registrar)
    values: dict[str, object] = {
        "secret_source": source.reference,
        "secret_read_at": now,
        "secret_look_at": next_look(source.reference, now=now),
        "secret_claimed_until": None,
        "secret_failing_since": None,
        "secret_problem": "",
    }
    if is_new:
        values |= {
            "secrets": seal_client_secrets(app, [source.secret, *rest], registrar=registrar),
            "secrets_changed_at": now,
            "secret_expires_at": None,  # it was said of the one before
            "other_secrets_end_at": now + DEFAULT_OVERLAP if rest else None,
            "updated_at": timezone.now(),
        }
    taken = ProviderApp.objects.filter(unchanged, id=app.id, updated_at=app.updated_at).update(**values)
    return is_new if taken else None


def _prefers(app: ProviderApp, secret: str, *, registrar: str) -> bool:
    """Whether ``secret`` is the first of the stored ones, for the party ``registrar``."""
    try:
        stored = open_registration(app)
    except Unreadable:
        return False
    return stored.registrar == registrar and stored.secrets[0].get_secret_value() == secret


def _tell(app: ProviderApp, *, actor: audit.Actor) -> None:
    named = {"provider_app": str(app.id), "provider": app.provider}
    audit.record("provider_app.secret_read", actor=actor, tenant_id=app.tenant_id, detail=named)
    events.emit_of_tenant(EventType.CLIENT_SECRET_READ, app.tenant_id, payload=named)


def _note_failure(app: ProviderApp, problem: str, *, ours: Q) -> None:
    """Note why the source cannot be read, and tell the operator's people once if that lasts. One transaction."""
    with short_transaction() as now:
        since = app.secret_failing_since or now
        noted = ProviderApp.objects.filter(ours, id=app.id).update(
            secret_look_at=next_look(app.secret_source, now=now),
            secret_claimed_until=None,
            secret_failing_since=since,
            secret_problem=problem[:300],
        )
        if noted and now - since >= _LONG:
            body = _NOTICE.format(
                app=app.name,
                provider=app.provider,
                since=since,
                source=app.secret_source,
                problem=problem,
                page=notices.admin_page(app),
            )
            cause = f"client_secret.unread:{app.id}:{since:%Y-%m-%dT%H:%M:%S}"
            notices.tell(cause, f"The client secret of {app.name} cannot be read", body, now=now)
    if app.secret_failing_since is None:
        logger.warning("client_secret_unread", provider_app=str(app.id), problem=problem)
