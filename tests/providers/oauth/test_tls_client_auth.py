"""Client authentication by a certificate (RFC 8705): where it is presented, and what becomes of a refusal."""

import ssl
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import trustme
from pydantic import SecretStr

from providers.catalog.loader import entry
from providers.catalog.methods import AuthorizationCodeMethod, ClientCredentialsMethod
from providers.catalog.resolve import Target, resolve
from providers.errors import ClientRejected, MisconfiguredProvider
from providers.oauth import introspection, pushed_authorization, revocation, token_endpoint
from providers.oauth.discovery import discover
from providers.sandbox.mutual_tls import MutualTls
from providers.strategies import strategy_for
from providers.values import ClientKey, ClientRegistration, CodeGrant, Credential
from providers.vocabulary import ProbeVerdict, SigningAlgorithm
from tests.providers.conftest import Provider

AUTHORITY, STRANGER = MutualTls(), MutualTls()
TOKENS = {"access_token": "at-1", "refresh_token": "rt-1", "expires_in": 60, "request_uri": "urn:x", "sub": "acct-1"}
HELD = Credential(access_token=SecretStr("at-1"), refresh_token=SecretStr("rt-1"))


def key_by(authority: MutualTls) -> ClientKey:
    issued = authority.issue("client")
    return ClientKey("k", SigningAlgorithm.ES256, SecretStr(issued.private_key), issued.certificate)


@pytest.fixture
def provider(make_provider: Callable[..., Provider], authority: trustme.CA, trusting: Any) -> Provider:
    """A server that talks to nobody without a certificate of its authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=AUTHORITY.authority)
    made = make_provider(context)
    made.answers_with(200, TOKENS)
    return made


@pytest.fixture
def make_target(provider: Provider) -> Callable[..., Target]:
    def make(key: ClientKey | None, style: str = AuthorizationCodeMethod.style, **changes: Any) -> Target:
        sandbox = entry("sandbox")
        how: dict[str, Any] = {"client_authentication": "tls_client_auth"} | changes
        if style == AuthorizationCodeMethod.style:
            how |= {"pushed_authorization_url": "{issuer}/par", "request_delivery": "pushed"}
        section = sandbox.methods[style]
        described = type(section).model_validate(section.model_dump() | how)
        registration = ClientRegistration("client", params={"issuer": provider.url}, key=key)
        return resolve(
            entry=sandbox.model_copy(update={section.section(): described}),
            style=style,
            registration=registration,
            discovered={},
            params={},
        )

    return make


def test_every_endpoint_is_shown_the_certificate_and_no_secret(
    make_target: Callable[..., Target], provider: Provider
) -> None:
    target = make_target(key_by(AUTHORITY))
    pushed_authorization.push(target=target, parameters={"client_id": "client"})
    token_endpoint.exchange_code(target=target, grant=CodeGrant(SecretStr("code"), None))
    token_endpoint.refresh(target=target, credential=HELD)
    introspection.introspect(target=target, registration=target.registration, credential=HELD)
    revocation.revoke(target=target, registration=target.registration, credential=HELD)
    assert [sent.path for sent in provider.requests][:4] == ["/par", "/token", "/token", "/introspect"]
    assert provider.requests[-1].path == "/revoke"
    for sent in provider.requests:
        assert sent.form["client_id"] == "client"
        assert not {"client_secret", "client_assertion"} & sent.form.keys()
        assert "Authorization" not in sent.headers


def test_a_certificate_that_is_refused_is_our_registration_and_nothing_was_spent(
    make_target: Callable[..., Target], provider: Provider
) -> None:
    with pytest.raises(ClientRejected) as caught:
        token_endpoint.exchange_code(
            target=make_target(key_by(STRANGER)), grant=CodeGrant(SecretStr("planted-code"), None)
        )
    assert not caught.value.sent
    assert "planted" not in repr(caught.value)
    assert provider.requests == []


def test_a_key_without_a_certificate_is_named(make_target: Callable[..., Target], provider: Provider) -> None:
    for key in (None, replace(key_by(AUTHORITY), certificates="")):
        with pytest.raises(MisconfiguredProvider, match="has no certificate"):
            token_endpoint.refresh(target=make_target(key), credential=HELD)


def test_a_token_that_is_bound_to_it_is_kept_back_and_probed_with_it(
    make_target: Callable[..., Target], provider: Provider
) -> None:
    style = ClientCredentialsMethod.style
    strategy = strategy_for(style)
    bound = make_target(key_by(AUTHORITY), style, certificate_bound_tokens=True)
    assert bound.method.needs_app_key
    shown = strategy.present(bound, HELD)
    assert (shown.proxy_only, shown.value, shown.headers) == (True, None, {})
    in_path = replace(bound, endpoints=replace(bound.endpoints, base=f"{provider.url}/{{access_token}}/v1"))
    assert "at-1" not in repr(strategy.present(in_path, HELD)) + strategy.present(in_path, HELD).base_url
    assert strategy.probe(bound, HELD).verdict is ProbeVerdict.ALIVE
    assert provider.last.headers["Authorization"] == "Bearer at-1"
    free = make_target(key_by(AUTHORITY), style)
    assert strategy.present(free, HELD).value == SecretStr("at-1")
    secret = make_target(None, style, client_authentication="client_secret_basic", certificate_bound_tokens=True)
    assert not secret.proxy_only, "without a certificate there is nothing to bind to"


def test_metadata_names_other_addresses_for_clients_with_a_certificate(
    make_provider: Callable[..., Provider], egress_policy: Any
) -> None:
    server = make_provider()
    url = server.url
    document = {
        "issuer": url,
        "authorization_endpoint": f"{url}/authorize",
        "token_endpoint": f"{url}/token",
        "revocation_endpoint": f"{url}/revoke",
        "token_endpoint_auth_methods_supported": ["tls_client_auth"],
        "tls_client_certificate_bound_access_tokens": True,
        "mtls_endpoint_aliases": {"token_endpoint": f"{url}/mtls/token", "revocation_endpoint": "ftp://nowhere"},
    }
    server.answers_with(200, document)
    found = discover(url)
    assert found["client_authentication"] == "tls_client_auth"
    section = AuthorizationCodeMethod(issuer=url, discover=True)
    described = entry("sandbox").model_copy(update={"authorization_code": section})

    def target(**changes: str) -> Target:
        return resolve(
            entry=described,
            style=section.style,
            registration=ClientRegistration("client", params={"issuer": url}),
            discovered=found | changes,
            params={},
        )

    ours = target()
    assert (ours.endpoints.token, ours.endpoints.revocation) == (f"{url}/mtls/token", f"{url}/revoke")
    assert ours.proxy_only
    theirs = target(client_authentication="client_secret_basic")
    assert (theirs.endpoints.token, theirs.proxy_only) == (f"{url}/token", False)
