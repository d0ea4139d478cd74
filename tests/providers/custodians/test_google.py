"""Google Cloud: who we are there."""

import pytest

from providers.custodians import google
from providers.custodians.asking import CustodianAway
from tests.providers.custodians.stand_ins import GoogleCloud, given
from tests.providers.custodians.test_wrapping import Use

BODY = {"plaintext": "QQ==", "additionalAuthenticatedData": "eA=="}


def ask(cloud: GoogleCloud) -> None:
    assert google.call("POST", f"{cloud.url}/v1/{cloud.NAME}:encrypt", BODY)["name"].endswith("/cryptoKeyVersions/1")


@pytest.mark.parametrize("by_key", [True, False], ids=["service account", "metadata"])
def test_one_token_is_good_for_many_calls(google_cloud: GoogleCloud, use: Use, by_key: bool) -> None:
    account = given(google_cloud.service_account()) if by_key else lambda: None
    use(google_cloud.custody(service_account=account))
    for _ in range(3):
        ask(google_cloud)
    assert len(google_cloud.tokens) == 1


def test_a_token_that_is_no_longer_taken_is_asked_for_anew(google_cloud: GoogleCloud, use: Use) -> None:
    use(google_cloud.custody())
    ask(google_cloud)
    google_cloud.tokens.clear()
    with pytest.raises(CustodianAway, match="401 UNAUTHENTICATED"):
        ask(google_cloud)
    ask(google_cloud)


NO_KEY = '{"client_email": "a", "token_uri": "b", "private_key": 1}'


@pytest.mark.parametrize("content", ["no json", "[]", "{}", NO_KEY])
def test_a_file_that_is_no_key_is_told(google_cloud: GoogleCloud, use: Use, content: str) -> None:
    use(google_cloud.custody(service_account=given(content)))
    with pytest.raises(CustodianAway, match="GOOGLE_APPLICATION_CREDENTIALS"):
        ask(google_cloud)
