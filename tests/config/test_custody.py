"""What the environment says of custodians, under their vendors' names."""

import re
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.custody import custody
from config.local.supervisor.state import PROJECT_ROOT

VENDORS = ("AWS_", "AZURE_", "GOOGLE_", "GCE_", "IDENTITY_", "VAULT_")


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.startswith(VENDORS):
            monkeypatch.delenv(name)


def test_without_anything_only_the_machine_is_asked() -> None:
    found = custody()
    assert (found.aws.machine_url, found.aws.container_url) == ("http://169.254.169.254", "")
    assert (found.google.metadata_url, found.openbao.url) == ("http://metadata.google.internal", "")
    assert found.openbao.token() is None


def test_what_a_cloud_sets_in_a_pod_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("aws", "azure"):
        (tmp_path / name).write_text(f"{name}-token\n")
    given = {
        "AWS_ROLE_ARN": "arn:aws:iam::1:role/r",
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "aws"),
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/x",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AZURE_TENANT_ID": "t",
        "AZURE_FEDERATED_TOKEN_FILE": str(tmp_path / "azure"),
        "AZURE_AUTHORITY_HOST": "https://login.example/",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    found = custody()
    tokens = [found.aws.web_identity_token(), found.azure.federated_token()]
    assert [token.get_secret_value() for token in tokens if token] == ["aws-token", "azure-token"]
    assert (found.aws.container_url, found.aws.machine_url) == ("http://169.254.170.2/v2/x", "")
    assert found.azure.authority_url == "https://login.example"


def test_a_secret_in_a_file_is_read_as_it_is_by_then(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VAULT_TOKEN_FILE", str(tmp_path / "token"))
    read = custody().openbao.token
    assert read() is None
    for written in ("first", "second"):
        (tmp_path / "token").write_text(written)
        token = read()
        assert token is not None
        assert (token.get_secret_value(), written in repr(token)) == (written, False)


@pytest.mark.parametrize("url", ["vault:8200", "ftp://vault", "https://user:secret@vault.example"])
def test_an_address_that_is_none_is_told_without_it(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("VAULT_ADDR", url)
    with pytest.raises(ImproperlyConfigured, match="VAULT_ADDR must be a whole URL") as told:
        custody()
    assert url not in str(told.value)


def test_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VAULT_TOKEN", "VAULT_SECRET_ID", "AWS_SECRET_ACCESS_KEY", "AZURE_CLIENT_SECRET"):
        monkeypatch.setenv(name, "hunter2hunter2")
    assert "hunter2" not in repr(custody())


def test_places_of_client_secrets_are_named_one_by_one() -> None:
    assert custody().secret_places == ()
    given = [" file:/run/latchkey/", "vault:secret/data/latchkey/ ", ""]
    assert custody(given).secret_places == ("file:/run/latchkey/", "vault:secret/data/latchkey/")


@pytest.mark.parametrize("place", ["*", "file:/", "vault:", "file:/run/../", "/run/latchkey/"])
def test_a_setting_that_would_allow_everything_starts_nothing(place: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="LATCHKEY_SECRET_SOURCES"):
        custody(["file:/run/latchkey/", place])


def test_files_of_settings_are_known_as_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEK_KEYS_FILE", "/etc/latchkey/keys/KEK_KEYS")
    monkeypatch.setenv("VAULT_TOKEN_FILE", "/etc/latchkey/token")
    found = custody().own_files
    assert {"/etc/latchkey/keys/KEK_KEYS", "/etc/latchkey/token"} < {*found}
    assert "/var/run/secrets/kubernetes.io/serviceaccount/token" in found


@pytest.mark.parametrize(
    ("name", "value", "path"),
    [
        ("GOOGLE_APPLICATION_CREDENTIALS", "/etc/gcp/key.json", "/etc/gcp/key.json"),
        ("PGPASSFILE", "/etc/latchkey/pgpass", "/etc/latchkey/pgpass"),
        ("PGSSLKEY", "~/client.key", "~/client.key"),
        ("KUBECONFIG", "/etc/a:/etc/b", "/etc/b"),
        ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "/etc/otel.key", "/etc/otel.key"),
        ("A_URL_OF_SOME_LIBRARY", "amqps://host/?keyfile=/etc/broker.key", "/etc/broker.key"),
        ("VAULT_TOKEN_FILE", "token", "token"),
    ],
)
def test_whatever_else_the_environment_names_is_our_own_too(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, path: str
) -> None:
    assert path not in custody().own_files
    monkeypatch.setenv(name, value)
    assert path in custody().own_files


def test_files_that_servers_are_asked_with_are_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    servers = (
        "postgresql://u:p@db/latchkey?sslmode=verify-full&sslkey=%2Fetc%2Fpg.key&passfile=/etc/pgpass",
        "rediss://broker:6379/0?ssl_keyfile=/etc/redis.key&ssl_cert_reqs=required",
        "postgresql://[broken",
        "",
    )
    found = set(custody(servers=servers).own_files) - set(custody().own_files)
    assert found == {"/etc/pg.key", "/etc/pgpass", "/etc/redis.key"}


def test_one_file_that_is_allowed_is_no_file_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATCHKEY_SECRET_SOURCES", "file:/run/latchkey/hubspot")
    assert "/run/latchkey/hubspot" not in custody().own_files


def test_every_variable_that_is_read_is_told() -> None:
    """OPERATIONS.md names each; the README's table of settings is about what is ours."""
    code = (PROJECT_ROOT / "config/custody.py").read_text()
    read = set(re.findall(r'_(?:text|url|secret)\("([A-Z][A-Z0-9_]+)"\)', code))
    services = re.search(r"_AWS_SERVICES = \((.*)\)", code)
    assert services
    read |= {f"AWS_ENDPOINT_URL_{name}" for name in re.findall(r'"([A-Z_]+)"', services[1])}
    assert len(read) > 30
    told = (PROJECT_ROOT / "OPERATIONS.md").read_text()
    assert [name for name in sorted(read) if f"`{name}`" not in told] == []
