"""The Celery tasks: each translates an id and makes one lifecycle call. Delivered twice, they do nothing twice."""

import uuid

from celery import shared_task
from celery.signals import worker_init, worker_process_init

from connections import dispatch
from connections.lifecycle import presence
from connections.lifecycle.clock import database_now
from connections.lifecycle.hold import discard_expired
from connections.lifecycle.incidents import close_quiet_incidents
from connections.lifecycle.probe import probe
from connections.lifecycle.recover import recover_unfinished
from connections.lifecycle.refresh import refresh
from connections.lifecycle.revoke import revoke
from connections.lifecycle.sweep import sweep_probes, sweep_refreshes, sweep_revocations


@worker_init.connect
@worker_process_init.connect
def show_presence(**_: object) -> None:
    """Hold the process's lock, and replay its spool, before the first task: in the worker, and in pool processes.

    Without a pool of processes there is only the first; with one, its own lock is a spare that no attempt refers to.
    """
    presence.start()


@shared_task(name=dispatch.REFRESH, ignore_result=True)
def refresh_connection(connection_id: str) -> None:
    """Refresh one connection, if it is still due."""
    refresh(uuid.UUID(connection_id), trigger="sweep")


@shared_task(name=dispatch.PROBE, ignore_result=True)
def probe_connection(connection_id: str) -> None:
    """Probe one connection, if it is still due."""
    probe(uuid.UUID(connection_id), trigger="sweep")


@shared_task(name=dispatch.REVOKE, ignore_result=True)
def revoke_connection(connection_id: str) -> None:
    """Revoke one connection at its provider, if that is still due."""
    revoke(uuid.UUID(connection_id))


@shared_task(name="connections.sweep_refreshes", ignore_result=True)
def sweep_due_refreshes() -> None:
    """Send a task for every refresh that is due."""
    sweep_refreshes(now=database_now())


@shared_task(name="connections.sweep_probes", ignore_result=True)
def sweep_due_probes() -> None:
    """Send a task for every probe that is due."""
    sweep_probes(now=database_now())


@shared_task(name="connections.sweep_revocations", ignore_result=True)
def sweep_due_revocations() -> None:
    """Send a task for every revocation that is due."""
    sweep_revocations(now=database_now())


@shared_task(name="connections.recover", ignore_result=True)
def recover() -> None:
    """Pick up the refreshes that did not end."""
    recover_unfinished(now=database_now())


@shared_task(name="connections.discard_expired", ignore_result=True)
def discard_expired_sessions() -> None:
    """Destroy what was held for connect sessions that nobody confirmed."""
    discard_expired(now=database_now())


@shared_task(name="connections.close_quiet_incidents", ignore_result=True)
def close_past_incidents() -> None:
    """Close the incidents that are over."""
    close_quiet_incidents(now=database_now())
