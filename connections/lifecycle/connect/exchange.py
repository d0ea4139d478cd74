"""Exchange: turn the grant of a confirmed session into a connection. This is the half that makes HTTP calls.

A code is exchanged once. The credential that comes back is stored in the session before any other call uses it: after a
crash, or while the provider cannot answer, the same confirmation goes on from there. Where the grant opens several
workspaces, the end user chooses one (``choose_workspace``). ``complete`` decides who may exchange what, ``activate``
makes the credential current, and ``exchange_failure`` handles failures.
"""

import secrets
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from http import HTTPStatus

from django.conf import settings

from connections.access.secrets import seal_for_session
from connections.access.targets import access_to
from connections.database.pool import release_database, short_transaction
from connections.journal import audit
from connections.lifecycle.connect.activate import Verified, activate, end_session
from connections.lifecycle.connect.begin_exchange import Exchange, lock_claimed
from connections.lifecycle.connect.exchange_failure import settle_failed_exchange
from connections.lifecycle.connect.kept import Choice, Kept
from connections.lifecycle.connect.second_look import ISSUED_PAUSES_SECONDS, look_again, probe_fresh
from connections.lifecycle.credentials.lifetime import with_known_lifetime
from connections.lifecycle.credentials.reread import read_answer
from connections.lifecycle.health.incidents import close_client_incident
from connections.lifecycle.throttle.bulkhead import bulkhead
from connections.models import Connection, ConnectSession
from connections.refusals import AccountMismatch, AppMisconfigured, Refusal
from providers.catalog.resolve import Target
from providers.errors import Evidence, IdentityMismatch, ProviderError, ProviderUnavailable
from providers.strategies.workspaces import Workspace, workspaces
from providers.values import Account, CodeGrant, ProbeResult
from providers.vocabulary import ProbeVerdict

KEPT_FOR = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class ChoiceDue:
    """The end user has to choose a workspace: send the browser that brought the completion code to ``continue_url``."""

    session_id: uuid.UUID
    token: str = field(repr=False)

    @property
    def continue_url(self) -> str:
        """The URL of the page of the choice. Its token works only in the browser that consented."""
        return f"{settings.WIDGET_URL}/connect/{self.session_id}/workspace?token={self.token}"


def exchange(work: Exchange, *, actor: audit.Actor) -> Connection | ChoiceDue:
    """Carry out the HTTP half of a claimed exchange, and activate the connection or say that a choice is due.

    Raises ``ExchangeFailed``, ``NoWorkspace``, ``AccountNotPermitted``, ``AccountMismatch`` and ``SessionUnusable``,
    after which the session keeps nothing; and ``ProviderDown`` and ``AppMisconfigured``, after which the same
    confirmation may be repeated until the hold expires (``held_until``). Blocks for the provider's answers; opens short
    transactions, none of which spans HTTP.
    """
    release_database()
    began = time.monotonic()
    kept = work.grant.kept
    try:
        with bulkhead.place(*work.access.places(work.app, tenant_id=work.tenant_id)):
            if kept is None:
                kept = _obtain(work)
            found = _verify(work, kept, began=began)
    except (ProviderError, AppMisconfigured) as error:
        raise settle_failed_exchange(work, kept, error, actor=actor) from None
    if isinstance(found, Verified):
        return activate(work, found, actor=actor)
    return _offer(work, found, actor=actor)


def _obtain(work: Exchange) -> Kept:
    """Exchange the code, and store the credential in the session. HTTP.

    Where an earlier answer could not be read, read that answer again by the entry of now and send nothing. Raises
    ``ProviderError`` and ``SessionUnusable``.
    """
    answer, code, asked = work.grant.answer, work.grant.code, work.grant.asked
    if answer is not None:
        obtained, obtained_at = read_answer(answer, work.access), answer.received_at
    elif code is None or asked is None:
        raise ValueError("There is no code to exchange.")
    else:
        grant = CodeGrant(code=code, kept=asked.kept, scopes=work.scopes)
        obtained, obtained_at = work.access.strategy.exchange_code(work.access.target, grant), work.started_at
    obtained = work.access.strategy.of_this_request(work.access.target, obtained, nonce=work.grant.nonce)
    kept = Kept.of(obtained, work.access.target, obtained_at=obtained_at)
    with short_transaction() as now:
        session = _lock_claimed(work)
        sealed = seal_for_session(session, "held", kept.to_bytes(), key=work.grant.key)
        session.keep(sealed, until=now + KEPT_FOR)
        close_client_incident(work.app, party=work.access.party_id, now=work.started_at)
    release_database()
    return kept


