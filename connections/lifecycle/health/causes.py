"""Causes: what an incident probably comes from, and how an operator is told. Pure functions of what was counted."""

from dataclasses import asdict, dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from connections.models import IncidentCause, IncidentKind

# Of the connections that were tried, so many are as good as all: one may be refreshed by a server that lags behind.
NEARLY_ALL = 0.9
# So many provider apps fail at once without that a request leaves: it is not each of these providers.
APPS_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider answered to refreshes: to how many connections, with which status and error code.

    ``status`` None is no answer; ``sent`` False means that no byte had left.
    """

    error: str
    status: int | None
    code: str
    sent: bool
    connections: int

    @property
    def words(self) -> str:
        """The answer in a few words."""
        said = f"{self.status} {self.code}".strip() if self.status is not None else "no answer"
        return f"{said if self.sent else 'not reached'}: {self.connections}"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is counted of a provider app: of the last ten minutes, or since the first refusal if that was later.

    ``live``, ``failing``, ``tried`` and ``succeeded`` count connections. ``host`` is the one that is asked, "" if each
    connection has its own. ``unsent_apps``: how many provider apps fail without that a request leaves. ``secret_since``
    is when the client secret was last changed, ``last_success_at`` when a token request last succeeded; None: unknown.
    """

    host: str = ""
    live: int = 0
    failing: int = 0
    tried: int = 0
    succeeded: int = 0
    answers: tuple[Answer, ...] = ()
    unsent_apps: int = 0
    has_secret: bool = False
    secret_since: datetime | None = None
    last_success_at: datetime | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the facts, JSON-ready: ``answers`` in words, moments in ISO 8601."""
        moments = {
            name: at.isoformat() if at else None
            for name, at in (("secret_since", self.secret_since), ("last_success_at", self.last_success_at))
        }
        return asdict(self) | moments | {"answers": [answer.words for answer in self.answers]}


@dataclass(frozen=True, slots=True)
class Explanation:
    """A cause in three sentences: what is so, what that means for connections, what to do about it."""

    what: str
    means: str
    to_do: str


def probable_cause(kind: IncidentKind, facts: Facts) -> IncidentCause:
    """Return what an incident of ``kind`` probably comes from."""
    if kind == IncidentKind.ADDRESS_REFUSED:
        return IncidentCause.ADDRESS_NOT_LISTED
    if kind == IncidentKind.CLIENT_REJECTED:
        return _of_client(facts)
    if kind == IncidentKind.UNAVAILABLE:
        return _of_silence(facts)
    refused = sum(answer.connections for answer in facts.answers if answer.error == "grant_rejected")
    others = sum(answer.connections for answer in facts.answers if answer.error == "request_rejected")
    if others > refused:
        return IncidentCause.REQUESTS_REFUSED
    if not facts.succeeded or facts.failing >= NEARLY_ALL * max(facts.tried, 1):
        return IncidentCause.APP_GONE
    return IncidentCause.GRANTS_ENDED


def _of_client(facts: Facts) -> IncidentCause:
    """Tell a secret that never worked from one that did until lately."""
    worked = facts.last_success_at and (facts.secret_since is None or facts.last_success_at > facts.secret_since)
    return IncidentCause.WRONG_SECRET if facts.has_secret and not worked else IncidentCause.CLIENT_ENDED


def _of_silence(facts: Facts) -> IncidentCause:
    unsent = sum(answer.connections for answer in facts.answers if not answer.sent)
    limited = sum(answer.connections for answer in facts.answers if answer.status == HTTPStatus.TOO_MANY_REQUESTS)
    silent = sum(answer.connections for answer in facts.answers) - unsent - limited
    if limited > max(unsent, silent):
        return IncidentCause.RATE_LIMITED
    if unsent <= silent:
        return IncidentCause.OUTAGE
    return IncidentCause.OUR_EGRESS if facts.unsent_apps >= APPS_AT_ONCE else IncidentCause.UNREACHABLE


def explain(cause: str, *, app: str, provider: str, at: str, facts: dict[str, Any]) -> Explanation:
    """Return what operators are told of ``cause``. ``facts`` are those of ``Facts.as_dict``, or {} for none.

    ``app`` and ``provider`` are names; ``at`` is the host of the party, if it concerns one alone.
    """
    host = at or facts.get("host") or provider
    failing, live = facts.get("failing", 0), facts.get("live", 0)
    answers = ", ".join(facts.get("answers", ())) or "none yet"
    since = _moment(facts.get("secret_since"))
    worked = _moment(facts.get("last_success_at"))
    frozen = f"No connection is downgraded for it: {failing} of {live} fail, and are tried again."
    paused = "Refreshes are held back but for a trial now and then. Valid access tokens are vended until they run out."
    match cause:
        case IncidentCause.WRONG_SECRET:
            return Explanation(
                f"{host} refuses the client id or the client secret of the provider app “{app}”"
                f"{f', since the secret was changed at {since}' if since else ''}.",
                paused,
                f"Compare client id and client secret of “{app}” with those at {provider}, and enter the right secret.",
            )
        case IncidentCause.CLIENT_ENDED:
            return Explanation(
                f"{host} refuses the client of the provider app “{app}”, which worked until {worked or 'lately'}: its "
                "secret or key has ended there, or the app was deleted or disabled.",
                paused,
                f"Look the app up at {provider}. Make a new client secret there and enter it, or enable the app again.",
            )
        case IncidentCause.APP_GONE:
            return Explanation(
                f"{host} refuses the grants of all connections of the provider app “{app}” at once. Most likely the "
                "app was deleted or disabled there.",
                frozen,
                f"Look the app up at {provider} and enable it again. If it is gone for good, register anew and have "
                "the end users connect once more; then close the incident.",
            )
        case IncidentCause.GRANTS_ENDED:
            return Explanation(
                f"{host} refuses many grants of the provider app “{app}” at once, and accepts others: an administrator "
                "or a policy there may have ended them.",
                frozen,
                "If the end users are to connect once more, close the incident: each is then judged by itself.",
            )
        case IncidentCause.REQUESTS_REFUSED:
            return Explanation(
                f"{host} refuses our token requests for “{app}”, and blames neither the grants nor the client "
                f"({answers}).",
                frozen,
                f"Look for a change at {provider} (parameters, scopes, endpoints), and mend the catalogue entry or "
                "the app's parameters.",
            )
        case IncidentCause.OUTAGE:
            return Explanation(
                f"{host} is down: it answers refreshes for “{app}” with errors of its own, or not at all ({answers}).",
                frozen,
                f"Wait, and look at {provider}'s status page. Nothing has to be done here when it is back.",
            )
        case IncidentCause.UNREACHABLE:
            return Explanation(
                f"{host} is not reached for “{app}”: its name is not found, or no connection comes about ({answers}).",
                frozen,
                "Look whether the host of the entry is right, and whether a firewall or proxy of yours stops calls "
                "there; else wait for the provider.",
            )
        case IncidentCause.OUR_EGRESS:
            return Explanation(
                f"Our calls do not get out: for {facts.get('unsent_apps', 0)} provider apps, “{app}” at {host} among "
                "them, no host is reached.",
                frozen,
                "Look at this installation's network: name service, firewall, and the proxy of EGRESS_PROXY_URL.",
            )
        case IncidentCause.RATE_LIMITED:
            return Explanation(
                f"{host} says that “{app}” calls too often (429).",
                frozen,
                "Latchkey waits as long as it is told to. If that goes on, set a budget in the catalogue entry "
                f"(requests_per_minute), or ask {provider} for a higher limit.",
            )
        case IncidentCause.ADDRESS_NOT_LISTED:
            return Explanation(
                f"{host} takes no calls for “{app}” from our addresses.",
                "No connection is downgraded for it. Calls from an address that is listed there go on.",
                "List the addresses of `manage.py egress addresses` at the provider.",
            )
        case _:
            return Explanation(f"{host} fails connections of “{app}”.", frozen, "Look at the evidence.")


def _moment(written: object) -> str:
    return f"{datetime.fromisoformat(written):%Y-%m-%d %H:%M} UTC" if isinstance(written, str) else ""
