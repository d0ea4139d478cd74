"""The questions about a vendor's dialect: a file to fill in from the vendor's documentation, and nothing else.

Nothing in it is taken from the entry but the kind of its life: a dialect that is made from the entry proves nothing.
"""

from collections.abc import Mapping, Sequence

from providers.dialects.fixture import STYLES

_CLIENTS = frozenset({"code", "machine", "device", "password", "exchange"})
_TOKENS = _CLIENTS | {"login", "assertion", "saml"}
_RENEWED = frozenset({"code", "device", "password"})
_ALL = frozenset(STYLES)

# The kinds that are asked, the question, and the key with an example of an answer.
_QUESTIONS: Sequence[tuple[frozenset[str], str, str]] = (
    (
        frozenset({"code", "oauth1"}),
        "Where is the end user sent?",
        'authorize = "https://login.acme.example/authorize"',
    ),
    (frozenset({"oauth1"}), "Where are temporary credentials had?", 'temporary = "https://api.acme.example/request"'),
    (frozenset({"device"}), "Where is a code to enter asked for?", 'device = "https://login.acme.example/device"'),
    (
        _TOKENS | {"oauth1"},
        "Where are tokens had? (POST, or METHOD ADDRESS)",
        'token = "https://login.acme.example/token"',
    ),
    (_RENEWED, "Where are they refreshed, if elsewhere?", 'refresh_at = "https://login.acme.example/refresh"'),
    (_CLIENTS, "How does the client prove itself there: post, basic, none, key?", 'client = "post"'),
    (_TOKENS, "How is the body written: form, json, query?", 'format = "form"'),
    (frozenset({"code"}), "PKCE: required, refused, or either?", 'pkce = "required"'),
    (
        frozenset({"code"}),
        "What must the authorization request have?",
        'asks = { access_type = "offline" }',
    ),
    (_CLIENTS, "What stands between scopes?", 'separator = " "'),
    (_RENEWED, "Which scope brings a refresh token?", 'offline = "offline_access"'),
    (_TOKENS, "In which object of the answer are the tokens? (nothing: at the top)", 'tokens_at = "/data"'),
    (_TOKENS, "What is the access token called there?", 'token_name = "access_token"'),
    (_TOKENS, "How is the lifetime told: by which member, in which form, and how long is it?", 'expiry = "expires_in"'),
    (_TOKENS, "", 'expiry_form = "seconds"  # or milliseconds, minutes, epoch, epoch_ms, timestamp'),
    (_TOKENS, "", "lifetime = 3600"),
    (_RENEWED, "At a refresh, is the refresh token replaced: rotates, stays, adds, none?", 'refresh = "rotates"'),
    (
        _ALL,
        "What else is in the token endpoint's answer?",
        'answer = { instance_url = "https://eu.acme.example" }',
    ),
    (frozenset({"login"}), "What has the login to send?", 'demands = { user = "{username}", pass = "{password}" }'),
    (
        _ALL,
        "How does a call carry the {token} or {key}?",
        'headers = { Authorization = "Bearer {token}" }',
    ),
    (_ALL, "Where is the API?", 'api = "https://api.acme.example"'),
    (_ALL, "Which cheap call proves a credential?", 'probe = "https://api.acme.example/me"'),
    (_ALL, "What does it answer, and which value names the account?", 'me = { id = 7, name = "Ann" }'),
    (_ALL, "", 'account = "7"'),
    (_ALL, "What does it answer to a dead credential?", 'refusal = \'401 {"error": "invalid_token"}\''),
    (_RENEWED | {"assertion"}, "What is answered to a dead grant?", 'dead = \'400 {"error": "invalid_grant"}\''),
    (_CLIENTS, "And to a wrong client secret?", 'wrong_client = \'401 {"error": "invalid_client"}\''),
    (_ALL, "Where is a grant revoked?", 'revoke = "https://login.acme.example/revoke"'),
)
KIND_OF: Mapping[str, str] = {style: kind for kind, styles in STYLES.items() for style in styles}


def questions(slug: str, style: str) -> str:
    """Return the questions about the vendor of ``slug``, as a TOML file whose answers are left out. No I/O."""
    kind = KIND_OF[style]
    lines = [
        f"# The dialect of {slug}, for `manage.py providers try {slug} --dialect THIS_FILE`.",
        "# Answer from the vendor's documentation and not from the entry: else it proves nothing. The values are",
        "# examples: take away the # of what you know, and leave the rest. What is not said is not proven.",
        f"[{slug}]",
        f'kind = "{kind}"',
    ]
    for kinds, question, example in _QUESTIONS:
        if kind in kinds:
            lines += [f"\n# {question}"] if question else []
            lines.append(f"#{example}")
    return "\n".join(lines) + "\n"
