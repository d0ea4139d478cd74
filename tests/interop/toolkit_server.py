"""An authorization server that nobody here wrote: django-oauth-toolkit, in a Django project of its own.

Run it as ``python -m tests.interop.toolkit_server FOLDER``, with ``--oidc`` as an OpenID provider. Endpoints, pages,
models, rotation and revocation are the toolkit's; only the login page and the protected resource are added
(``toolkit_urls``). Its database is a SQLite file in ``FOLDER``.
"""

# django-oauth-toolkit has no types.
# mypy: disable-error-code="import-untyped"

import argparse
import secrets
from pathlib import Path
from typing import Any

import django
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

from tests.interop.serving import Oracle, fingerprint, serve

PATH = "/o"
_LOGIN = """<form method="post">{% csrf_token %}{{ form.as_p }}<input type="submit" value="Log in"></form>"""
_SCOPES = {"files": "Read your files"}


def configure(folder: Path, *, is_openid_provider: bool) -> None:
    """Configure and set up Django for this process."""
    provider: dict[str, object] = {
        "SCOPES": _SCOPES | ({"openid": "Know who you are"} if is_openid_provider else {}),
        "DEFAULT_SCOPES": ["files"],
        "PKCE_REQUIRED": True,
        "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
        "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
        "ROTATE_REFRESH_TOKEN": True,
        "OAUTH2_VALIDATOR_CLASS": "tests.interop.toolkit_validator.Validator",
        "ACCESS_TOKEN_EXPIRE_SECONDS": 3600,
        "DCR_ENABLED": True,
        "DCR_REGISTRATION_PERMISSION_CLASSES": ("oauth2_provider.dcr.AllowAllDCRPermission",),
        "OIDC_ENABLED": is_openid_provider,
        "OIDC_RSA_PRIVATE_KEY": _signing_key() if is_openid_provider else "",
    }
    settings.configure(
        SECRET_KEY=secrets.token_urlsafe(50),
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF="tests.interop.toolkit_urls",
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": folder / "toolkit.sqlite3",
                "OPTIONS": {"timeout": 20},
            }
        },
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "oauth2_provider",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "OPTIONS": {
                    "loaders": [
                        ("django.template.loaders.locmem.Loader", {"registration/login.html": _LOGIN}),
                        "django.template.loaders.app_directories.Loader",
                    ],
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                    ],
                },
            }
        ],
        MIGRATION_MODULES=dict.fromkeys(("auth", "contenttypes", "sessions", "oauth2_provider")),  # tables at once
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],  # quick, for throw-away secrets
        LOGIN_URL="/login/",
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        OAUTH2_PROVIDER=provider,
    )
    django.setup()


def make(issuer: str) -> tuple[Any, Oracle]:
    """Return the application, with its tables and two users, and the oracle that reads its store."""
    from django.contrib.auth import get_user_model

    from tests.interop.toolkit_validator import expect_scope

    call_command("migrate", run_syncdb=True, verbosity=0)
    page = f"{issuer}/device/"
    _change_settings(
        OAUTH_DEVICE_VERIFICATION_URI=page,
        OAUTH_DEVICE_VERIFICATION_URI_COMPLETE=lambda user_code: f"{page}?user_code={user_code}",
    )
    expect_scope()
    for name in ("alice", "bob"):
        get_user_model().objects.create_user(username=name, password=name)
    oracle: Oracle = {
        "register": _register,
        "redirect_to": _redirect_to,
        "grants": _grants,
        "protect_against_reuse": _protect_against_reuse,
    }
    return get_wsgi_application(), oracle


def _register(
    client_id: str, client_secret: str, redirect_uris: list[str], grant_type: str = "authorization-code"
) -> None:
    from oauth2_provider.models import Application
    from oauth2_provider.settings import oauth2_settings

    Application.objects.create(
        client_id=client_id,
        client_secret=client_secret,
        name="Latchkey",
        redirect_uris=" ".join(redirect_uris),
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=grant_type,
        algorithm=Application.RS256_ALGORITHM if oauth2_settings.OIDC_ENABLED else "",
    )


def _redirect_to(client_id: str, redirect_uris: list[str]) -> None:
    from oauth2_provider.models import Application

    Application.objects.filter(client_id=client_id).update(redirect_uris=" ".join(redirect_uris))


def _grants(client_id: str) -> list[dict[str, object]]:
    """Return the refresh tokens, oldest first, each with the access token that goes with it."""
    from oauth2_provider.models import RefreshToken

    rows = RefreshToken.objects.filter(application__client_id=client_id).select_related("access_token", "user")
    return [
        {
            "user": row.user.username,
            "refresh_token": fingerprint(row.token),
            "access_token": fingerprint(row.access_token.token) if row.access_token else "",
            "is_live": row.revoked is None,
        }
        for row in rows.order_by("id")
    ]


def _protect_against_reuse(is_on: bool) -> None:
    """Have a refresh token that is used again end its whole grant, or not."""
    _change_settings(REFRESH_TOKEN_REUSE_PROTECTION=is_on)


def _change_settings(**changes: object) -> None:
    from oauth2_provider.settings import oauth2_settings

    oauth2_settings.user_settings.update(changes)
    oauth2_settings.reload()


def _signing_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def main() -> None:
    """Read the arguments, and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--oidc", action="store_true")
    given = parser.parse_args()
    configure(given.folder, is_openid_provider=given.oidc)
    serve(make, package="django-oauth-toolkit", path=PATH)


if __name__ == "__main__":
    main()
