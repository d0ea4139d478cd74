"""Azure: who we are there."""

import pytest

from providers.custodians import azure
from providers.custodians.asking import CustodianAway, CustodianError, CustodianRefuses
from tests.providers.custodians.stand_ins import AzureCloud, given
from tests.providers.custodians.test_wrapping import Use

PRINCIPAL = {"tenant_id": AzureCloud.TENANT, "client_id": AzureCloud.CLIENT}


def ask(cloud: AzureCloud) -> None:
    assert azure.call("GET", cloud.name)["key"]["kid"] == f"{cloud.name}/v1"


@pytest.mark.parametrize(
    "identity",
    [
        {},
        {"identity_url": "/msi/token", "identity_header": given(AzureCloud.HEADER)},
        {**PRINCIPAL, "client_secret": given(AzureCloud.SECRET)},
        {**PRINCIPAL, "federated_token": given(AzureCloud.ASSERTION)},
    ],
    ids=["machine", "app service", "secret", "workload identity"],
)
def test_one_token_is_good_for_many_calls(azure_cloud: AzureCloud, use: Use, identity: dict[str, str]) -> None:
    if "identity_url" in identity:
        identity = identity | {"identity_url": azure_cloud.url + identity["identity_url"]}
    use(azure_cloud.custody(**identity))
    for _ in range(3):
        ask(azure_cloud)
    assert len(azure_cloud.tokens) == 1


@pytest.mark.parametrize(
    ("identity", "says"),
    [
        (PRINCIPAL, "AZURE_FEDERATED_TOKEN_FILE or AZURE_CLIENT_SECRET"),
        ({**PRINCIPAL, "client_secret": given("wrong")}, "gave no token: HTTP 401"),
        ({"resource": "https://elsewhere.example"}, "gave no token: HTTP 400"),
    ],
)
def test_what_is_wrong_is_told(azure_cloud: AzureCloud, use: Use, identity: dict[str, str], says: str) -> None:
    use(azure_cloud.custody(**identity))
    with pytest.raises(CustodianAway, match=says):
        ask(azure_cloud)


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (404, {"code": "KeyNotFound"}, CustodianRefuses),
        (400, {"code": "BadParameter"}, CustodianRefuses),
        (403, {"code": "Forbidden", "innererror": {"code": "KeyDisabled"}}, CustodianRefuses),
        (404, {"code": "ResourceNotFound"}, CustodianAway),
        (404, {"code": "404"}, CustodianAway),
        (400, {"code": "BadRequest"}, CustodianAway),
        (403, {"code": "Forbidden", "innererror": {"code": "ForbiddenByFirewall"}}, CustodianAway),
    ],
    ids=str,
)
def test_a_key_is_given_up_for_the_vault_s_own_words_alone(
    azure_cloud: AzureCloud, use: Use, status: int, error: dict[str, object], kind: type[CustodianError]
) -> None:
    use(azure_cloud.custody())
    ask(azure_cloud)
    azure_cloud.before = (status, {"error": error})
    with pytest.raises(CustodianError) as told:
        ask(azure_cloud)
    assert type(told.value) is kind
