"""The Celery tasks: each parses ids and makes one lifecycle call for each id.

A message may arrive twice. That is harmless: a refresh that is no longer due does nothing, and a second probe or
revocation changes nothing.
"""

import time
import uuid
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress

from celery import shared_task
from celery.signals import worker_init, worker_process_init
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import Error

from connections.access.secrets import hold_keks
from connections.database.clock import database_now
from connections.database.pool import release_database, replace_broken_connections
from connections.dispatch import Task
from connections.journal.sealing import seal_settled
from connections.journal.verifications import continue_verifications
from connections.lifecycle.connect.burn import forget_burnt
from connections.lifecycle.connect.hold import discard_expired
from connections.lifecycle.credentials.reread import reread_changed
from connections.lifecycle.end.delete_tenant import delete_ordered
from connections.lifecycle.end.offboard import continue_ordered
from connections.lifecycle.end.revoke import revoke
from connections.lifecycle.figures import take_figures
from connections.lifecycle.forecast.digest import write_digest
from connections.lifecycle.forecast.foretell import foretell
from connections.lifecycle.health.attend import attend_incidents
from connections.lifecycle.health.expire import end_expired
from connections.lifecycle.health.undecryptable import retry_undecryptable
from connections.lifecycle.housekeeping import sweep_old
from connections.lifecycle.notices.send import send_due
from connections.lifecycle.port.go_on import continue_imports
from connections.lifecycle.probe.probe import probe
from connections.lifecycle.provision.client_secrets import end_others
from connections.lifecycle.provision.domains import look_again
from connections.lifecycle.provision.secret_sources import look_due
from connections.lifecycle.pushes.act import act, send_waiting
from connections.lifecycle.quarantine.lost import end_lost
from connections.lifecycle.quarantine.pulse import beat
from connections.lifecycle.quarantine.sort import sort_held
from connections.lifecycle.refresh import presence
from connections.lifecycle.refresh.claim_query import AppRow, find_apps
from connections.lifecycle.refresh.recover import recover_unfinished
from connections.lifecycle.refresh.refresh import refresh
from connections.lifecycle.refresh.together import refresh_together
from connections.lifecycle.registration.renew import end_unused, renew_due
from connections.lifecycle.steer.bulk import continue_bulk
from connections.lifecycle.sweep import sweep_probes, sweep_refreshes, sweep_revocations
from connections.lifecycle.watch.look import watch_use
from connections.lifecycle.webhooks.attend import sweep_webhooks
from connections.lifecycle.webhooks.deliver import deliver
from connections.models import Trigger

# A task begins no further connection after this time; a sweep sends the rest again once their marks have passed. So no
# task runs as long as the broker's visibility timeout, after which the broker would deliver the message again.
BEGIN_WITHIN_SECONDS = 30.0
# For this part of the time between two beats a sweep may go on.
SWEEP_SHARE = 0.9
SEAL_SECONDS = 12.0
WATCH_SECONDS = 5.0


@worker_init.connect
@worker_process_init.connect
def show_presence(**_: object) -> None:
    """Hold the keys, take the process's lock and replay its spool: in the worker and in its pool processes, first.

    Without a process pool only the worker itself runs tasks. With a pool, no attempt refers to the worker's own lock.
    Before the first task, look whether the database was put back since: tasks may wait in the queue from before.
    """
    try:
        hold_keks(waits_seconds=30)
    except ImproperlyConfigured as error:
        raise SystemExit(str(error)) from None  # Celery would only log anything less, and go on
    presence.start(presence.WORKER)
    with suppress(Error):  # the database is away: the first sweep looks
        beat(now=database_now())
    release_database()


