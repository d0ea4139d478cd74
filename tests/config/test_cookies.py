"""The names and flags of cookies: every browser keeps them on a developer's machine, and nowhere are they weaker."""

import os
import runpy
import subprocess
import sys
import uuid

import pytest
from django.http import HttpResponse
from django.test import override_settings

from config.local.supervisor.environment import inherited, placeholder_settings
from config.local.supervisor.state import PROJECT_ROOT
from connections.consent.cookies import set_browser_secret, set_click_secret


def cookies_at(url: str, env: str) -> tuple[list[str], set[bool]]:
    """Return the names of all cookies and whether they are Secure, with the settings that these two lead to."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("LATCHKEY_")]:
            patch.delenv(name)
        for name, value in (placeholder_settings() | {"PUBLIC_URL": url, "LATCHKEY_ENV": env}).items():
            patch.setenv(name, value)
        settings = runpy.run_path(str(PROJECT_ROOT / "config" / "settings.py"))
    response = HttpResponse()
    with override_settings(COOKIE_PREFIX=settings["COOKIE_PREFIX"], LOOPBACK_HTTP=settings["LOOPBACK_HTTP"]):
        set_browser_secret(response, uuid.uuid4(), "secret")
        set_click_secret(response, uuid.uuid4(), "secret")
    cookies = response.cookies.values()
    names = [settings["SESSION_COOKIE_NAME"], settings["CSRF_COOKIE_NAME"], *response.cookies]
    secure = {settings["SESSION_COOKIE_SECURE"], settings["CSRF_COOKIE_SECURE"]}
    secure |= {bool(cookie["secure"]) for cookie in cookies}
    kept_from_scripts = {settings["SESSION_COOKIE_HTTPONLY"], settings["CSRF_COOKIE_HTTPONLY"]}
    kept_from_scripts |= {bool(cookie["httponly"]) for cookie in cookies}
    same_site = {settings["SESSION_COOKIE_SAMESITE"], settings["CSRF_COOKIE_SAMESITE"]}
    same_site |= {cookie["samesite"] for cookie in cookies}
    assert len(set(names)) == 4, "no cookie takes another's place"
    assert kept_from_scripts == {True}
    assert same_site == {"Lax"}
    return names, secure


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
    settings = placeholder_settings() | {"PUBLIC_URL": "http://127.0.0.1:8000", "LATCHKEY_ENV": "production"}
    started = subprocess.run(
        [sys.executable, "-c", "import django; django.setup()"],
        cwd=PROJECT_ROOT,
        env=inherited() | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert started.returncode != 0
    assert "PUBLIC_URL must be https://" in started.stderr
