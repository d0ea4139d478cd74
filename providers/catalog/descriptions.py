"""What each key of an entry means, in the words that an editor shows: the parts of an entry that are no style.

``method_descriptions`` has the keys of the styles' sections. ``entry_schema`` makes the JSON Schema of both, and a test
keeps them complete. How the keys work together is in the docstring of each shape.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from providers.catalog.answers import Expiry, TokenFields
from providers.catalog.callback import ResponseNames
from providers.catalog.calls import Call, ErrorRule, Presentation, Probe, Workspaces
from providers.catalog.facts import AppRegistration, Facts
from providers.catalog.fields import Param, SecretField, Shape
from providers.catalog.proxying import ProxyLimits
from providers.catalog.pushes import PushChallenge, PushEvent, PushRules
from providers.catalog.schema import CatalogEntry
from providers.catalog.scopes import Implication, ScopeInfo, ScopeSpelling


@dataclass(frozen=True, slots=True)
class Description:
    """What a key means, in one or two sentences, and values that it may have."""

    text: str
    examples: tuple[JsonValue, ...] = ()


def says(text: str, *examples: JsonValue) -> Description:
    """Return a description."""
    return Description(text, examples)


Descriptions = Mapping[type[Shape], Mapping[str, Description]]

_TEMPLATE = "A template: {name} stands for a value."

PART_DESCRIPTIONS: Descriptions = {
    CatalogEntry: {
        "schema_version": says("The version of this schema that the entry is written for."),
        "slug": says("The name of the file without its ending. Leave it out: the file's name counts.", "acme-crm"),
        "name": says("The provider's name, as end users know it.", "Acme CRM"),
        "category": says("The heading under which lists show the provider.", "CRM", "Accounting"),
        "aliases": says(
            "Further names by which the entry is found, each with the section that it stands for.",
            {"acme-api-key": "api_key"},
        ),
        "website": says("The provider's website, as a whole link.", "https://acme.example"),
        "docs_url": says("The page on which the provider documents how to connect.", "https://docs.acme.example/oauth"),
        "colour": says("The provider's colour, for the monogram that stands for it.", "#00a1e0"),
        "facts": says("How sure the entry's facts are. Leave it out of an entry of your own."),
        "registration": says("What the operator does at the provider before anybody can connect."),
        "notes": says(
            "Sentences for whoever calls the API: limits, and what is unusual.", ["60 calls a minute for each account."]
        ),
        "base_url": says(
            "The address under which callers use the API. A vend hands it out. A template, see [[params]].",
            "https://api.acme.example",
            "https://{subdomain}.acme.example/api",
        ),
        "requests_per_minute": says(
            "How many refreshes and probes one provider app may send a minute, if the provider limits an app.", 300
        ),
        "params": says("The values that differ by provider app or connection, such as a subdomain: one table each."),
        "scopes": says("The scopes that may be asked for, in plain words for the consent page: one table each."),
        "scope_spelling": says("How the provider spells scopes, if not always exactly alike."),
        "authorization_code": says("OAuth 2.0: the end user consents on the provider's page (RFC 6749 §4.1)."),
        "device_authorization": says("OAuth 2.0: the end user enters a code on the provider's page (RFC 8628)."),
        "client_credentials": says("OAuth 2.0: a machine's own token, without an end user (RFC 6749 §4.4)."),
        "token_exchange": says("OAuth 2.0: a token of whoever the caller serves, exchanged for one here (RFC 8693)."),
        "api_key": says("The end user pastes a key, or several. Needs [presentation.api_key]."),
        "http_basic": says("The end user types a user name and a password, sent as HTTP Basic (RFC 7617)."),
        "bearer_token": says("The end user pastes an access token that they made at the provider (RFC 6750)."),
        "two_step_login": says("A call turns what the end user typed into a session token, again as each one ends."),
        "oauth1": says("OAuth 1.0a: the end user consents on the provider's page; requests are signed (RFC 5849)."),
        "aws_sigv4": says("The end user types an access key, and each request is signed with it (AWS Signature V4)."),
        "mutual_tls": says("The end user brings a client certificate, which each connection presents (mutual TLS)."),
        "password_grant": says("OAuth 2.0: the end user's password, exchanged for tokens. Legacy (RFC 6749 §4.3)."),
        "signed_jwt": says("A token that we sign with a key, anew as it ends, or with which we buy another."),
        "saml_bearer": says("OAuth 2.0: a SAML 2.0 assertion that we sign buys an access token (RFC 7522 §2.1)."),
        "jwt_bearer": says("OAuth 2.0: an assertion that we sign buys an access token (RFC 7523 §2.1)."),
        "presentation": says(
            "How a credential goes into each request, by auth style, if not as the style has it: "
            "[presentation.<style>.headers] and so on."
        ),
        "probe": says("A cheap call that proves that a credential works, and names the account."),
        "workspaces": says("The choice between several sites or organisations that one grant opens."),
        "proxy": says("How long proxied calls may take, how large they may be, and how many a minute there are."),
        "push": says("What the provider sends us by itself, how it proves that, and what it means."),
    },
    PushRules: {
        "scheme": says("What proves that a push comes from the provider."),
        "key": says("With what: the push secret or the client secret of the app; none for a security event token."),
        "secret_label": says("The provider's word for the push secret.", "Signing secret"),
        "steps": says("What to do at the provider so that it sends pushes, a sentence each.", ["Subscribe to all."]),
        "signature": says("The header that holds the signature.", "X-Acme-Signature"),
        "signature_prefix": says("What stands before the signature there.", "sha256="),
        "signature_member": says("The name of the signature, if the header is a list of name=value.", "v1"),
        "hash": says("The hash of the HMAC."),
        "encoding": says("How the signature is written."),
        "signed": says(
            "What is signed: {body} with whatever stands around it, of {timestamp}, {method} and {url}.",
            "{timestamp}.{body}",
        ),
        "timestamp": says("The header that says when the push was signed.", "X-Acme-Timestamp"),
        "timestamp_member": says("The name of that moment, if it is in the list with the signature.", "t"),
        "timestamp_unit": says("Whether that moment counts seconds or milliseconds."),
        "max_age_seconds": says("How far from now that moment may be.", 300),
        "issuer": says("Who issues the security event tokens.", "https://accounts.acme.example/"),
        "jwks_url": says("Where the issuer's keys are.", "https://accounts.acme.example/keys"),
        "secret_at": says("A JSON Pointer into an event: the shared secret.", "/clientState"),
        "items": says("A JSON Pointer to the list of events, if the body holds one.", "/events"),
        "type": says(
            "Where an event names its type: JSON Pointers, or header:NAME. Several are joined with points.",
            ["header:X-Acme-Event", "/action"],
        ),
        "id": says("Where the delivery has its id: a JSON Pointer, or header:NAME.", "/event_id"),
        "occurred_at": says("A JSON Pointer: when it happened.", "/created"),
        "occurred_unit": says("Whether that counts seconds or milliseconds, or is a moment in words (RFC 3339)."),
        "account": says("Where an event names the account: JSON Pointers, as in [probe], or header:NAME.", "/user/id"),
        "account_pattern": says("A pattern with one group: the part of that text which is the account."),
        "account_param": says("The parameter of a connection that is compared, in place of its account.", "shop"),
        "challenges": says("How the provider asks whether the address is ours: one table each."),
        "events": says("The events that are about the grant itself: one table each."),
        "success_status": says("The status by which the provider knows that we have it."),
    },
    PushEvent: {
        "type": says("The event's type.", "app.uninstalled"),
        "means": says("Whether the grant has ended, or the provider has to be asked."),
        "needs": says("A JSON Pointer: the event counts only if there is something.", "/tokens/bot"),
        "account": says("Where this event names the account, if not where the others do.", "/user/id"),
        "reaches": says("Whether that is a whole account id, or the first part of those that have several."),
    },
    PushChallenge: {
        "type": says("The type of event that is such a question.", "url_verification"),
        "query": says("Or the parameter of the query that is.", "validationToken"),
        "value": says("A JSON Pointer: what the provider wants to see again.", "/challenge"),
        "members": says("The members of the answer, if it is a JSON object.", {"token": "{value}"}),
    },
    ProxyLimits: {
        "answer_seconds": says("How long the provider may take to begin its answer to a whole request.", 120),
        "idle_seconds": says("How long either side may stand still in the middle of a call.", 120),
        "total_seconds": says("How long one call may take in all.", 600),
        "max_request_bytes": says("How large the body of a request may be.", 10_485_760),
        "max_response_bytes": says("How large the body of an answer may be, unpacked.", 104_857_600),
        "requests_per_minute": says(
            "How many calls a minute the provider allows. Callers get equal shares of it. 0 if it names no number.", 100
        ),
        "shared_by": says("Whether that number is for each connection, or for all of one provider app together."),
        "response_headers": says("Headers of answers that callers get besides the usual ones.", ["x-acme-cost"]),
        "encoded_slashes": says("Whether %2F in a path is a part of a name, so that calls may hold it."),
        "method_parameters": says(
            "Parameters of a query, and fields of a body, by which the provider takes another method than that of the"
            " request, or several requests in one. They are refused; in a body only of callers who may not use every"
            " method.",
            ["method"],
        ),
    },
    Facts: {
        "confidence": says("Whether sources agree (high), almost agree (medium), or nobody has confirmed it (low)."),
        "checked_on": says("The day on which the facts were looked at.", "2026-11-29"),
        "styles": says("The sections whose facts are surer or less sure than that.", {"api_key": "low"}),
    },
    AppRegistration: {
        "console": says("The page on which the operator registers a client.", "https://acme.example/developers"),
        "steps": says("What to do there besides, a sentence each.", ["Switch on token rotation."]),
        "review": says("Who has to approve the client, and how long it takes.", "Acme reviews apps; allow two weeks."),
    },
    Param: {
        "name": says("The name by which templates use the value, as in https://{subdomain}.acme.example.", "subdomain"),
        "label": says("What forms call it.", "Subdomain"),
        "scope": says(
            "Who supplies it: the operator for a provider app (app), the end user (connection), the operator's "
            "backend with each connect session (invitation), the authorization "
            "response (callback), or the end user's choice after the consent (workspace)."
        ),
        "help": says("A sentence below the field.", "The part before .acme.example"),
        "default": says("The value if nobody gives one. With a default it need not be given.", "eu"),
        "pattern": says("The regular expression that the whole value has to match.", "^[a-z0-9-]{1,63}$"),
        "example": says("A value that fits, shown in the empty field.", "globex"),
        "callback": says(
            "For the scope callback: the parameter of the authorization response that brings it.", "realmId"
        ),
        "typed_by": says(
            "The sections by which the end user types a parameter of scope invitation all the same.",
            ["authorization_code"],
        ),
        "public": says("Everybody may know it: one of scope app may then go to a host that an end user names.", True),
        "choices": says(
            "The only values that it may have, each with what templates get for it.",
            {"eu": "api.eu.acme.example", "us": "api.acme.example"},
        ),
    },
    SecretField: {
        "name": says("The name by which templates use it, as in {api_key}.", "api_key"),
        "label": says("What the form calls it.", "API key"),
        "help": says("A sentence below the field: where the end user finds it.", "Under Settings, API access"),
        "secret": says("Whether it is hidden while it is typed, and never shown again."),
        "pattern": says("The regular expression that the whole value has to match.", "^sk_[A-Za-z0-9]{32}$"),
        "example": says("A value that fits, shown in the empty field.", "alice@example.com"),
        "multiline": says("Whether it may have line breaks, as a key in PEM has."),
        "optional": says("Whether it may be left empty."),
    },
    ScopeInfo: {
        "name": says("The scope as the provider spells it.", "files.read"),
        "description": says("What it allows, in words for the end user.", "Read your files"),
        "default": says("Asked for unless a connect session names its own scopes."),
        "required": says("Always asked for, because nothing can be refreshed or probed without it."),
        "aliases": says("Other spellings of the same scope in the provider's answers.", ["files:read"]),
        "implies": says("The scopes that are part of it.", ["files.read"]),
        "echoed": says("Whether the provider's answers name it. If not, it counts as granted once asked for."),
    },
    ScopeSpelling: {
        "ignores_case": says("Whether upper and lower case are the same."),
        "prefixes": says("Beginnings of scopes that mean nothing.", ["https://graph.acme.example/"]),
        "implications": says("Rules by which many scopes imply others: one table each."),
    },
    Implication: {
        "scope": says("The scopes that the rule is about; one * stands for any text.", "*:write"),
        "implies": says("What each of them implies; * stands for the same text.", ["*:read"]),
    },
    Presentation: {
        "headers": says(f"Headers of each request. {_TEMPLATE}", {"Authorization": "Bearer {access_token}"}),
        "query": says("Parameters of each address. Addresses are written down, so prefer headers.", {"key": "{token}"}),
        "body": says("Fields of each request's body.", {"api_key": "{api_key}"}),
        "base_url": says("Takes the place of the entry's base_url, if the credential travels in the path."),
    },
    Call: {
        "method": says("The request's method."),
        "url": says(f"The whole address. {_TEMPLATE}", "https://api.acme.example/v1/me"),
        "headers": says(f"Headers to add. {_TEMPLATE}", {"Acme-Version": "2026-01"}),
        "format": says("Whether the body is JSON or a form."),
        "body": says(
            "The body. Each text in it is a template; braces that belong to no placeholder stand for themselves.",
            {"query": "{ viewer { id } }"},
        ),
        "empty_body": says("What is sent if the body has no fields: nothing, or an empty JSON object."),
    },
    Probe: {
        "method": says("The request's method."),
        "dead": says("Which answers prove that the credential is dead: one table each. A 401, if none is given."),
        "account_id": says(
            "A JSON Pointer into the answer: the account's stable id. Several with spaces between, if it takes them.",
            "/user/id",
        ),
        "account_name": says("A JSON Pointer into the answer: the account's name, for people.", "/user/email"),
        "scopes_header": says("The header of the answer that lists the token's scopes.", "X-OAuth-Scopes"),
        "speaks": says("Whether the probe is an HTTP request as described here, or the greeting of an MCP server."),
        "lists_workspaces": says("The answer is the list of [workspaces]; the connection's own must be in it."),
    },
    Workspaces: {
        "url": says(f"A GET of it lists the workspaces. {_TEMPLATE}", "https://api.acme.example/sites"),
        "headers": says(f"Headers of that request. {_TEMPLATE}", {"Authorization": "Bearer {access_token}"}),
        "items": says("A JSON Pointer to the list; empty if the answer itself is the list.", "/sites"),
        "id": says("A JSON Pointer into an item: its id.", "/id"),
        "name": says("A JSON Pointer into an item: its name.", "/name"),
        "param": says("The parameter of scope workspace that gets the chosen id.", "site_id"),
        "params": says("Further parameters of scope workspace, each with a pointer into the item.", {"region": "/geo"}),
        "label": says("The provider's word for a workspace.", "Organisation"),
    },
    ErrorRule: {
        "status": says("Matches answers with this HTTP status. Without it any.", 400),
        "field": says(
            "The member of the JSON answer that is compared, or a JSON Pointer to it.", "error", "/error/code"
        ),
        "value": says("Matches if that member has this value, as text.", "invalid_refresh_token"),
        "contains": says("Matches if the raw answer contains this text, in capitals or not.", "token expired"),
        "means": says(
            "What a matching answer means: the grant is dead, our registration is wrong, the request was wrong, the "
            "address that we call from is not on their list, the provider is away, or the answer cannot be understood."
        ),
    },
    TokenFields: {
        "access_token": says("The member that holds the access token.", "authToken"),
        "refresh_token": says("The member that holds the refresh token.", "refreshToken"),
        "token_type": says("The member that holds the type of the token.", "type"),
    },
    Expiry: {
        "field": says("The member that says when the token ends, or a JSON Pointer to it.", "expires_at"),
        "format": says("How to read it: a count from now, a moment, or a duration in words."),
        "never": says("The values, as text, that mean that the token does not end.", ["0", "null"]),
    },
    ResponseNames: {
        "code": says("The parameter that holds the authorization code.", "authorization_code"),
        "state": says("The parameter that holds our state, in the request as well.", "context"),
        "error": says("The parameter that holds an error.", "error_code"),
    },
}