def _verify(work: Exchange, kept: Kept, *, began: float) -> Verified | tuple[Kept, tuple[Workspace, ...]]:
    """Prove the credential if the provider has a call for that, or return the workspaces to choose from. HTTP."""
    kept = replace(kept, obtained=with_known_lifetime(work.access, kept.obtained))
    workspace_params: Mapping[str, str] = {}
    target = work.access.target
    if target.lacks_workspace:
        chosen = kept.choice.chosen_params if kept.choice is not None else {}
        if not chosen:
            credential = kept.obtained.credential
            found = look_again(lambda: workspaces(target, credential), pauses=ISSUED_PAUSES_SECONDS, began=began)
            picked = _without_asking(work, found)
            if picked is None:
                return kept, found
            chosen = picked.params
        workspace_params = chosen
        target = access_to(work.app, {**work.params, **workspace_params}, client=work.client, key=work.grant.key).target
        release_database()
    elif kept.was_tried:
        return Verified(kept, kept.account, kept.obtained_at if kept.is_verified else None)
    if not work.access.capabilities.probes:
        return Verified(kept, _account_signed_for(work, target, kept), None, workspace_params)
    probed = probe_fresh(
        work.access.strategy, target, kept.obtained.credential, pauses=ISSUED_PAUSES_SECONDS, began=began
    )
    account = _account_agreed_on(work, target, kept, probed)
    if account is None and probed.verdict is ProbeVerdict.UNAVAILABLE and work.must_know_account and _is_outage(probed):
        raise ProviderUnavailable(
            Evidence(probed.detail, probed.status), retry_after_seconds=probed.retry_after_seconds
        )
    verified_at = work.started_at if probed.verdict is ProbeVerdict.ALIVE else None
    is_forbidden = probed.verdict is ProbeVerdict.FORBIDDEN
    return Verified(kept, account, verified_at, workspace_params, is_forbidden=is_forbidden)


def _account_agreed_on(work: Exchange, target: Target, kept: Kept, probed: ProbeResult) -> Account | None:
    """Return the account that the probe names, else the one that the provider's signed ID token names. HTTP.

    A userinfo about another account than the ID token's must not be used (OpenID Connect Core §5.3.2): its access token
    was put in the place of another. Raises ``IdentityMismatch``, and what ``_identified`` raises.
    """
    if probed.account is None:
        return _account_signed_for(work, target, kept)
    with suppress(ProviderUnavailable):
        signed_for = _account_signed_for(work, target, kept)
        if signed_for is not None and signed_for.id != probed.account.id:
            raise IdentityMismatch(Evidence("Userinfo and ID token name different accounts.", probed.status))
    return probed.account


def _account_signed_for(work: Exchange, target: Target, kept: Kept) -> Account | None:
    """Return the account that the provider's signed ID token names, or None. HTTP.

    Raises ``ProviderUnavailable`` where the account has to be known and the provider could not be reached.
    """
    try:
        return work.access.strategy.identify(target, kept.obtained, received_at=kept.obtained_at.timestamp())
    except ProviderError as error:
        if work.must_know_account and isinstance(error, ProviderUnavailable):
            raise
        return None


def _is_outage(probed: ProbeResult) -> bool:
    return probed.status is None or probed.status == HTTPStatus.TOO_MANY_REQUESTS or probed.status >= 500


def _without_asking(work: Exchange, found: tuple[Workspace, ...]) -> Workspace | None:
    """Return the workspace of the renewed connection, else the only one. None means that the end user has to choose."""
    if work.renewed_workspace:
        return next((item for item in found if item.id == work.renewed_workspace), None)
    return found[0] if len(found) == 1 else None


def _offer(work: Exchange, found: tuple[Kept, tuple[Workspace, ...]], *, actor: audit.Actor) -> ChoiceDue:
    """Offer the workspaces to the end user. Refuse if each of them would be a forbidden change of account."""
    kept, offered = found
    choice = Choice(offered, token=secrets.token_urlsafe(32), completion_code=work.completion_code)
    with short_transaction():
        session = _lock_claimed(work)
        refusal = _other_workspace() if work.must_keep_workspace else None
        if refusal is not None:
            end_session(session, refusal.code, actor=actor)
        else:
            session.offer_choice(
                seal_for_session(session, "held", replace(kept, choice=choice).to_bytes(), key=work.grant.key),
                until=_choosable_until(session, kept, now=work.started_at),
            )
            audit.record(
                "connect_session.choice_due",
                actor=actor,
                connection=session.connection,
                detail={"session": str(session.id), "workspaces": len(offered)},
            )
    if refusal is not None:
        raise refusal
    return ChoiceDue(session.id, choice.token)


def _other_workspace() -> AccountMismatch:
    return AccountMismatch(
        "The grant does not open the workspace that this connection is about; the connection is as it was. "
        "Make a session with allow_account_change to choose another one."
    )


def _choosable_until(session: ConnectSession, kept: Kept, *, now: datetime) -> datetime:
    """Return when the choice ends: with the access token at the latest, since an expired one cannot be tried."""
    until = session.kept_until or now + KEPT_FOR
    lifetime = kept.obtained.lifetime_seconds
    return until if lifetime is None else min(until, kept.obtained_at + timedelta(seconds=lifetime))


def _lock_claimed(work: Exchange) -> ConnectSession:
    session = lock_claimed(work)
    if isinstance(session, Refusal):
        raise session
    return session
