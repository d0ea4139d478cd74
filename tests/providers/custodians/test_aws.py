"""AWS: where our keys come from, and that calls are signed as AWS's own library signs them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from providers.custodians import aws
from providers.custodians.asking import CustodianAway, CustodianRefuses
from providers.custodians.custody import Aws, Custody
from tests.providers.custodians.stand_ins import Answer, Call, StandIn, given, serving
from tests.providers.custodians.test_wrapping import REGION, Use

ROLE = "arn:aws:iam::111122223333:role/latchkey"


class Amazon(StandIn):
    """The metadata service, a container's address, and a service that takes one pair of keys only."""

    def __init__(self) -> None:
        super().__init__()
        self.says: Answer = (200, {"ok": "yes"})
        self.session = self.new_token()

    def _keys(self) -> dict[str, str]:
        ends_at = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"AccessKeyId": "ASIA", "SecretAccessKey": "s/+", "Token": self.session, "Expiration": ends_at}

    def answer(self, call: Call) -> Answer:
        if call.path == "/container":
            return (200, self._keys()) if call.headers.get("Authorization") == "given" else (401, {})
        if call.path == "/latest/api/token" and call.method == "PUT":
            return 200, "machine-token"
        if call.path.startswith("/latest/meta-data/iam/security-credentials/"):
            if call.headers.get("X-aws-ec2-metadata-token") != "machine-token":
                return 401, {}
            return (200, self._keys()) if call.path.endswith("/role") else (200, "role")
        return self.says if self._is_signed(call) else (400, {"__type": "UnrecognizedClientException"})

    def _is_signed(self, call: Call) -> bool:
        if call.headers.get("x-amz-security-token") != self.session:
            return False
        scope = call.headers["Authorization"]
        names = scope.partition("SignedHeaders=")[2].partition(",")[0].split(";")
        headers = {name: value for name, value in call.headers.items() if name.lower() in names}
        request = AWSRequest(call.method, self.url + call.path, headers=headers, data=call.body)
        request.context["timestamp"] = call.headers["x-amz-date"]
        signer = SigV4Auth(Credentials("ASIA", "s/+", self.session), "kms", REGION)
        text = signer.string_to_sign(request, signer.canonical_request(request))
        return scope.endswith(f"Signature={signer.signature(text, request)}")


@pytest.fixture
def amazon() -> Any:
    with serving(Amazon()) as running:
        yield running


def machine(amazon: Amazon, **changes: Any) -> Custody:
    return Custody(aws=Aws(**({"machine_url": amazon.url, "endpoints": {"kms": amazon.url}} | changes)))


def ask() -> dict[str, Any]:
    return aws.call("kms", REGION, "TrentService.Encrypt", {"KeyId": "x"})


@pytest.mark.parametrize("place", ["machine", "container", "settings"])
def test_calls_are_signed_with_keys_from_there(amazon: Amazon, use: Use, place: str) -> None:
    by_place = {
        "machine": {},
        "container": {"container_url": f"{amazon.url}/container", "container_token": given("given")},
        "settings": {
            "access_key_id": "ASIA",
            "secret_access_key": given("s/+"),
            "session_token": given(amazon.session),
        },
    }
    use(machine(amazon, **by_place[place]))
    assert [ask(), ask()] == [{"ok": "yes"}] * 2
    asked = [call for call in amazon.calls if call.path != "/"]
    assert len(asked) == {"machine": 3, "container": 1, "settings": 0}[place]
    assert json.loads(amazon.calls[-1].body) == {"KeyId": "x"}
    assert amazon.calls[-1].headers["X-Amz-Target"] == "TrentService.Encrypt"


def test_a_role_is_taken_by_the_token_in_a_file(aws_url: str, use: Use) -> None:
    token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJwb2QifQ."
    use(Custody(aws=Aws(role_arn=ROLE, web_identity_token=given(token), endpoints={"kms": aws_url, "sts": aws_url})))
    with pytest.raises(CustodianRefuses, match="NotFoundException"):  # so it was let in
        aws.call("kms", REGION, "TrentService.DescribeKey", {"KeyId": "11111111-2222-3333-4444-555555555555"})


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (400, "DisabledException", CustodianRefuses),
        (400, "com.amazonaws.kms#KMSInvalidStateException", CustodianAway),
        (400, "AccessDeniedException", CustodianAway),
        (400, "ThrottlingException", CustodianAway),
        (500, "KMSInternalException", CustodianAway),
        (502, "", CustodianAway),
    ],
)
def test_what_an_error_means(amazon: Amazon, use: Use, status: int, code: str, error: type[Exception]) -> None:
    use(machine(amazon))
    amazon.says = (status, {"__type": code, "message": "arn:aws:secret"})
    with pytest.raises(error) as told:
        ask()
    assert "arn:aws" not in str(told.value)


def test_keys_that_are_no_longer_taken_are_asked_for_anew(amazon: Amazon, use: Use) -> None:
    use(machine(amazon))
    ask()
    amazon.session = amazon.new_token()
    with pytest.raises(CustodianAway, match="UnrecognizedClientException"):
        ask()
    assert ask() == {"ok": "yes"}


def test_without_anything_it_says_what_to_set(amazon: Amazon, use: Use) -> None:
    use(machine(amazon, machine_url=""))
    with pytest.raises(CustodianAway, match="AWS_ACCESS_KEY_ID and AWS_ROLE_ARN"):
        ask()


def test_a_pair_of_keys_shows_neither_secret(amazon: Amazon) -> None:
    assert "s/+" not in repr(Aws(access_key_id="ASIA", secret_access_key=given("s/+")))