@shared_task(name=Task.REFRESH, ignore_result=True)
def refresh_connections(*connection_ids: str) -> None:
    """Refresh these connections, those that are still due; those of one provider app at the same time."""
    begin_by = time.monotonic() + BEGIN_WITHIN_SECONDS
    try:
        apps = find_apps(*map(uuid.UUID, connection_ids))
    except (ValueError, Error):  # each is looked for on its own, so that one failure does not stop the others
        release_database()
        replace_broken_connections()
        _each(connection_ids, lambda connection_id: refresh(connection_id, trigger=Trigger.SWEEP))
        return
    release_database()
    groups: defaultdict[uuid.UUID, list[AppRow]] = defaultdict(list)
    for row in apps.values():
        groups[row.id].append(row)
    failures = [failure for rows in groups.values() for failure in refresh_together(rows, begin_by=begin_by)]
    if failures:
        raise ExceptionGroup("A task failed.", failures)


@shared_task(name=Task.PROBE, ignore_result=True)
def probe_connections(*connection_ids: str) -> None:
    """Probe these connections, those that are still in use."""
    _each(connection_ids, lambda connection_id: probe(connection_id, trigger=Trigger.SWEEP))


@shared_task(name=Task.REVOKE, ignore_result=True)
def revoke_connections(*connection_ids: str) -> None:
    """Revoke these connections at their provider, those whose revocation is still due."""
    _each(connection_ids, revoke)


def _each(connection_ids: tuple[str, ...], act: Callable[[uuid.UUID], object]) -> None:
    """Call ``act`` with each id in turn; one failure does not stop the others. Begins none after 30 s.

    Raises ``ExceptionGroup`` at the end, with every failure.
    """
    begun_by = time.monotonic() + BEGIN_WITHIN_SECONDS
    failures = []
    for connection_id in connection_ids:
        if time.monotonic() > begun_by:
            break
        try:
            act(uuid.UUID(connection_id))
        except Exception as failure:  # noqa: BLE001 (all failures are raised together below)
            failures.append(failure)
            # The database connection itself may be broken: the next call must get a fresh one.
            release_database()
            replace_broken_connections()
    if failures:
        raise ExceptionGroup("A task failed.", failures)


@shared_task(name=Task.DELIVER, ignore_result=True)
def deliver_to_endpoint(*endpoint_ids: str) -> None:
    """Deliver what waits for these webhook endpoints."""
    _each(endpoint_ids, deliver)


@shared_task(name=Task.ACT_ON_PUSH, ignore_result=True)
def act_on_pushes(*push_ids: str) -> None:
    """Do what these received pushes order."""
    _each(push_ids, act)


@shared_task(name=Task.SWEEP_PUSHES, ignore_result=True)
def sweep_waiting_pushes() -> None:
    """Send the received pushes whose task was lost."""
    send_waiting(now=database_now())


@shared_task(name=Task.SWEEP_REFRESHES, ignore_result=True)
def sweep_due_refreshes() -> None:
    """Send the refreshes that are due, as the workers take them up, until the next beat is near.

    None where the database was put back, until it is known which of them are safe.
    """
    beat(now=database_now())
    sort_held(now=database_now())
    sweep_refreshes(now=database_now(), seconds=SWEEP_SHARE * settings.SWEEP_SECONDS)


@shared_task(name=Task.SWEEP_PROBES, ignore_result=True)
def sweep_due_probes() -> None:
    """Send the probes that are due, as the workers take them up, until the next beat is near."""
    sweep_probes(now=database_now(), seconds=SWEEP_SHARE * settings.SWEEP_SECONDS)


@shared_task(name=Task.SWEEP_REVOCATIONS, ignore_result=True)
def sweep_due_revocations() -> None:
    """Send the revocations that are due, as the workers take them up, until the next beat is near."""
    sweep_revocations(now=database_now(), seconds=SWEEP_SHARE * settings.SWEEP_SECONDS)


@shared_task(name=Task.RECOVER, ignore_result=True)
def recover() -> None:
    """Recover the refreshes whose process died or stopped."""
    recover_unfinished(now=database_now())


@shared_task(name=Task.REREAD_CHANGED, ignore_result=True)
def reread_changed_answers() -> None:
    """Read the kept answers that a mended catalogue entry has made readable."""
    reread_changed()


@shared_task(name=Task.DISCARD_EXPIRED, ignore_result=True)
def discard_expired_sessions() -> None:
    """Destroy the credentials held for connect sessions that nobody confirmed, and delete expired burnt codes."""
    discard_expired(now=database_now())
    forget_burnt(now=database_now())


