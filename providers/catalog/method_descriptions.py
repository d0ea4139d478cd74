"""What each key of a style's section means, in the words that an editor shows. See ``descriptions``."""

from providers.catalog.assertions import ClientAssertion
from providers.catalog.aws_sigv4_method import AwsSigV4Method
from providers.catalog.calls import Revocation
from providers.catalog.descriptions import PART_DESCRIPTIONS, Descriptions, says
from providers.catalog.device_method import DeviceAuthorizationMethod
from providers.catalog.exchange_method import TokenExchangeMethod
from providers.catalog.methods import (
    ApiKeyMethod,
    AuthorizationCodeMethod,
    ClientCredentialsMethod,
    OAuthMethod,
    RefreshableMethod,
)
from providers.catalog.mutual_tls_method import MutualTlsMethod
from providers.catalog.oauth1_method import OAuth1Method, TokenResponseNames
from providers.catalog.password_method import PasswordMethod
from providers.catalog.signed_methods import (
    AssertionMethod,
    JwtBearerMethod,
    KeyFile,
    SamlAssertion,
    SamlBearerMethod,
    Signed,
    SignedJwtMethod,
    SignedToken,
    SigningMethod,
)
from providers.catalog.typed_methods import BearerTokenMethod, HttpBasicMethod, Login, TwoStepLoginMethod

_FIELDS = "The fields that the end user types: one table each."
_EXTRA = "Further members of the answer to keep for templates: our names, each with a JSON Pointer."

