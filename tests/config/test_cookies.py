"""The names and flags of cookies: every browser keeps them on a developer's machine, and nowhere are they weaker."""

import json
import subprocess
import sys

import pytest

from config.local.supervisor.environment import inherited, placeholder_settings
from config.local.supervisor.state import PROJECT_ROOT

_PRINT = """
import json, uuid, django
django.setup()
from django.conf import settings
from django.http import HttpResponse
from connections.consent.cookies import set_browser_secret, set_click_secret
response = HttpResponse()
set_browser_secret(response, uuid.uuid4(), "secret")
set_click_secret(response, uuid.uuid4(), "secret")
names = [settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, *response.cookies]
secure = [settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE]
secure += [bool(cookie["secure"]) for cookie in response.cookies.values()]
kept_from_scripts = [settings.SESSION_COOKIE_HTTPONLY, settings.CSRF_COOKIE_HTTPONLY]
kept_from_scripts += [bool(cookie["httponly"]) for cookie in response.cookies.values()]
same_site = [settings.SESSION_COOKIE_SAMESITE, settings.CSRF_COOKIE_SAMESITE]
same_site += [cookie["samesite"] for cookie in response.cookies.values()]
print(json.dumps([names, secure, kept_from_scripts, same_site]))
"""


def cookies_at(url: str, env: str) -> tuple[list[str], set[bool]]:
    """Return the names of all cookies and whether they are Secure, under these settings."""
    done = subprocess.run(
        [sys.executable, "-c", _PRINT],
        cwd=PROJECT_ROOT,
        env=inherited() | placeholder_settings() | {"PUBLIC_URL": url, "LATCHKEY_ENV": env},
        capture_output=True,
        text=True,
        check=True,
    )
    names, secure, kept_from_scripts, same_site = json.loads(done.stdout)
    assert len(set(names)) == 4, "no cookie takes another's place"
    assert set(kept_from_scripts) == {True}
    assert set(same_site) == {"Lax"}
    return names, set(secure)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "http://localhost", "http://[::1]:8000"])
def test_every_browser_keeps_them_over_loopback_http_in_development(url: str) -> None:
    names, secure = cookies_at(url, "development")
    assert secure == {False}
    assert all(name.startswith("latchkey-") for name in names)


@pytest.mark.parametrize(
    ("url", "env"),
    [
        ("https://connect.example.com", "production"),
        ("https://connect.example.com", "development"),
        ("https://127.0.0.1:8443", "development"),
        ("https://localhost", "production"),
        ("http://connect.example.com", "development"),
        ("http://localhost.example.com", "development"),
        ("http://192.168.1.10:8000", "development"),
        ("http://0.0.0.0:8000", "development"),
    ],
)
def test_everywhere_else_they_are_secure_and_for_one_host_alone(url: str, env: str) -> None:
    names, secure = cookies_at(url, env)
    assert secure == {True}
    assert all(name.startswith("__Host-latchkey-") for name in names)


def test_production_over_loopback_http_does_not_start() -> None:
    with pytest.raises(subprocess.CalledProcessError) as failure:
        cookies_at("http://127.0.0.1:8000", "production")
    assert "PUBLIC_URL must be https://" in failure.value.stderr
