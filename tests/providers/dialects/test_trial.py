"""A trial tells each step and no secret, and says which key of the entry a disagreement is about."""

import base64
import re
from typing import Any

import pytest

from providers.catalog import loader
from providers.catalog.schema import CatalogEntry
from providers.dialects.fixture import Fixture, fixtures
from providers.dialects.life import style_of
from providers.dialects.trial import Trial, unproven
from providers.dialects.vendors.stand_in import CLIENT_SECRET

# Secrets in the body, signed, in Base64 under two schemes, in the address, in a query, and under a scheme of theirs.
SAMPLE = ("xero", "salesforce-jwt", "twilio", "redtail", "telegram-bot", "trello", "docker-hub", "slack", "ghost-admin")


def trial_of(slug: str, **changes: Any) -> Trial:
    """Return the trial of an entry at its vendor; ``changes`` are made to the entry: section, and keys of it."""
    fixture = fixtures()[slug]
    entry = loader.entry(fixture.entry or slug)
    style = style_of(entry, fixture, loader.meant_by(slug)[1])
    document = entry.model_dump(mode="json", exclude_unset=True)
    for section, keys in changes.items():
        document[section] = document.get(section, {}) | keys if isinstance(keys, dict) else keys
    return Trial(fixture, CatalogEntry.model_validate(document), style)


def lines(trial: Trial, kind: str) -> list[str]:
    return [text for step in trial.steps for one, text in step.lines if one == kind]


def test_it_tells_what_was_sent_answered_and_read_in_the_order_of_a_life() -> None:
    trial = trial_of("xero")
    assert trial.attempt(), trial.problem
    names = [step.name for step in trial.steps]
    assert names[:2] == ["authorization request", "code exchange"]
    assert names.index("probe") < names.index("refresh") < names.index("dead grant")
    assert any(line.startswith("POST https://identity.xero.com/connect/token") for line in lines(trial, "sent"))
    assert any(re.search("access token from .*access_token; refresh token", line) for line in lines(trial, "read"))
    assert any(line.startswith("ClientRejected: our registration is wrong") for line in lines(trial, "read"))


@pytest.mark.parametrize(
    "slug",
    ["xero", "salesforce-jwt", "twilio", "trello", "docker-hub", "slack", "redtail", "ghost-admin", "telegram-bot"],
)
def test_no_secret_is_told(slug: str) -> None:
    trial = trial_of(slug)
    assert trial.attempt(), trial.problem
    told = "\n".join([*lines(trial, "sent"), *lines(trial, "answered"), *lines(trial, "read")])
    secrets = [trial.values[field.name] for field in trial.fields if field.secret]
    for coded in re.findall(r"[A-Za-z0-9+/]{8,}", told):
        told += base64.b64decode(coded[: len(coded) // 4 * 4]).decode("latin-1")
    for secret in (CLIENT_SECRET, *secrets, *trial.vendor.live, *trial.vendor.renewable, "access-1", "refresh-1"):
        assert secret not in told
    assert not re.search(r"eyJ[\w-]{8}", told), "a signed token"


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"scope_separator": ";"}, "authorization_code.scope_separator"),
        ({"client_authentication": "client_secret_post"}, "authorization_code.client_authentication"),
        ({"token_request_format": "json"}, "authorization_code.token_request_format"),
        ({"token_pointer": "/data"}, "authorization_code.token_pointer"),
        ({"token_fields": {"access_token": "other"}}, "authorization_code.token_fields"),
        ({"token_fields": {"refresh_token": "other"}}, "authorization_code.token_fields.refresh_token"),
        ({"expiry": {"field": "other"}}, "authorization_code.expiry"),
        ({"expiry": {"format": "minutes"}}, "authorization_code.expiry"),
        ({"refresh_tokens_rotate": False}, "authorization_code.refresh_tokens_rotate"),
        ({"token_url": "https://identity.xero.com/other"}, "authorization_code.token_url"),
        ({"authorization_url": "https://login.xero.com/other"}, "authorization_code.authorization_url"),
        ({"errors": [{"status": 400, "means": "client_rejected"}]}, "authorization_code.errors"),
    ],
    ids=str,
)
def test_a_disagreement_names_the_key(changes: dict[str, Any], key: str) -> None:
    trial = trial_of("xero", authorization_code=changes)
    assert not trial.attempt()
    assert key in trial.keys, (trial.problem, trial.keys)


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"url": "https://api.xero.com/other"}, "probe.url"),
        ({"method": "POST"}, "probe.url"),
        ({"dead": [{"status": 418, "means": "grant_rejected"}]}, "probe.dead"),
    ],
    ids=str,
)
def test_a_disagreement_about_the_probe_names_the_probe(changes: dict[str, Any], key: str) -> None:
    trial = trial_of("xero", probe=changes)
    assert not trial.attempt()
    assert key in trial.keys, (trial.problem, trial.keys)


def test_a_credential_that_is_carried_otherwise_names_its_presentation() -> None:
    trial = trial_of("trello", presentation={"api_key": {"headers": {"X-Key": "{api_key} {token}"}, "query": {}}})
    assert not trial.attempt()
    assert any(key.startswith("presentation.") for key in trial.keys), (trial.problem, trial.keys)


def test_a_dialect_that_says_nothing_proves_nothing() -> None:
    silent = Fixture(slug="twilio", kind="key")
    trial = Trial(silent, loader.entry("twilio"), "http_basic")
    assert not trial.attempt()
    assert "says nothing" in trial.problem
    assert {"the probe", "where the credential is used", "how a call carries the credential"} <= {*unproven(silent)}


def test_what_a_dialect_says_is_not_among_what_is_unproven() -> None:
    said = Fixture(slug="x", kind="code", client="post", separator=" ", pkce="required", lifetime=60, refresh="stays")
    told = " ".join(unproven(said))
    for word in ("client proves", "between scopes", "challenge", "lives", "replaced"):
        assert word not in told
    assert "revocation" in told
