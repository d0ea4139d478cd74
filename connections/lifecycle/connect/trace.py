"""Trace: keep each step of a connect session for operators, failed ones too, with what was sent and what came back.

A session keeps at most ``MOST`` steps; they go with it. Nothing secret is in them (``providers.recording``). A trace
that cannot be written stops nobody from connecting.
"""

import functools
import time
import uuid
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

import structlog
from django.db import DatabaseError, connection

from connections.models import ConnectSession, ConnectStep
from connections.refusals import NotFound, Refusal, SessionUnusable
from providers.recording import recording

MOST = 40
DONE = "done"
_POLL = "poll_code"

_Given = ParamSpec("_Given")
_Answer = TypeVar("_Answer")
_Session = TypeVar("_Session", uuid.UUID, ConnectSession)

logger = structlog.get_logger(__name__)


def traced(
    step: str,
) -> Callable[[Callable[Concatenate[_Session, _Given], _Answer]], Callable[Concatenate[_Session, _Given], _Answer]]:
    """Decorate a use case whose first argument is the session or its id: keep how it went. One insert after it.

    Who names a session that is not theirs leaves nothing, and neither does a poll that had nobody to ask.
    """

    def decorate(
        act: Callable[Concatenate[_Session, _Given], _Answer],
    ) -> Callable[Concatenate[_Session, _Given], _Answer]:
        @functools.wraps(act)
        def tracing(session: _Session, /, *args: _Given.args, **kwargs: _Given.kwargs) -> _Answer:
            session_id = session.id if isinstance(session, ConnectSession) else session
            began, outcome = time.monotonic(), DONE
            with recording() as exchanges:
                try:
                    return act(session, *args, **kwargs)
                except NotFound:
                    outcome = ""
                    raise
                except SessionUnusable as refusal:
                    outcome = str(refusal.failure)
                    raise
                except Refusal as refusal:
                    outcome = refusal.code
                    raise
                except Exception:
                    outcome = "failed"
                    raise
                finally:
                    if outcome and (exchanges or step != _POLL):
                        note_step(session_id, step, outcome=outcome, exchanges=exchanges, began=began)

        return tracing

    return decorate


def note_step(
    session_id: uuid.UUID, step: str, *, outcome: str, exchanges: list[dict[str, Any]], began: float | None = None
) -> None:
    """Write one step, unless the session has too many or is gone. A query and an insert; never raises for these."""
    if connection.in_atomic_block:
        return  # whatever is written here may be taken back
    milliseconds = 0 if began is None else int((time.monotonic() - began) * 1000)
    try:
        if ConnectStep.objects.filter(session_id=session_id).count() < MOST:
            ConnectStep.objects.create(
                session_id=session_id,
                step=step,
                outcome=outcome[:60],
                milliseconds=milliseconds,
                exchanges=exchanges,
            )
    except DatabaseError as error:
        logger.warning("connect_step_not_kept", session=str(session_id), step=step, error=type(error).__name__)
