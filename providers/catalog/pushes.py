"""What an entry says of pushes: what the provider sends us by itself, how it proves that, and what it means.

``providers.pushes`` verifies and reads a push by this.
"""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from providers.catalog.fields import ParamName, Shape

HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,60}$")]
HEADER = "header:"


class PushEvent(Shape):
    """One type of event that is about the grant itself. All other types are passed on to whoever wants them.

    ``ended``: the grant is gone. ``doubtful``: the provider is asked at once, and its answer decides. The event counts
    only if there is something at ``needs``. ``account`` takes the place of the section's; with
    ``reaches = "beginning"`` it is the first part of an account id that has several.
    """

    type: str
    means: Literal["ended", "doubtful"] = "ended"
    needs: str = ""
    account: str = ""
    reaches: Literal["account", "beginning"] = "account"


class PushChallenge(Shape):
    """A question by which the provider finds out whether the address is ours: answered, and about nobody.

    It is an event of the ``type``, verified like any other, or, unverified, whatever has the parameter ``query``. The
    answer is ``value``, as plain text; with ``members`` a JSON object, in which ``{value}`` stands for it and
    ``{signature}`` for its signature by the push secret.
    """

    type: str = ""
    query: str = ""
    value: str = ""
    members: dict[str, str] = Field(default_factory=dict)


class PushRules(Shape):
    """How a push is verified, read and answered.

    ``scheme`` says what proves it. For ``hmac`` and ``ed25519`` that is the header ``signature``, a signature of what
    ``signed`` describes: ``{body}``, ``{timestamp}``, ``{method}``, ``{id}`` (the header of ``id``) and ``{url}``, the
    address as it was registered. The header may be a list of ``name=value`` of which ``signature_member`` is one, and
    ``timestamp_member`` another. For ``security_event_token`` it is a key of ``issuer``, at ``jwks_url``, and that the
    token is meant for our client id (RFC 8417, RFC 8935). For ``signed_request`` it is the signature in a form, as
    Meta's callbacks have it: its one event has the ``type`` "signed_request", and what was signed as ``request``. For
    ``shared_secret`` each event has it at ``secret_at``: that proves no more than that somebody knows it, so nothing
    ends by it.

    ``key`` says with what: the app's push secret, or its client secret. A push is refused if its ``timestamp`` is more
    than ``max_age_seconds`` from now; without a timestamp in what is signed, only repetitions are noticed.

    A body may be a list of events, or hold one at ``items``. Pointers lead into one event; where it says so, also
    ``header:NAME``. ``type`` may be several, which are joined with points, but for those that are not there.
    ``account`` is made like that of ``Probe``, where lists stand for each of their items, and of it only the group of
    ``account_pattern`` counts. It is compared with the account of a connection, or with its parameter
    ``account_param``.
    """

    scheme: Literal["hmac", "ed25519", "security_event_token", "signed_request", "shared_secret"]
    key: Literal["push_secret", "client_secret", "none"] = "push_secret"
    secret_label: str = "Signing secret"  # noqa: S105 - no password
    steps: tuple[str, ...] = ()

    signature: HeaderName | None = None
    signature_prefix: str = ""
    signature_member: str = ""
    hash: Literal["sha256", "sha1"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    signed: str = "{body}"
    timestamp: HeaderName | None = None
    timestamp_member: str = ""
    timestamp_unit: Literal["s", "ms", "text"] = "s"
    max_age_seconds: int = Field(default=300, ge=30, le=30 * 86_400)
    issuer: str = ""
    jwks_url: str = ""
    secret_at: str = ""

    items: str = ""
    type: tuple[str, ...] = ("/type",)
    id: str = ""
    occurred_at: str = ""
    occurred_unit: Literal["s", "ms", "text"] = "s"
    account: str = ""
    account_pattern: str = ""
    account_param: ParamName | None = None
    challenges: tuple[PushChallenge, ...] = ()
    events: tuple[PushEvent, ...] = ()
    success_status: Literal[200, 202, 204] = 200

    @property
    def is_dated(self) -> bool:
        """Whether what is signed says when, so that a push which is kept and sent later is known by its age."""
        return self.scheme in ("security_event_token", "signed_request") or "{timestamp}" in self.signed