METHOD_DESCRIPTIONS: Descriptions = {
    OAuthMethod: {
        "issuer": says("The authorization server's issuer (RFC 8414).", "https://login.acme.example"),
        "discover": says("Whether the endpoints come from the issuer's metadata. What is spelled out here wins."),
        "token_url": says("The token endpoint.", "https://acme.example/oauth/token"),
        "revocation_url": says("The revocation endpoint (RFC 7009).", "https://acme.example/oauth/revoke"),
        "introspection_url": says("The introspection endpoint (RFC 7662).", "https://acme.example/oauth/introspect"),
        "client_authentication": says("How we authenticate at the token endpoint."),
        "client_assertion": says("How we sign who we are (private_key_jwt), if the server wants it in an unusual way."),
        "token_request_format": says("Whether token requests are forms, as RFC 6749 says, or JSON."),
        "request_headers": says(
            "Headers for the token, revocation and introspection endpoints.", {"Acme-Version": "2026-01"}
        ),
        "scope_separator": says("What stands between scopes in requests.", ","),
        "response_scope_separator": says("What stands between scopes in answers, if it differs.", ","),
        "scope_field": says("The member of the token answer that names the granted scopes.", "granted_scopes"),
        "empty_scope": says("What an empty list of scopes means: none is granted, or those that were asked for."),
        "token_params": says(
            "Parameters to add to token requests, as templates.", {"audience": "https://api.acme.example"}
        ),
        "token_parameter_names": says(
            'The names of parameters in token requests, if not those of the RFC; "" leaves one out.',
            {"client_id": "app_id", "client_secret": "secret"},
        ),
        "token_pointer": says("A JSON Pointer to the object in the answer that holds the tokens.", "/data"),
        "token_fields": says("The names of the tokens in the answer, if not those of RFC 6749."),
        "expiry": says("How the answer says when the access token ends, if not by expires_in in seconds."),
        "resource": says("The API that tokens are for, named in each request (RFC 8707).", "https://api.acme.example"),
        "certificate_bound_tokens": says("Whether tokens work only with our client certificate (RFC 8705)."),
        "token_type_hint": says("Whether revocation and introspection take the parameter token_type_hint."),
        "revocation": says("How to call the revocation endpoint, if not as RFC 7009 says."),
        "default_lifetime_seconds": says("How long an access token lives, where the answer does not say.", 3600),
        "extra_response_fields": says(
            "Further members of the answer to keep for templates: a list of their names, or our names with pointers.",
            ["instance_url"],
            {"team_id": "/team/id"},
        ),
        "errors": says("What answers of the token endpoint mean, if not as RFC 6749 says: one table each."),
    },
    ClientAssertion: {
        "algorithm": says("How a key signs that the end user types (own_registration)."),
        "audience": says("For whom the assertion is, if not for the issuer. A template.", "https://acme.example/token"),
        "issuer": says("Who signs, if not the client id. A template.", "{client_id}"),
        "subject": says("Who is proven, if not the client id. A template.", "{client_id}"),
        "claims": says("Further claims: templates, which know client_id and scopes.", {"scope": "{scopes}"}),
        "lifetime_seconds": says("How long an assertion is valid. Each request gets a fresh one.", 300),
    },
    RefreshableMethod: {
        "refresh_url": says("Where refreshes go, if not to the token endpoint.", "https://acme.example/oauth/refresh"),
        "refresh_params": says(
            "Parameters to add to refreshes alone, or other values of token_params.", {"type": "refresh"}
        ),
        "refresh_scope": says("The scope that asks for a refresh token.", "offline_access"),
        "refresh_tokens_rotate": says("Whether using a refresh token may end it. If unsure, leave it true."),
        "refresh_grace_seconds": says("For how long a used refresh token still works.", 30),
        "refresh_expiry": says("How an answer says when the refresh token ends, if it says so in an unusual way."),
        "expects_refresh_token": says("Whether a grant should bring a refresh token. If unset, it is concluded."),
        "refresh_idle_lifetime_seconds": says("An unused refresh token ends after this time.", 2592000),
        "most_grants_of_account": says(
            "So many grants of one account at one client live: the next one ends the oldest.", 5
        ),
        "refresh_absolute_lifetime_seconds": says("The grant ends this long after the consent.", 31536000),
    },
    AuthorizationCodeMethod: {
        "refresh_repeats_redirect_uri": says("Whether refreshes name the redirect URI again."),
        "authorization_url": says(
            "The page to which the end user is sent. It may have a query.", "https://acme.example/oauth/authorize"
        ),
        "pushed_authorization_url": says(
            "The endpoint for pushed authorization requests (RFC 9126).", "https://acme.example/oauth/par"
        ),
        "request_delivery": says(
            "Whether the browser carries the authorization request, or we push it and the browser carries a reference."
        ),
        "jwks_url": says("Where the issuer publishes its keys, to verify ID tokens.", "https://acme.example/jwks"),
        "protected_resource": says(
            "The address of an MCP server, whose metadata names the authorization server (RFC 9728). Needs discover.",
            "https://mcp.acme.example/mcp",
            "{server}",
        ),
        "iss_parameter": says("Whether the authorization response always carries iss (RFC 9207)."),
        "pkce": says("PKCE is always sent, unless the provider breaks on it."),
        "response_mode": says("How the authorization response comes back: in the query, or as a posted form."),
        "authorization_params": says("Parameters to add to the authorization request.", {"access_type": "offline"}),
        "authorization_parameter_names": says(
            'The names of parameters in the authorization request, if not those of the RFC; "" leaves one out.',
            {"client_id": "client_key"},
        ),
        "callback": says("The names of the parameters in the authorization response, if they are others."),
        "approval": says(
            "Parameters of the authorization response which mean that an administrator has to approve first.",
            {"setup_action": "request"},
        ),
        "offline_consent": says(
            "When prompt=consent is sent: for offline_access with OpenID Connect, always for it, or never."
        ),
        "incremental_params": says(
            "Parameters with which the provider adds scopes to those that it granted before. Leave it out where a new "
            "grant replaces the earlier one.",
            {"include_granted_scopes": "true"},
        ),
        "scope_parameter": says("The name of the scope in the authorization request.", "user_scope"),
    },
    DeviceAuthorizationMethod: {
        "device_authorization_url": says("The device authorization endpoint.", "https://acme.example/device/code"),
        "device_authorization_params": says("Parameters to add when a code is asked for.", {"audience": "acme-api"}),
    },
    ClientCredentialsMethod: {
        "own_registration": says("Whether the end user types client id and secret. Otherwise the operator has them."),
    },
    TokenExchangeMethod: {
        "form": says("How the request is written: by RFC 8693, or as Microsoft's on-behalf-of flow."),
        "subject_token_type": says("What the caller's token is. With RFC 8693 alone."),
        "requested_token_type": says("Which kind of token is asked for, if the server wants to be told."),
        "audience": says("The API that the token is for, by the server's name for it.", "acme-api"),
    },
    OAuth1Method: {
        "temporary_credentials_url": says(
            "Where temporary credentials (a request token) are asked for.", "https://acme.example/oauth/request_token"
        ),
        "authorization_url": says("The page to which the end user is sent.", "https://acme.example/oauth/authorize"),
        "token_url": says("Where token credentials are asked for.", "https://acme.example/oauth/access_token"),
        "signature_method": says("How requests are signed. RSA signs with the key of the provider app."),
        "realm": says("The realm in each signed header, if the provider wants one. A template.", "{account_id}"),
        "authorization_params": says("Parameters to add to the page's address.", {"expiration": "never"}),
        "callback": says("The names of the parameters with which the end user comes back, if they are others."),
        "extra_response_fields": says(_EXTRA, {"user_id": "/user_id"}),
        "errors": says("What answers mean beyond the Problem Reporting extension: one table each."),
    },
    TokenResponseNames: {
        "code": says("The parameter that holds the verifier."),
        "state": says("The parameter that holds the temporary token, in the page's address as well."),
        "error": says("The parameter that holds an error."),
        "denied": says("The parameter that holds the temporary token where the end user refused."),
    },
    AwsSigV4Method: {
        "region": says("The region in the scope of each signature. A template.", "{region}"),
        "service": says("The service in the scope of each signature. A template.", "sts"),
        "fields": says("Other labels and patterns for the access key and the session token."),
    },
    MutualTlsMethod: {
        "fields": says("Other labels for certificate, private_key and passphrase, and fields to type beside them."),
    },
    PasswordMethod: {
        "legacy": says("Has to be true: RFC 9700 forbids this grant."),
        "keeps_password": says("Whether the password is stored, because only it brings another token."),
        "fields": says("Other labels and patterns for the fields username and password."),
    },
    ApiKeyMethod: {"fields": says(_FIELDS)},
    HttpBasicMethod: {"fields": says("Other labels and patterns for the fields username and password.")},
    BearerTokenMethod: {"fields": says("Another label and pattern for the field token.")},
    SigningMethod: {
        "key_file": says("The JSON file in which the provider hands out the key, if it does so."),
        "fields": says(_FIELDS),
    },
    KeyFile: {
        "field": says("The name of the field into which the end user pastes the file.", "key_file"),
        "label": says("What the form calls it.", "Service account key (JSON)"),
        "help": says("A sentence below the field: where the end user finds it."),
        "values": says(
            "What is kept of the file: our names, each with a JSON Pointer.", {"client_email": "/client_email"}
        ),
    },
    Signed: {
        "algorithm": says("How it is signed."),
        "key": says("Whose key signs: one that the end user types, or the provider app's own."),
        "key_field": says("The field, or the value of the key file, that is the key.", "private_key"),
        "lifetime_seconds": says("For how long it is valid.", 540),
    },
    SamlAssertion: {
        "issuer": says("Who signs: the name under which the provider knows the key. A template.", "{client_id}"),
        "subject": says("For whom the token is to be: the NameID. A template.", "{user_id}"),
        "name_id_format": says("The format of the NameID.", "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"),
        "audience": says("For which server it is, if not for the token endpoint by its address. A template."),
        "recipient": says("To which address it is sent, if not to the token endpoint's. A template."),
        "attributes": says("Attributes of the subject, as templates.", {"api_key": "{client_id}"}),
        "encoding": says("How it travels: base64url, as RFC 7522 says, or plain Base64."),
    },
    SignedToken: {
        "key_encoding": says("How a shared secret (HS256) is written."),
        "kid": says("The id of the key in the token's header. A template.", "{key_id}"),
        "header": says("Further members of the token's header, as templates.", {"typ": "at+jwt"}),
        "claims": says(
            "The claims, as templates over parameters, fields that are no secret, client_id, token_url, scopes and "
            "public_key_sha256. iat, exp and jti are added.",
            {"iss": "{client_email}", "aud": "{token_url}", "scope": "{scopes}"},
        ),
        "jti": says("Whether the token gets an id of its own."),
    },
    SignedJwtMethod: {
        "token": says("The token that we sign: whose key, which claims."),
        "exchange": says("The call that buys, with the signed token ({signed_token}), the one that callers get."),
        "revoke": says("The call that ends what the exchange brought."),
    },
    AssertionMethod: {
        "client_authentication": says("How we authenticate beside the assertion, if the server wants that as well."),
    },
    JwtBearerMethod: {"assertion": says("The assertion that we sign: whose key, which claims.")},
    SamlBearerMethod: {"assertion": says("The assertion that we sign: whose key, about whom.")},
    TwoStepLoginMethod: {
        "fields": says(_FIELDS),
        "login": says("The call that turns what was typed into a session token."),
        "logout": says("The call that ends a session, if there is one."),
    },
    Login: {
        "token": says("A JSON Pointer to the token in the answer; empty if the answer is the token.", "/session/token"),
        "token_header": says("The header of the answer that holds the token instead.", "X-Session"),
        "expiry": says("How the answer says when the session ends."),
        "default_lifetime_seconds": says("How long a session lives, where the answer does not say.", 3600),
        "extra": says(_EXTRA, {"server": "/session/server"}),
        "errors": says("Which answers refuse what was typed: one table each. A 401 always does."),
    },
    Revocation: {
        "ends": says("What a revocation ends: all that the account has granted us, or the one authorization."),
        "narrowed_url": says("Where the one token is ended alone, while others live on the same grant."),
        "method": says("The request's method."),
        "format": says("Whether the request is a form or JSON."),
        "authentication": says("What authenticates the request."),
        "tokens": says("The tokens to revoke, in this order."),
        "token_parameter": says("The parameter that holds the token; empty if it is not in the body.", "access_token"),
        "params": says("Parameters to add, as templates.", {"client_id": "{client_id}"}),
        "errors": says("What its answers mean; grant_rejected: the token was dead already. One table each."),
    },
}

DESCRIPTIONS: Descriptions = {**PART_DESCRIPTIONS, **METHOD_DESCRIPTIONS}