@shared_task(name=Task.END_EXPIRED, ignore_result=True)
def end_expired_connections() -> None:
    """End the connections whose credential has expired and cannot be refreshed, or whose refresh token is lost."""
    end_expired(now=database_now())
    end_lost(now=database_now())


@shared_task(name=Task.SWEEP_WEBHOOKS, ignore_result=True)
def sweep_waiting_webhooks() -> None:
    """Send the webhook endpoints that have something to deliver to the workers."""
    sweep_webhooks(now=database_now())


@shared_task(name=Task.SEND_NOTICES, ignore_result=True)
def send_due_notices() -> None:
    """Mail the notices that are due."""
    send_due()


@shared_task(name=Task.SWEEP_OLD, ignore_result=True)
def sweep_old_rows() -> None:
    """Delete the rows that are past their retention time, and the client secrets whose end has come."""
    sweep_old(now=database_now())
    end_others(now=database_now())


@shared_task(name=Task.TAKE_FIGURES, ignore_result=True)
def take_current_figures() -> None:
    """Count what the first page of the admin shows."""
    take_figures(now=database_now())


@shared_task(name=Task.DELETE_TENANTS, ignore_result=True)
def delete_ordered_tenants() -> None:
    """Continue the tenant deletions that operators ordered."""
    delete_ordered(now=database_now())


@shared_task(name=Task.OFFBOARD_END_USERS, ignore_result=True)
def offboard_end_users() -> None:
    """Continue the offboardings of end users."""
    continue_ordered(now=database_now())


@shared_task(name=Task.ATTEND_INCIDENTS, ignore_result=True)
def attend_all_incidents() -> None:
    """Look at the incidents: what they come from, and whether they are over."""
    attend_incidents(now=database_now())


@shared_task(name=Task.CONTINUE_IMPORTS, ignore_result=True)
def continue_ordered_imports() -> None:
    """Continue the imports that came over the API."""
    continue_imports(now=database_now())


@shared_task(name=Task.CONTINUE_BULK, ignore_result=True)
def continue_bulk_jobs() -> None:
    """Go on with what operators have ordered for many connections."""
    continue_bulk(now=database_now())


@shared_task(name=Task.SEAL_AUDIT, ignore_result=True)
def seal_audit_trail() -> None:
    """Seal the audit rows that have settled."""
    seal_settled(seconds=SEAL_SECONDS)


@shared_task(name=Task.WATCH_USE, ignore_result=True)
def watch_use_of_clients() -> None:
    """Watch what API clients have done since the last time."""
    watch_use(now=database_now(), seconds=WATCH_SECONDS)


@shared_task(name=Task.VERIFY_AUDIT, ignore_result=True)
def verify_audit_trail() -> None:
    """Go on with the verifications of the audit trail that are under way, and begin the day's."""
    continue_verifications(now=database_now())


@shared_task(name=Task.RETRY_UNDECRYPTABLE, ignore_result=True)
def retry_undecryptable_credentials() -> None:
    """Try undecryptable credentials again, and mark those that open."""
    retry_undecryptable(now=database_now())


@shared_task(name=Task.FORETELL, ignore_result=True)
def foretell_endings() -> None:
    """Warn of the connections that will end soon, and write the notice of the day."""
    now = database_now()
    foretell(now=now)
    write_digest(now=now)


@shared_task(name=Task.LOOK_AT_DOMAINS, ignore_result=True)
def look_at_domains() -> None:
    """Look at the tenants' domains again, those whose turn it is."""
    look_again(now=database_now())


@shared_task(name=Task.READ_CLIENT_SECRETS, ignore_result=True)
def read_client_secrets() -> None:
    """Read the client secrets whose turn it is from where the operator keeps them."""
    look_due(now=database_now(), seconds=BEGIN_WITHIN_SECONDS)


@shared_task(name=Task.RENEW_REGISTRATIONS, ignore_result=True)
def renew_registrations() -> None:
    """Renew the registrations whose secrets end soon, and end those that nobody uses any more."""
    try:
        renew_due(now=database_now())
    finally:
        end_unused()
