import pytest

from providers.addresses import AddressRules, are_of_one_party, is_loopback

PUBLIC = ["8.8.8.8", "1.1.1.1", "172.15.255.255", "172.32.0.1", "2606:4700:4700::1111", "2a00:1450:4001:80b::200e"]
NOT_PUBLIC = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::a00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::808:808",
    "100::1",
    "2001::1",
    "2001:0:53aa:64c:0:0:f5ff:fffe",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "3fff::1",
    "fc00::1",
    "fd00:ec2::23",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_permits_public_addresses(address: str) -> None:
    assert AddressRules().permit(host="api.example.com", address=address)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_refuses_whatever_is_not_the_public_internet(address: str) -> None:
    assert not AddressRules().permit(host="api.example.com", address=address)


@pytest.mark.parametrize(("address", "permitted"), [("64:ff9b::808:808", True), ("64:ff9b::7f00:1", False)])
def test_judges_nat64_by_the_address_inside(address: str, permitted: bool) -> None:
    assert AddressRules().permit(host="api.example.com", address=address) is permitted


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_permits_loopback_only_when_told_to(address: str) -> None:
    assert is_loopback(address)
    assert not AddressRules().permit(host="localhost", address=address)
    assert AddressRules(allow_loopback=True).permit(host="localhost", address=address)


def test_unspecified_address_is_no_way_to_loopback() -> None:
    assert not AddressRules(allow_loopback=True).permit(host="localhost", address="0.0.0.0")
    assert not AddressRules(allow_loopback=True).permit(host="localhost", address="::")


def test_allowed_network_permits_exactly_its_addresses() -> None:
    rules = AddressRules.parse(allow_loopback=False, allowed_targets=["10.1.0.0/16", "fd12:3456::/32", "192.168.7.7"])
    assert rules.permit(host="erp.corp.example", address="10.1.255.1")
    assert rules.permit(host="erp.corp.example", address="::ffff:10.1.2.3")
    assert rules.permit(host="erp.corp.example", address="fd12:3456::5")
    assert rules.permit(host="192.168.7.7", address="192.168.7.7")
    assert not rules.permit(host="erp.corp.example", address="10.2.0.1")
    assert not rules.permit(host="erp.corp.example", address="192.168.7.8")


@pytest.mark.parametrize("address", ["10.9.8.7", "172.20.1.1", "192.168.0.10", "100.70.1.1", "fd00::7"])
def test_allowed_host_permits_private_ranges_for_that_name_alone(address: str) -> None:
    rules = AddressRules.parse(allow_loopback=False, allowed_targets=[" ERP.corp.example. "])
    assert rules.permit(host="erp.corp.example", address=address)
    assert rules.permit(host="ERP.CORP.EXAMPLE.", address=address)
    assert not rules.permit(host="evil.erp.corp.example", address=address)
    assert not rules.permit(host="other.example", address=address)


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "169.254.169.254", "100.100.100.200", "fd00:ec2::23", "fd00:ec2::254", "224.0.0.1"]
)
def test_allowed_host_never_leads_to_loopback_or_metadata(address: str) -> None:
    rules = AddressRules.parse(allow_loopback=False, allowed_targets=["erp.corp.example"])
    assert not rules.permit(host="erp.corp.example", address=address)


@pytest.mark.parametrize("entry", ["", "http://erp", "10.1", "10.0.0.1/8", "erp corp", "erp/16", "*.corp.example"])
def test_names_an_allowed_target_that_is_none(entry: str) -> None:
    with pytest.raises(ValueError, match="allowed target"):
        AddressRules.parse(allow_loopback=False, allowed_targets=[entry])


@pytest.mark.parametrize(
    ("url", "other", "is_one"),
    [
        ("https://acme.example/r/1", "https://acme.example/register", True),
        ("https://ACME.example:8443/r/1", "https://acme.example./register", True),
        ("https://auth.acme.example/", "https://acme.example/", True),
        ("https://acme.example/", "https://auth.acme.example/", True),
        ("https://evil.hosted.example/", "https://acme.hosted.example/", False),
        ("https://evilacme.example/", "https://acme.example/", False),
        ("https://acme.example/", "https://example/", False),
        ("https://acme.example@evil.example/", "https://acme.example/", False),
        ("https://[::1", "https://acme.example/", False),
        ("", "", False),
    ],
)
def test_one_party_answers_for_what_stands_below_its_name(url: str, other: str, is_one: bool) -> None:
    assert are_of_one_party(url, other) is is_one
