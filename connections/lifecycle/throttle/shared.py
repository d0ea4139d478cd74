"""Redis, which all processes share: one round trip for each script, and no harm where it is away.

No function here raises for Redis' sake, and none waits for it longer than a quarter of a second; after such a wait,
none waits again for a second.
"""

import time
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import redis
import structlog
from django.conf import settings
from redis.backoff import NoBackoff
from redis.commands.core import Script
from redis.retry import Retry

from connections.valkey import client_of

logger = structlog.get_logger(__name__)

TIMEOUT_SECONDS = 0.25
AWAY_SECONDS = 1.0

# Error codes of a Redis server that cannot run scripts now.
_SERVERS_FAULTS = ("MISCONF", "NOREPLICAS", "BUSY")


@dataclass(slots=True)
class _Line:
    """What this process knows about its connection to one Redis server."""

    away_until: float = 0.0
    is_away: bool = False


_lines: defaultdict[str, _Line] = defaultdict(_Line)  # by URL


def run_script(script: str, *arguments: object) -> Any:
    """Return the answer of ``script``. None with Redis away; this process then leaves Redis alone for a second."""
    line = _lines[settings.REDIS_URL]
    if time.monotonic() < line.away_until:
        return None
    try:
        answer = _script(settings.REDIS_URL, script)(args=[str(item) for item in arguments])
    except redis.ResponseError as error:
        if not _is_ours(error):
            return _away(line, error)
        # A fault in our Lua holds nothing back, and is logged each time until it is mended.
        logger.error("throttle_script_failed", error=str(error)[:200])
        return None
    except (redis.RedisError, OSError, ValueError) as error:
        return _away(line, error)
    line.is_away = False
    return answer


def _is_ours(error: redis.ResponseError) -> bool:
    """Whether our Lua is at fault, and not the server's memory, role or permissions, which have their own classes."""
    text = str(error)
    return type(error) is redis.ResponseError and "script" in text and not text.startswith(_SERVERS_FAULTS)


def _away(line: _Line, error: Exception) -> None:
    """Leave that Redis alone for a second. Log only the first time."""
    line.away_until = time.monotonic() + AWAY_SECONDS
    if not line.is_away:
        logger.warning("throttle_off", error=type(error).__name__)
    line.is_away = True


@lru_cache(maxsize=64)
def _script(url: str, text: str) -> Script:
    """Return a script, ready to be called at the Redis of ``url``. Opens no connection yet."""
    return _client(url).register_script(text)


@lru_cache(maxsize=4)
def _client(url: str) -> redis.Redis:
    return client_of(
        url,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
        client_name="latchkey-throttle",
    )
