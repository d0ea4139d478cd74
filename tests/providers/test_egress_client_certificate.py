"""A client certificate in a call: who sees it, who never does, and what a refusal says."""

import ssl
from collections.abc import Callable
from typing import Any

import pytest
import trustme
from pydantic import SecretStr

from providers import egress
from providers.errors import CertificateRefused, MisconfiguredProvider, TargetRefused
from providers.sandbox.mutual_tls import MutualTls
from providers.values import ClientCertificate
from tests.providers.conftest import Provider

SANDBOX, STRANGER = MutualTls(), MutualTls()


def certificate_of(authority: MutualTls, name: str = "alice") -> ClientCertificate:
    issued = authority.issue(name)
    return ClientCertificate(issued.certificate, SecretStr(issued.private_key))


@pytest.fixture
def server(
    make_provider: Callable[..., Provider], authority: trustme.CA, trusting: Any
) -> Callable[..., tuple[Provider, list[str]]]:
    """Return a function that starts a server, and the names that it was shown: "" for a client without one."""

    def start(version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3, *, must: bool = True) -> tuple[Provider, list[str]]:
        shown: list[str] = []

        class Noting(ssl.SSLSocket):
            is_noted = False

            def sendall(self, data: Any, flags: int = 0) -> None:  # the answer: the handshake is over
                subject: Any = (self.getpeercert() or {}).get("subject", ((("", ""),),))
                if not self.is_noted:
                    shown.append(subject[0][0][1])
                self.is_noted = True
                super().sendall(data, flags)

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.maximum_version = version
        context.sslsocket_class = Noting
        authority.issue_cert("127.0.0.1").configure_cert(context)
        context.verify_mode = ssl.CERT_REQUIRED if must else ssl.CERT_OPTIONAL
        context.load_verify_locations(cadata=SANDBOX.authority)
        provider = make_provider(context)
        provider.answers_with(200, {"ok": True})
        return provider, shown

    return start


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_it_is_presented_on_its_own_call_alone(server: Any, version: ssl.TLSVersion) -> None:
    provider, shown = server(version, must=False)
    for certificate in (None, certificate_of(SANDBOX), None, certificate_of(SANDBOX, "bob"), None):
        assert egress.request("GET", f"{provider.url}/x", certificate=certificate).status == 200
    assert shown == ["", "alice", "", "bob", ""]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_that_refuses_it_is_named(server: Any, version: ssl.TLSVersion) -> None:
    provider, _ = server(version)
    with pytest.raises(CertificateRefused) as caught:
        egress.request("GET", f"{provider.url}/x", certificate=certificate_of(STRANGER))
    assert not caught.value.sent
    assert "PRIVATE" not in repr(caught.value)
    assert provider.requests == []


def test_it_never_goes_over_plain_http(provider: Provider, trusting: Any) -> None:
    with pytest.raises(TargetRefused):
        egress.request("GET", f"{provider.url}/x", certificate=certificate_of(SANDBOX))
    assert provider.requests == []


def test_a_key_that_does_not_fit_is_our_own_fault(server: Any) -> None:
    provider, shown = server()
    broken = ClientCertificate(certificate_of(SANDBOX).chain, certificate_of(SANDBOX).private_key)
    with pytest.raises(MisconfiguredProvider, match="cannot be presented"):
        egress.request("GET", f"{provider.url}/x", certificate=broken)
    assert shown == []
