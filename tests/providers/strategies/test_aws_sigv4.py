"""AWS Signature Version 4: signatures as AWS publishes them, and their scope from the entry."""

import time
from collections.abc import Callable
from email.utils import formatdate

import pytest
import requests
import time_machine
from pydantic import SecretStr

from providers.catalog.aws_sigv4_method import AwsSigV4Method
from providers.catalog.checks import problems_of
from providers.catalog.resolve import Target
from providers.catalog.schema import CatalogEntry
from providers.errors import MisconfiguredProvider
from providers.signing.aws_sigv4 import sigv4_signer
from providers.strategies.aws_sigv4 import AwsSigV4
from providers.values import Credential
from providers.vocabulary import ProbeVerdict
from tests.providers.conftest import Provider

STYLE, STRATEGY = AwsSigV4Method.style, AwsSigV4()
TYPED = {"access_key_id": "AKIAEXAMPLE", "secret_access_key": "secret-12345678", "session_token": "session-12345678"}
REGION = {"name": "region", "label": "Region", "default": "eu-central-1", "pattern": "^[a-z0-9-]{1,30}$"}
ISSUER = {"name": "issuer", "label": "Issuer", "scope": "app", "pattern": ".+"}


@time_machine.travel("2013-05-24T00:00:00Z", tick=False)
def test_signs_as_aws_says_in_its_documentation() -> None:
    # https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, "GET Bucket Lifecycle" (2026-11-29)
    request = requests.Request("GET", "https://examplebucket.s3.amazonaws.com/?lifecycle").prepare()
    request.headers["Host"] = "examplebucket.s3.amazonaws.com"
    signer = sigv4_signer(
        access_key_id="AKIAIOSFODNN7EXAMPLE",
        secret_access_key=SecretStr("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        session_token=None,
        region="us-east-1",
        service="s3",
    )
    assert signer(request).headers["Authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
        "SignedHeaders=host;x-amz-content-sha256;x-amz-date, "
        "Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
    )


def test_the_scope_of_the_signature_is_the_entrys(sandbox_target: Callable[..., Target], provider: Provider) -> None:
    section = {"region": "{region}", "service": "s-{region}"}
    target = sandbox_target(
        STYLE, changes={"params": [ISSUER, REGION], "aws_sigv4": section}, params={"region": "us-west-2"}
    )
    provider.answers_with(200, {"sub": "acct-1"})
    held = STRATEGY.accept(target, TYPED).credential
    assert STRATEGY.probe(target, held).verdict is ProbeVerdict.ALIVE
    sent = {name.lower(): value for name, value in provider.last.headers.items()}
    assert "/us-west-2/s-us-west-2/aws4_request" in sent["authorization"]
    assert sent["x-amz-security-token"] == "session-12345678"
    assert "secret-12345678" not in str(sent)


def test_the_session_token_may_be_left_out(sandbox_target: Callable[..., Target], provider: Provider) -> None:
    target = sandbox_target(STYLE)
    provider.answers_with(200, {"sub": "acct-1"})
    held = STRATEGY.accept(target, TYPED | {"session_token": " "}).credential
    assert set(held.fields) == {"access_key_id", "secret_access_key"}
    STRATEGY.probe(target, held)
    assert "x-amz-security-token" not in {name.lower() for name in provider.last.headers}


def test_a_credential_without_its_key_signs_nothing(sandbox_target: Callable[..., Target], provider: Provider) -> None:
    with pytest.raises(MisconfiguredProvider, match="lacks its access key"):
        STRATEGY.probe(sandbox_target(STYLE), Credential())
    assert provider.requests == []


def test_an_entry_that_renames_the_fields_is_told() -> None:
    section = {"region": "{nope}", "service": "x", "fields": [{"name": "key", "label": "Key"}]}
    document = {"slug": "acme", "name": "Acme", "aws_sigv4": section}
    found = list(problems_of(CatalogEntry.model_validate(document), "acme"))
    assert any(each.startswith("aws_sigv4.fields: a signature is made with access_key_id") for each in found)
    assert any(each.startswith("aws_sigv4.region: uses {nope}") for each in found)


def refusal(code: str, message: str = "") -> bytes:
    return f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>".encode()


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (403, refusal("InvalidClientTokenId"), ProbeVerdict.DEAD),
        (403, refusal("InvalidAccessKeyId"), ProbeVerdict.DEAD),
        (
            403,
            refusal("SignatureDoesNotMatch", "The signature we calculated does not match"),
            ProbeVerdict.DEAD,
        ),
        (403, refusal("ExpiredToken"), ProbeVerdict.DEAD),
        (400, b'{"__type":"com.amazon.coral.service#UnrecognizedClientException"}', ProbeVerdict.DEAD),
        (400, b'{"__type":"ExpiredTokenException"}', ProbeVerdict.DEAD),
        (403, refusal("SignatureDoesNotMatch", "Signature expired: 20261129T1 is now"), ProbeVerdict.UNAVAILABLE),
        (403, refusal("SignatureDoesNotMatch", "Signature not yet current: 2026"), ProbeVerdict.UNAVAILABLE),
        (400, b'{"__type":"InvalidSignatureException","message":"Signature expired: 2"}', ProbeVerdict.UNAVAILABLE),
        (403, refusal("RequestTimeTooSkewed"), ProbeVerdict.UNAVAILABLE),
        (400, refusal("RequestExpired"), ProbeVerdict.UNAVAILABLE),
        (400, refusal("Throttling", "Rate exceeded"), ProbeVerdict.UNAVAILABLE),
        (503, refusal("SlowDown"), ProbeVerdict.UNAVAILABLE),
        (403, refusal("AccessDenied"), ProbeVerdict.FORBIDDEN),
        (403, b"", ProbeVerdict.FORBIDDEN),
    ],
)
def test_only_a_refusal_of_the_key_kills_it(
    sandbox_target: Callable[..., Target], provider: Provider, status: int, body: bytes, verdict: ProbeVerdict
) -> None:
    target = sandbox_target(STYLE)
    held = STRATEGY.accept(target, TYPED).credential
    provider.answers_with(status, body, headers={"Content-Type": "text/xml"})
    assert STRATEGY.probe(target, held).verdict is verdict


@pytest.mark.parametrize(("seconds", "verdict"), [(60, ProbeVerdict.DEAD), (400, ProbeVerdict.UNAVAILABLE)])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_key_is_not_refused_where_the_clocks_differ(
    sandbox_target: Callable[..., Target], provider: Provider, seconds: int, sign: int, verdict: ProbeVerdict
) -> None:
    target = sandbox_target(STYLE)
    held = STRATEGY.accept(target, TYPED).credential
    theirs = formatdate(time.time() + sign * seconds, usegmt=True)
    provider.answers_with(403, refusal("SignatureDoesNotMatch"), headers={"Date": theirs})
    found = STRATEGY.probe(target, held)
    assert found.verdict is verdict
    assert ("by our clock" in found.detail) is (verdict is ProbeVerdict.UNAVAILABLE)


@pytest.mark.parametrize("code", ["InvalidClientTokenId", "InvalidAccessKeyId", "ExpiredToken"])
def test_a_key_that_is_not_known_is_dead_whatever_time_it_is(
    sandbox_target: Callable[..., Target], provider: Provider, code: str
) -> None:
    target = sandbox_target(STYLE)
    held = STRATEGY.accept(target, TYPED).credential
    theirs = formatdate(time.time() + 200, usegmt=True)
    provider.answers_with(403, refusal(code), headers={"Date": theirs})
    assert STRATEGY.probe(target, held).verdict is ProbeVerdict.DEAD
