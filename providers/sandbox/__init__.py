"""A sandbox: an OAuth authorization server and resource API that anyone can run, and break on purpose.

For the demo, the tests and failure drills. It is a real server in a process of its own, on oauthlib's server side,
Flask and SQLite; nothing here is used in production, and nothing else in ``providers`` imports it.

    python -m providers.sandbox --port 9400 [--host 127.0.0.1] [--state DIR] [--public-url URL] [--name NAME]
        [--clients FILE.json] [--access-lifetime S] [--grace-seconds S] [--[no-]rotate] [--access-log]
        [--expose-control]

The first line printed is ``listening on URL``; ``--port 0`` picks a free port. The issuer is the public URL, by default
that same address. With ``--state`` clients, settings,
grants, tokens, keys, sessions and the request log outlive a kill -9; armed faults never do. SIGTERM and SIGINT end it.

People are alice, bob and carol; each one's password is the name. A client is registered with ``--clients`` (a JSON
list) or over the control API:

    {"client_id": "demo", "name": "Demo app", "client_secret": "…" or ["…", "…"], "client_secrets": ["…"],
     "redirect_uris": ["http://127.0.0.1:8000/callback"], "scopes": ["profile", "files.read"], "public": false,
     "grant_types": ["authorization_code", "refresh_token", "client_credentials", "password",
                     "urn:ietf:params:oauth:grant-type:device_code",
                     "urn:ietf:params:oauth:grant-type:token-exchange",
                     "urn:ietf:params:oauth:grant-type:jwt-bearer", "urn:ietf:params:oauth:grant-type:saml2-bearer"],
     "resources": ["https://api.example"], "pushes": false, "signs": false,
     "push_url": "https://…", "push_secret": "…",
     "access_lifetime": 60, "rotate": true, "grace_seconds": 0}

Only ``client_id`` and one of ``client_secret``, ``client_secrets``, ``"jwks": {"keys": […]}`` (for private_key_jwt),
``"certificates": [thumbprint]`` (for tls_client_auth) and ``"public": true`` are required; the last three follow the
settings when absent. With ``resources`` each request has to name one of them (RFC 8707), and with ``pushes`` an
authorization request has to be pushed. With ``push_url`` it is told there, signed with ``push_secret``, of each
person who has nothing granted to it any more: ``Sandbox-Signature: v1=HEX`` is an HMAC-SHA256 of ``TIMESTAMP.BODY``. A
client of OAuth 1.0a is registered with ``signs``.

Endpoints
---------
``/.well-known/oauth-authorization-server`` and ``/.well-known/openid-configuration`` (RFC 8414), ``/authorize`` (code,
PKCE S256, ``iss``, ``response_mode=form_post``), ``/token`` (form or JSON; Basic, post, private_key_jwt or none; also
exchanges the token of a person, as RFC 8693 says or as Microsoft's on-behalf-of flow), ``/revoke`` (RFC 7009: kills the
grant), ``/introspect`` (RFC 7662), ``/par`` (RFC 9126), ``/me`` alias ``/userinfo``, ``/workspaces`` (what the settings
give a person: nothing at first), ``/files`` (needs ``files.read``); ``/session`` (a two-step login: POST a name and a
password, get a token, DELETE it); ``/device_authorization`` and the page ``/device`` (RFC 8628);
``/oauth1/request_token``, ``/oauth1/authorize``, ``/oauth1/access_token`` (RFC 5849); for people ``/login``, ``/apps``,
``/api-keys``, ``/control``.

``/mcp`` is an MCP server with a tool ``whoami``. Its metadata (RFC 9728) names an authorization server of its own,
``/as/one`` or any other word in the place of ``one``: with metadata, ``authorize``, ``token`` and ``revoke`` below it.
There a client makes itself known by a Client ID Metadata Document, or at ``register`` (RFC 7591, managed by RFC 7592).

The resource API takes a Bearer token, or an API key: as ``X-Api-Key`` (with a second one as ``X-Second-Key``), as a
Bearer token, as the password of HTTP Basic, as ``api_key`` in the query or in the body of a POST to ``/me``, or in the
path ``/keyed/KEY/me``. Or the request is signed: as RFC 5849 says, by HMAC or in plain text, or
with an access key (AWS Signature Version 4). Or the client shows a
certificate, at the address that asks for one.

Codes work once and live 60 s; a second use revokes the grant. Refresh tokens rotate: a predecessor works for
``grace_seconds`` more and gets a new pair of the same grant; after that, showing it revokes the grant. With ``rotate``
false the refresh token stays the same.

Control API (JSON; loopback only unless ``--expose-control``)
-------------------------------------------------------------
======================================  =============================================================================
GET, POST /control/clients              list; register or replace one
POST /control/api-keys                  {username, name?} -> {api_key}
POST /control/certificates              {username, days?} -> {certificate, private_key, thumbprint, authority, url}:
                                        a client certificate, and the address that asks for it
DELETE /control/certificates/THUMBPRINT make it nobody's
POST /control/access-keys               {username, temporary?} -> {access_key_id, secret_access_key, session_token?}
DELETE /control/access-keys/ID          revoke one
DELETE /control/api-keys?username=      revoke API keys, of one person or all
GET /control/grants                     filters username, client_id; with the fingerprints of live refresh tokens
POST /control/grants                    {client_id, username, count?, scope?} -> {grants}: grants that nobody was
                                        asked for, with their token responses
POST /control/revoke                    {username?, client_id?, grant_id?}: revoke the grants that match all; {}: all
POST /control/pushes                    {client_id, username, type, members?} -> {status}: push an event to a client now
GET /control/log?after=N&limit=M        {entries, last_id}; up to 5,000 at once, oldest first
DELETE /control/log                     forget the entries; the numbering goes on
GET, PUT /control/settings              {access_lifetime, code_lifetime, rotate, grace_seconds, delay_seconds,
                                        workspaces, locked, device_lifetime, device_interval, require_pushed,
                                        pushed_lifetime, mcp_server, mcp_stream, registration, registration_lifetime,
                                        registration_managed, most_grants}; a PUT changes what it names;
                                        delay_seconds is a number or {endpoint: seconds}, workspaces
                                        {username: {id: name}}, locked a list of usernames whose passwords programs
                                        may not use, and whose tokens are not exchanged until they sign in;
                                        mcp_server is the word behind /as/, registration a list of document and
                                        dynamic, registration_lifetime that of secrets (0: no end)
GET, POST, DELETE /control/faults       list, arm one, disarm all
DELETE /control/faults/ID               disarm one
POST /control/release                   end each stall that is under way
POST /control/clear                     disarm all faults, forget the log, and change the settings that it names
======================================  =============================================================================

The page ``/control`` has forms for the same: settings, faults, the revocation of a client's grants, and the log.

Half of an endpoint's ``delay_seconds`` passes before the request is processed, half after.

A log entry holds id, started_at, ended_at, endpoint, method, path, client_id, kid, grant_type, grant_id, username,
resource, code_presented, refresh_presented, access_presented, api_key_presented, access_issued, refresh_issued, status,
error, outcome, fault, client_closed. What was presented at the token endpoint is there even if a fault kept the request
from being processed. Tokens appear as the first 12 hexadecimal digits of their SHA-256. ``ended_at`` is
stamped before the last byte of the answer leaves, so overlapping entries of one grant were really in flight together.
``status`` is null when the connection was closed unanswered; ``outcome`` says what the server did even so:

    token       issued, rotated, refreshed, refreshed_in_grace, refresh_reused, refresh_unknown, code_reused,
                code_unknown, code_expired, wrong_verifier, verifier_without_challenge, wrong_redirect_uri,
                wrong_client, grant_revoked, wrong_password, locked, authorization_pending, slow_down,
                expired_token, access_denied
                of an assertion also: no_token, unknown_key, bad_signature, wrong_audience, no_times,
                assertion_expired, issued_in_the_future, lives_too_long, no_jti, replayed,
                assertion_of_another_type
    device_authorization
                code_issued
    session     issued, wrong_password, locked, revoked, token_unknown
    par         pushed
    authorize   asked, sign_in, code_issued, denied, dead_end
    oauth1_request_token, oauth1_access_token
                temporary_issued, issued, wrong_signature, wrong_verifier, nonce_used, timestamp_refused
    oauth1_authorize
                asked, sign_in, verifier_issued, denied, dead_end
    revoke      revoked, grant_revoked, token_unknown, wrong_client
    introspect  active, inactive
    me, files, workspaces
                accepted, no_credential, token_unknown, token_expired, grant_revoked, api_key_unknown,
                api_key_revoked, wrong_username, certificate_unknown, wrong_signature, nonce_used, timestamp_refused,
                insufficient_scope

Faults
------
    POST /control/faults {"endpoint": "token", "kind": "lost_response", "times": 1, "client_id": null,
                          "grant_type": "refresh_token", "probability": 1, "options": {}}

``endpoint`` is par, token, me, files, workspaces, revoke, introspect, authorize, metadata, session,
device_authorization, oauth1_request_token, oauth1_authorize or oauth1_access_token. ``times`` 0 means until cleared.
The first armed fault that a request matches is met; ``probability`` below 1 makes that a chance.

Canned answers, in place of the real one. The request is not processed, unless the option ``processed`` is true:

=====================  ==============================================================================================
status                 options status (500), body, content_type, headers
rate_limited           429 with Retry-After: options retry_after (1; a number, or text sent as it is), http_date
html                   200 with an HTML page: options body, status
empty_body             200 with nothing in it
json_list, json_null   200 with a JSON list; with null
error_in_200           200 with {"error": …}, or with style "slack" {"ok": false, "error": …}: options error, style
huge_body              valid JSON of ``bytes`` (1 GiB), streamed; content_length true announces the length
gzip_bomb              gzip that unpacks to ``bytes`` (1 GiB) of valid JSON
redirect               307 to ``location`` (required): option status
error                  {"error": …}: options error (invalid_grant), status (by RFC), description; at authorize, sent to
                       the client's redirect URI
=====================  ==============================================================================================

Altered successes; the request is really processed, and an answer that is an error passes unchanged:

=====================  ==============================================================================================
truncated_json         the first half, or ``bytes``; cut_off true keeps the true Content-Length and closes early
no_access_token        access_token is missing
null_access_token      access_token is null
expires_in             ``value``: any JSON value; ``raw``: any text (NaN, 1e999); neither: missing
wrong_token_type       token_type is ``token_type`` (mac)
narrow_scope           the access token is issued for ``scope`` (all but the last); the grant keeps its own
missing_refresh_token  no refresh token is issued, and the one that was presented stays good
wrong_resource         resource_metadata only: the metadata is about ``resource``
silent_about_pkce      metadata only: it does not say which code challenges there are
late_retry             token only: for ``seconds`` after its rotation a refresh token gets a pair of its own with each
                       late retry, whatever ``grace_seconds`` says; past them, showing it ends the family
wrong_iss              authorize only: iss is ``iss``, or missing without it
=====================  ==============================================================================================

On the wire:

=====================  ==============================================================================================
lost_response          processed, then closed without a byte; reset true sends a RST
reset_before           closed with a RST, unprocessed
stall                  sleeps ``seconds`` (30), or until it is released, after processing; processed false: before it,
                       and a client that hung up meanwhile is not processed at all
trickle                the real answer, a byte of the body per ``interval`` (1 s); headers true: from the first byte
=====================  ==============================================================================================

No fault of this list is needed for rotation that is strict (``grace_seconds`` 0) or lenient, for a grant that is
revoked (``/control/revoke``) and for a client whose secret is wrong (register it anew with another).

Modules
-------
- ``client``: starts it and steers it; ``waiting``: waits for what other processes do
- ``app``: every route together · ``server``: the HTTP server below · ``wire``: answers that no framework would give
- ``oauth``, ``consent``, ``pushed``, ``device``, ``oauth1``, ``two_step``, ``resources``: the endpoints
- ``mcp``: the MCP server · ``mcp_authorization``: the authorization servers before it
- ``validator``, ``device_codes``, ``subject_tokens``, ``resource_indicators``, ``client_proof``: the decisions of the
  authorization server · ``sigv4``: access keys, and what they sign · ``mutual_tls``: client certificates
- ``issuing``: issues tokens, revokes them and tells of them
- ``assertions``, ``believing``: what it believes of what others sign · ``presented``: what a header presents
- ``saml``: assertions of SAML · ``assertion_grants``: a token for what others sign (RFC 7523 §2.1)
- ``installations``: a token for an installed app
- ``pushing``: what it tells clients by itself
- ``pages``, ``sessions``, ``people``, ``passwords``: what people see, who is signed in, who there is, whose password
  a program brings
- ``control``, ``control_page``: the control API, and its page for people · ``registry``: clients and settings
- ``faults``: which are armed · ``fault_kinds``: what each does · ``filler``: bodies without end
- ``exchange``: one logged request · ``log``: what was asked, and when · ``redirects``: where a browser goes next
- ``state``: the parts together · ``store``: what is kept · ``minting``: keys, grants without a consent · ``tokens``
"""
