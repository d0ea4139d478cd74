"""The machine on which it runs: settings, folders, packages."""

import os
import re
import sys
from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.checks.registry import registry

from connections.lifecycle.credentials.spool import count_spooled
from connections.management.doctor.findings import Finding, fault, fine, warning

_PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)


def settings_look() -> Iterator[Finding]:
    """Look at the settings, with Django's own checks for deployments among them. No I/O."""
    found = []
    if settings.DEVELOPMENT:
        found.append(
            fault(
                "settings",
                "LATCHKEY_ENV is development: http and loopback providers are allowed.",
                "Take LATCHKEY_ENV out of the environment, unless this is a developer's machine.",
            )
        )
    elif not settings.SECURE_PROXY_SSL_HEADER and urlsplit(settings.PUBLIC_URL).scheme == "https":
        found.append(
            warning(
                "settings",
                "BEHIND_TLS_PROXY is off, so a request through a proxy that ends TLS is redirected for ever.",
                "Set BEHIND_TLS_PROXY=true if a proxy ends TLS.",
            )
        )
    if settings.SECURE_PROXY_SSL_HEADER and not settings.TRUSTED_PROXY_COUNT:
        found.append(
            warning(
                "settings",
                "TRUSTED_PROXY_COUNT is 0 behind a proxy, so every request seems to come from the proxy's address.",
                "Set it to the number of proxies that append to X-Forwarded-For.",
            )
        )
    # The views are the same everywhere, and to load them all takes as long as everything else that is looked at. The
    # database is looked at elsewhere.
    not_settings = {checks.Tags.urls, checks.Tags.database}
    of_settings = sorted(registry.tags_available(deployment_checks=True) - not_settings)
    for message in checks.run_checks(tags=of_settings, include_deployment_checks=True):
        if message.is_silenced() or (settings.DEVELOPMENT and (message.id or "").startswith("security.")):
            continue
        make = fault if message.is_serious() else warning
        found.append(make("settings", f"{message.msg} ({message.id})", message.hint or "See manage.py check --deploy."))
    yield from found or [fine("settings", "They are in order.")]


def addresses() -> Iterator[Finding]:
    """Look at where browsers and callers reach it. No I/O."""
    parts = {"widget": settings.WIDGET_URL, "admin": settings.ADMIN_URL, "API": settings.API_URL}
    found = []
    if settings.PUBLIC_PATH:
        found.append(
            warning(
                "addresses",
                f"PUBLIC_URL has a path ({settings.PUBLIC_PATH}). To browsers all else at that host is the same site: "
                "its scripts can do whatever people who are logged in here can.",
                "Give Latchkey a host of its own, unless you trust everything at that one as much.",
            )
        )
    if len({urlsplit(url).hostname for url in parts.values()}) < len({urlsplit(url).netloc for url in parts.values()}):
        found.append(
            warning(
                "addresses",
                "WIDGET_URL, ADMIN_URL, API_URL differ in the port alone. Browsers send cookies to all of them.",
                "Give each another name.",
            )
        )
    told = ", ".join(f"{part} at {url}" for part, url in parts.items())
    yield from found or [fine("addresses", f"{told[0].upper()}{told[1:]}.")]


def telemetry() -> Iterator[Finding]:
    """Look whether traces and crash reports that are wanted can be sent. No I/O."""
    wanted = {"OTEL_EXPORTER_OTLP_ENDPOINT": settings.TRACES_ENDPOINT, "SENTRY_DSN": settings.SENTRY_DSN}
    needed = {"OTEL_EXPORTER_OTLP_ENDPOINT": "opentelemetry.sdk", "SENTRY_DSN": "sentry_sdk"}
    for name in (name for name, value in wanted.items() if value and not _is_installed(needed[name])):
        yield warning(
            "telemetry",
            f"{name} is set, and nothing is sent: the extra telemetry is not installed.",
            "Install it, or take the setting out.",
        )


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # of a package above it
        return False


def folders() -> Iterator[Finding]:
    """Look whether what has to be written can be, and what has to be served is there."""
    found = []
    spool = Path(settings.SPOOL_DIR)
    nearest = next(folder for folder in (spool, *spool.parents) if folder.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        found.append(
            fault(
                "folders",
                f"LATCHKEY_SPOOL_DIR ({spool}) cannot be written: a credential that the database cannot take is lost.",
                "Name a durable folder that the user of these processes may write.",
            )
        )
    elif waiting := count_spooled():
        found.append(
            warning(
                "folders",
                f"{waiting} files wait in LATCHKEY_SPOOL_DIR for the database to take them.",
                "They are taken when a process starts with the database there. If they stay, read that process's log.",
            )
        )
    is_collected = (Path(settings.STATIC_ROOT) / "latchkey_admin").is_dir()
    if not is_collected and not settings.WHITENOISE_USE_FINDERS:  # a developer's are found where they are written
        found.append(
            fault(
                "folders",
                f"STATIC_ROOT ({settings.STATIC_ROOT}) has no static files: pages come without style.",
                "Run manage.py collectstatic.",
            )
        )
    yield from found or [fine("folders", "The spool can be written, the static files are there.")]


def packages() -> Iterator[Finding]:
    """Compare what is installed with the lock, where there is one."""
    lock = Path(settings.BASE_DIR) / "requirements.lock"
    python = ".".join(map(str, sys.version_info[:3]))
    if not lock.exists():
        yield fine("packages", f"Python {python}; without requirements.lock there is nothing to compare with.")
        return
    others = []
    for name, version in _PINNED.findall(lock.read_text(encoding="utf-8")):
        try:
            installed = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue  # of another platform, or not needed here: what is needed is missed at the start
        if installed != version:
            others.append(f"{name} {installed} instead of {version}")
    if others:
        yield warning(
            "packages",
            f"Other versions than in requirements.lock are installed: {', '.join(others[:5])}"
            + (f" and {len(others) - 5} more." if len(others) > 5 else "."),
            "Install the lock: pip install --require-hashes -r requirements.lock.",
        )
    else:
        yield fine("packages", f"Python {python}, and the versions of requirements.lock.")
